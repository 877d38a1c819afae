"""A visit to the doctor, without the command around it."""

from pathlib import Path

from checks.ask.doctor import examine
from checks.evidence.permission_checks import PermissionCheck, PermissionResult
from checks.judge.examination import Examination
from checks.settings.file import Settings, parse_settings
from checks.settings.template import settings_text
from validate_daily.sandbox import Sandbox

PROJECT = "nba-props-platform"


def example(text: str = "") -> Settings:
    """The example settings, or others, as if they had been named."""
    pipeline = parse_settings(text or settings_text("example"), origin="example")
    return Settings(pipeline, Path("example.toml"), named=True)


async def visit(sandbox: Sandbox, settings: Settings | None = None, *, seconds: float = 20.0) -> Examination:
    """Examine what a practice cloud lets one see."""
    return await examine(settings or example(), timeout=seconds, environment=sandbox.environment())


def by_permission(told: Examination) -> dict[str | None, PermissionCheck]:
    """The probes by the permission that each tried."""
    return {probe.permission: probe for probe in told.probes}


def not_ok(told: Examination) -> dict[str | None, PermissionResult]:
    """Every result that is not ok, by permission."""
    return {probe.permission: probe.result for probe in told.probes if probe.result is not PermissionResult.OK}

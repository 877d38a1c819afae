"""Handoffs for tests: the example pipeline's settings, and documents measured against a practice cloud."""

from checks.settings.file import Settings, load_settings
from checks.settings.pipeline import Pipeline
from validate_daily.handoff.claim import Claim
from validate_daily.handoff.document import read_document
from validate_daily.handoff.verification import HandoffReport, verify
from validate_daily.sandbox import Sandbox

from support.paths import EXAMPLE


def example_settings() -> Settings:
    """The shipped example settings."""
    return load_settings(EXAMPLE)


def example_pipeline() -> Pipeline:
    """Their pipeline."""
    return example_settings().pipeline


def claims_of(text: str) -> tuple[Claim, ...]:
    """What a document of this text claims."""
    return read_document(text.encode(), example_pipeline(), "the document").claims


def asked(text: str) -> set[tuple[str, str | None, str | None]]:
    """Check, subject and expectation of everything in it that is mapped."""
    return {(each.check.value, each.subject, each.expected) for each in claims_of(text) if each.check}


async def verified(cloud: Sandbox, text: str) -> HandoffReport:
    """Its claims, measured against a cloud now."""
    return await verify(example_pipeline(), text.encode(), "the document", environment=cloud.environment())

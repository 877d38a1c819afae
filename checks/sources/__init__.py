"""The only place that reads from Google: one source, one package or file, listed here.

May import evidence, settings and text; this list itself loads none of Google's packages, because they take seconds.
"""

from typing import Final

from checks.settings.sources import SourceName
from checks.sources.addresses import (
    LOGGING_VARIABLE,
    REGISTRY_VARIABLE,
    RUN_VARIABLE,
    logging_target,
    registry_target,
    run_target,
)
from checks.sources.firestore.channel import EMULATOR_VARIABLE, heartbeats_target
from checks.sources.source import Source

SOURCES: Final = (
    Source(
        name="firestore",
        target=heartbeats_target,
        variable=EMULATOR_VARIABLE,
        reader="checks.sources.firestore.census:read",
        permission_check="checks.sources.permission_checks.firestore:check",
    ),
    Source(
        name="cloud-run",
        target=run_target,
        variable=RUN_VARIABLE,
        reader="checks.sources.cloud_run.deployments:read",
        permission_check="checks.sources.permission_checks.cloud_run:check",
    ),
    Source(
        name="logging",
        target=logging_target,
        variable=LOGGING_VARIABLE,
        reader="checks.sources.logging.logs:read",
        permission_check="checks.sources.permission_checks.logging:check",
        windowed=True,
    ),
    Source(
        name="registry",
        target=registry_target,
        variable=REGISTRY_VARIABLE,
        reader="checks.sources.registry.images:read",
        permission_check="checks.sources.permission_checks.registry:check",
    ),
)
"""Every source, in the order in which reports name them. ``Snapshot.SOURCES`` says which adds to what another read."""


def source_named(name: SourceName) -> Source:
    """The source of this name."""
    return next(source for source in SOURCES if source.name == name)

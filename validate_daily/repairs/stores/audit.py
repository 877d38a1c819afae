"""Opens the audit that the settings ask for: a log of Cloud Logging, or a local file."""

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from checks.settings.file import Settings
from checks.sources.errors import SourceError
from validate_daily.repairs.plans.audit_event import Audit, AuditError
from validate_daily.repairs.stores.audit_file import FileAudit, audit_path


@asynccontextmanager
async def open_audit(
    settings: Settings, *, environment: Mapping[str, str] = os.environ, seconds: float = 30.0
) -> AsyncGenerator[Audit]:
    """The audit that the settings ask for: a log of Cloud Logging where they name one, else a local file.

    Args:
        settings: the pipeline and where its changes are written down.
        environment: where the address of Cloud Logging is looked up.
        seconds: what one line may take on its way to Cloud Logging.

    Raises:
        AuditError: there are no credentials for Cloud Logging.
    """
    if settings.audit.cloud_logging is None:
        yield FileAudit(audit_path(settings))
        return
    from validate_daily.repairs.stores.cloud_audit import connect_audit  # noqa: PLC0415 - Google's packages load when used

    try:
        async with connect_audit(settings.pipeline, settings.audit.cloud_logging, environment, seconds) as audit:
            yield audit
    except SourceError as error:
        raise AuditError(f"the audit in Cloud Logging: {error}", error.next_step) from error

"""What is measured: a cleanup as the command runs it: planned, agreed to, copied, deleted, audited, counted again."""

import asyncio
import importlib
import os
import sys
import tempfile
from pathlib import Path

from checks.settings.file import Settings, parse_settings
from validate_daily.repairs.documents.cleanup import apply_cleanup, plan_cleanup
from validate_daily.repairs.documents.session import open_session
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.session import local_principal
from validate_daily.repairs.stores.audit_file import FileAudit

from bench.measure import measured


async def cleanup(project: str, collection: str) -> dict[str, int]:
    """Move what is run-scoped to the trash."""
    told = (
        f'[pipeline]\nname = "bench"\nproject = "{project}"\n[heartbeats]\ncollection = "{collection}"\n'
        "[writes]\nenabled = true\nmax_documents = 1000000\n"
    )
    settings = Settings(parse_settings(told, origin="bench"), Path("bench"), named=True)
    with tempfile.TemporaryDirectory() as folder:
        audit = FileAudit(Path(folder) / "audit.jsonl")
        async with open_session(settings, local_principal(), writing=True, environment=os.environ) as session:
            plan = await plan_cleanup(session, even_if_growing=True)
            approval = Approval.given(plan, "terminal", plan.principal, plan.words)
            outcome = await apply_cleanup(session, plan, approval, audit)
    if outcome.exit_code:
        raise SystemExit(f"the cleanup failed: {outcome}")
    return {"gone": outcome.moved}


if __name__ == "__main__":
    # Loaded before the clock starts, as the plain script's client is.
    for module in ("validate_daily.repairs.stores.documents", "validate_daily.repairs.stores.listing"):
        importlib.import_module(module)
    measured(lambda: asyncio.run(cleanup(*sys.argv[1:3])))

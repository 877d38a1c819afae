"""Changes things: each change is planned from the server's own reading, approved, audited, verified and undoable.

    async with open_session(settings, principal) as session:
        plan = await plan_cleanup(session)                      # reads, changes nothing
        approval = ...                                          # a person agrees to this plan, and to no other
        async with open_audit(settings, session.login) as audit:
            outcome = await apply_cleanup(session, plan, approval, audit)

Importing this loads none of Google's packages: that waits until a session is opened.
"""

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from repairs.approval import Approval
    from repairs.audit import Audit, FileAudit, open_audit
    from repairs.cleanup import apply_cleanup, plan_cleanup
    from repairs.errors import NothingToDoError, RefusedError, RepairError, TokenError, UnseenError
    from repairs.outcome import Outcome
    from repairs.plan import CleanupPlan, Principal, RestorePlan
    from repairs.restore import apply_restore, plan_restore
    from repairs.seal import Binding, Seal
    from repairs.session import Session, open_session

__all__ = [
    "Approval",
    "Audit",
    "Binding",
    "CleanupPlan",
    "FileAudit",
    "NothingToDoError",
    "Outcome",
    "Principal",
    "RefusedError",
    "RepairError",
    "RestorePlan",
    "Seal",
    "Session",
    "TokenError",
    "UnseenError",
    "apply_cleanup",
    "apply_restore",
    "open_audit",
    "open_session",
    "plan_cleanup",
    "plan_restore",
]

_HOMES: Final = {
    "Approval": "approval",
    "Audit": "audit",
    "Binding": "seal",
    "CleanupPlan": "plan",
    "FileAudit": "audit",
    "NothingToDoError": "errors",
    "Outcome": "outcome",
    "Principal": "plan",
    "RefusedError": "errors",
    "RepairError": "errors",
    "RestorePlan": "plan",
    "Seal": "seal",
    "Session": "session",
    "TokenError": "errors",
    "UnseenError": "errors",
    "apply_cleanup": "cleanup",
    "apply_restore": "restore",
    "open_audit": "audit",
    "open_session": "session",
    "plan_cleanup": "cleanup",
    "plan_restore": "restore",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)

"""What planning and applying share, whatever is changed: the settings, who asks, and the time that it may take."""

import getpass
import os
import secrets
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from checks.evidence.snapshot import Target
from checks.settings.file import Settings
from checks.sources.progress import Progress
from validate_daily.repairs.plans.plan import PlanBase, Principal

if TYPE_CHECKING:
    from checks.sources.budget import Budget

DEFAULT_TIMEOUT: Final = 600.0
_ID_BYTES: Final = 8


@dataclass(slots=True)
class RepairSession(ABC):
    """What planning and applying share, whatever is changed.

    Attributes:
        settings: the pipeline and what may be changed in it.
        principal: who asks.
        budget: what all calls together may take.
        progress: told how far the long steps are.
        writing: it has the credentials that change things.
    """

    settings: Settings
    principal: Principal
    budget: "Budget"
    progress: Progress
    writing: bool

    @property
    @abstractmethod
    def target(self) -> Target:
        """Where things are changed."""

    def plan_base(self, read_time: datetime) -> PlanBase:
        """The fields that every plan of this session has, with an id of its own.

        Args:
            read_time: of the reading that the plan is made from.
        """
        pipeline = self.settings.pipeline
        return {
            "id": secrets.token_hex(_ID_BYTES),
            "project": pipeline.heartbeat_project,
            "database": pipeline.heartbeats.database,
            "collection": pipeline.heartbeats.collection,
            "target": self.target,
            "principal": self.principal,
            "read_time": read_time,
        }


def local_principal() -> Principal:
    """Who uses this machine, as far as it can be told."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):
        name = f"uid {os.geteuid()}"
    return Principal(name=name, verified=False)

"""Whose deploys a service or job is: the tool that undoes what is changed by hand, and what says so."""

from enum import StrEnum
from typing import Final

from checks.evidence.base import Evidence, Untrusted

TERRAFORM: Final = "terraform"
CLOUD_DEPLOY: Final = "cloud-deploy"
CLOUD_BUILD: Final = "cloud-build"
FUNCTIONS: Final = "cloudfunctions"


class OwnerEvidence(StrEnum):
    """What says whose deploys they are."""

    SETTINGS = "settings"
    LABEL = "label"
    ANNOTATION = "annotation"
    CLIENT = "client"


class Owner(Evidence):
    """A tool that deploys a service or job from a state of its own.

    Attributes:
        tool: ``terraform``, ``cloud-deploy``, ``cloud-build``, ``cloudfunctions``, or as somebody wrote it.
        kind: what says so.
        says: the label, annotation or client, character for character.
    """

    tool: Untrusted
    kind: OwnerEvidence
    says: Untrusted

    @property
    def is_function(self) -> bool:
        """Whether it is a function, which only its own deploy may change."""
        return self.tool == FUNCTIONS

    def __str__(self) -> str:
        return f"{self.tool} ({self.kind}{f' {self.says}' if self.says else ''})"

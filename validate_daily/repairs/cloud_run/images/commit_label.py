"""The label that claims a commit: a new image gets its own commit there, or none; no claim of the old one stays.

The image's own label ``org.opencontainers.image.revision`` says it, else a tag that is a commit; neither counts where a
code probe contradicts what is inside. A label that nobody set is not added.
"""

import re
from collections.abc import MutableMapping
from typing import Final

from checks.judge.deployed.proofs import Outcome
from checks.text.show import show
from validate_daily.repairs.cloud_run.images.image_code import ImageCode
from validate_daily.repairs.cloud_run.images.registry_facts import RegistryFacts
from validate_daily.repairs.plans.cloud_run_plans import Relabel

_COMMIT: Final = re.compile(r"[0-9a-f]{7,63}")
_SHOWN: Final = 100
Labels = MutableMapping[str, str]


def commit_of(registry: RegistryFacts, code: ImageCode) -> str | None:
    """The commit that an image may be labelled with; None where nobody knows, or its files say otherwise."""
    if code.result is Outcome.CONTRADICTED:
        return None
    claims = ((registry.commit or "").lower(), registry.tagged or "")
    return next((claim for claim in claims if _COMMIT.fullmatch(claim)), None)


def relabel(label: str, commit: str | None, *labelled: Labels) -> Relabel | None:
    """What becomes of a label; None where it stands nowhere, or is right.

    Args:
        label: the settings' name for it.
        commit: what it should claim; None takes it away.
        labelled: the labels that it may stand among.
    """
    claims = [each[label] for each in labelled if label in each]
    wrong = next((claim for claim in claims if claim != commit), None)
    return None if wrong is None else Relabel(label=label, before=wrong, after=commit)


def write_label(change: Relabel | None, labels: Labels) -> None:
    """Write a label where it stands already."""
    if change is None or change.label not in labels:
        return
    if change.after is None:
        del labels[change.label]
    else:
        labels[change.label] = change.after


def sentence_of(change: Relabel) -> str:
    """A change of the label in a sentence."""
    was = f"the label {change.label}: {show(change.before, limit=_SHOWN)}"
    if change.after is None:
        return f"{was} is removed: no commit is known for certain"
    return f"{was} becomes {change.after}"

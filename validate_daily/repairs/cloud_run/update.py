"""Wants another state of a service: rehearsed, compared field by field, and then done."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from checks.sources.cloud_run.client import Message
from checks.text.show import show
from validate_daily.repairs.plans.cloud_run_plans import LATEST, Traffic
from validate_daily.repairs.stores.cloud_run import ChangeError, RunStore
from validate_daily.repairs.stores.desired_state import field_differences
from validate_daily.repairs.stores.rehearsal import read_rehearsal

_NAMED: Final = 20


class StoppedError(Exception):
    """A change came to its end before it was whole.

    Attributes:
        done: False: it did not happen; None: that is not known.
        reason: why.
        next_step: what to do.
    """

    def __init__(self, reason: str, next_step: str, *, done: bool | None = False) -> None:
        super().__init__(reason)
        self.done = done
        self.reason = reason
        self.next_step = next_step


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """How Cloud Run took a change.

    Attributes:
        given: whether it acknowledged it; if not, only a look can tell what became of it.
        filled: what the rehearsal said that it fills in, in a sentence; None where it fills in nothing.
        generation: that of the service now; 0 where Cloud Run did not say.
    """

    given: bool
    filled: str | None = None
    generation: int = 0


async def change_service(
    store: RunStore, before: Message, wanted: Message, *parts: str, allowed: Iterable[str]
) -> Acknowledgement:
    """Change parts of a service, if nothing but what is allowed would change.

    Args:
        store: the way to Cloud Run.
        before: the service as it was read.
        wanted: the same, changed; its etag is the precondition.
        parts: what of it is sent.
        allowed: the fields that may differ, with all that is below them.

    Raises:
        StoppedError: it was not changed.
    """
    may = tuple(allowed)
    _refuse("the change", [each.path for each in field_differences(before, wanted) if not _within(each.path, may)])
    try:
        rehearsed = await store.update_service(wanted, *parts, rehearse=True)
        answer = read_rehearsal(before, wanted, rehearsed, parts)
        _refuse("Cloud Run", answer.beyond)
        changed = await store.update_service(wanted, *parts, rehearse=False)
    except ChangeError as error:
        if not error.refused:
            return Acknowledgement(given=False)
        raise StoppedError(str(error), _after_refusal(error, wanted.name)) from error
    return Acknowledgement(given=True, filled=answer.told, generation=changed.generation if changed is not None else 0)


def hold_traffic(wanted: Iterable[Traffic], ready: str) -> tuple[Traffic, ...]:
    """The same traffic with every share held by name, so that a new revision gets none."""
    percents: dict[tuple[str, str], int] = {}
    for each in wanted:
        key = (each.revision or ready, each.tag)
        percents[key] = percents.get(key, 0) + each.percent
    return tuple(Traffic(revision=revision, percent=percent, tag=tag) for (revision, tag), percent in percents.items())


def all_to_latest(wanted: Iterable[Traffic]) -> tuple[Traffic, ...]:
    """All traffic follows the latest revision; tags stay where they are."""
    targets = tuple(wanted)
    tag = next((each.tag for each in targets if each.revision == LATEST and each.tag), "")
    tagged = (
        Traffic(revision=each.revision, percent=0, tag=each.tag)
        for each in targets
        if each.tag and each.revision != LATEST
    )
    return (Traffic(percent=100, tag=tag), *tagged)


def format_traffic(wanted: Iterable[Traffic]) -> str:
    """Traffic in words."""
    return ", ".join(str(each) for each in wanted if each.percent) or "none"


def _after_refusal(error: ChangeError, resource: str) -> str:
    """What to do after Cloud Run refused a change."""
    if error.taken_name is None:
        return "find out who changed it, and plan again" if error.conflict else error.next_step
    _, project, _, region, _, name = resource.split("/")
    place = f"--project {project} --region {region}"
    return (
        f"the template of {name} names its next revision {error.taken_name}, and another revision has that name: give "
        f"it a name that is free, with gcloud run services update {name} {place} --revision-suffix SUFFIX "
        "--no-traffic, or take the name out where the service is deployed from; then plan again"
    )


def _refuse(who: str, beyond: Sequence[str]) -> None:
    if beyond:
        more = f" and {len(beyond) - _NAMED} more" if len(beyond) > _NAMED else ""
        raise StoppedError(
            f"{who} would also change {show(', '.join(beyond[:_NAMED]) + more, limit=300)}",
            "nothing was changed: look at the service with gcloud run services describe, and redeploy it from there",
        )


def _within(path: str, allowed: tuple[str, ...]) -> bool:
    return any(path == each or path.startswith((f"{each}.", f"{each}[")) for each in allowed)

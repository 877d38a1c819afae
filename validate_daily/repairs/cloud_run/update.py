"""Wants another state of a service: rehearsed, compared field by field, and then done."""

from collections.abc import Iterable

from checks.sources.cloud_run.client import Message
from checks.text.show import show
from validate_daily.repairs.plans.cloud_run_plans import LATEST, Traffic
from validate_daily.repairs.stores.cloud_run import ChangeError, RunStore
from validate_daily.repairs.stores.desired_state import differences


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


async def change_service(
    store: RunStore, before: Message, wanted: Message, *parts: str, allowed: Iterable[str]
) -> bool:
    """Change parts of a service, if nothing but what is allowed would change.

    Args:
        store: the way to Cloud Run.
        before: the service as it was read.
        wanted: the same, changed; its etag is the precondition.
        parts: what of it is sent.
        allowed: the fields that may differ, with all that is below them.

    Returns:
        Whether Cloud Run acknowledged it; if not, only a look can tell what became of it.

    Raises:
        StoppedError: it was not changed.
    """
    may = tuple(allowed)
    _refuse_beyond(before, wanted, may, "the change")
    try:
        _refuse_beyond(before, await store.update_service(wanted, *parts, rehearse=True), may, "Cloud Run")
        await store.update_service(wanted, *parts, rehearse=False)
    except ChangeError as error:
        if not error.refused:
            return False
        next_step = "find out who changed it, and plan again" if error.conflict else error.next_step
        raise StoppedError(str(error), next_step) from error
    return True


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


def _refuse_beyond(before: Message, after: Message, allowed: tuple[str, ...], who: str) -> None:
    beyond = [path for path in differences(before, after) if not _within(path, allowed)]
    if beyond:
        raise StoppedError(
            f"{who} would also change {show(', '.join(beyond), limit=300)}",
            "nothing was changed: look at the service with gcloud run services describe, and redeploy it from there",
        )


def _within(path: str, allowed: tuple[str, ...]) -> bool:
    return any(path == each or path.startswith((f"{each}.", f"{each}[")) for each in allowed)

"""What heartbeat documents call their fields, and their words for how a run stands."""

import re
from itertools import permutations
from typing import Annotated, Final, Self

from pydantic import AfterValidator, StringConstraints, field_validator, model_validator

from checks.settings.section import Section
from checks.text.show import show

_PLAIN: Final = r"[a-zA-Z_][a-zA-Z_0-9]*"
_QUOTED: Final = r"`(?:[^`\\]|\\.)+`"
_SEGMENT: Final = re.compile(rf"({_PLAIN}|{_QUOTED})(\.|$)", re.DOTALL)
_RESERVED: Final = re.compile(r"__.*__", re.DOTALL)
_LONGEST: Final = 1_500


def segments(path: str) -> tuple[str, ...]:
    """The field names that a Firestore field path leads through, outermost first.

    Raises:
        ValueError: it is no field path.
    """
    names: list[str] = []
    position, more = 0, len(path.encode(errors="surrogatepass")) <= _LONGEST
    while more:
        match = _SEGMENT.match(path, position)
        if match is None:
            break
        names.append(re.sub(r"\\(.)", r"\1", match[1][1:-1], flags=re.DOTALL) if match[1][0] == "`" else match[1])
        position, more = match.end(), match[2] == "."
    if not names or position < len(path) or more:
        raise ValueError(
            'not a Firestore field path: write "beat", "meta.beat", or a name with other characters between backticks, '
            'as in "`last-beat`"'
        )
    if any(_RESERVED.fullmatch(name) for name in names):
        raise ValueError("Firestore keeps names like __name__ to itself")
    return tuple(names)


def _field_path(path: str) -> str:
    segments(path)
    return path


FieldPath = Annotated[str, AfterValidator(_field_path)]
"""Where a field is: its name, or a path such as ``meta.beat``."""

Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class HeartbeatFields(Section):
    """``[heartbeats.fields]``: what documents call the fields that are judged.

    Attributes:
        time: the timestamp of the heartbeat.
        status: the word for how the run stands.
        name: the writer's own name.
        started: the timestamp of the run's start.
        run_id: which run it is.
    """

    time: FieldPath = "last_heartbeat"
    status: FieldPath = "status"
    name: FieldPath = "processor_name"
    started: FieldPath = "started_at"
    run_id: FieldPath = "run_id"

    @property
    def shown_time(self) -> str:
        """What findings call the timestamp of the heartbeat."""
        return show(self.time)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        paths = {key: segments(path) for key, path in self}
        for (one, path), (other, longer) in permutations(paths.items(), 2):
            if longer[: len(path)] == path:
                raise ValueError(f"{other} is the field of {one}, or lies in it: name a field of its own for each")
        return self


class StatusWords(Section):
    """``[heartbeats.status]``: the words that a status field uses. Upper and lower case count as the same.

    A word that is in no list means nothing: only the schedule's limits hold then.
    """

    running: tuple[Word, ...] = ("running",)
    completed: tuple[Word, ...] = ("completed", "success")
    failed: tuple[Word, ...] = ("failed", "error")

    @field_validator("running", "completed", "failed")
    @classmethod
    def _folded(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(plain(word) for word in words))

    @model_validator(mode="after")
    def _mean_one_thing(self) -> Self:
        for (one, words), (other, others) in permutations(self, 2):
            if shared := set(words) & set(others):
                raise ValueError(f"{min(shared)!r} is both a word for {one} and for {other}: name it once")
        return self


def plain(word: str) -> str:
    """A word of status as it is compared: case and surrounding space do not count."""
    return word.strip().casefold()

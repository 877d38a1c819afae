"""A case: what is asked, in which world, what is the answer, and what may be changed."""

from collections.abc import Iterable
from importlib import resources
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from checks.judge.verdict import Verdict
from checks.settings.errors import UsageError
from checks.text.show import show

_PROMPT: Final = (
    "Does the monitoring of the pipeline tell the truth today? If not: what is wrong, and what has to happen?"
)
_SECONDS: Final = 45.0


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Cause(_Part):
    """The finding to act on."""

    rule: str
    subject: str


class ExpectedAnswer(_Part):
    """The verdict, and the finding to act on; no cause where nothing is wrong."""

    severity: Verdict
    cause: Cause | None = None


class Case(_Part):
    """One case.

    Attributes:
        name: its own.
        about: what it is there for, where its world does not say.
        scenario: the world; the case's name unless given.
        prompt: what is asked.
        severity, cause: the answer, written down by a person: of the world as it is at the start.
        after: the answer once what is allowed was done, where that is wanted.
        evidence: subjects that the answer must name.
        tools: tools that must have answered.
        forbidden: words that the answer's cause and next step may not hold.
        unknown: sources that could not be seen, and that the answer must say so of.
        writes: the tools that change things are there.
        person: what the person does who is asked about a change.
        allowed: the tools that may change something.
        serves: services that must serve what their tag points at when all is over.
        seconds: that one look may take.
    """

    name: str
    about: str = ""
    scenario: str = ""
    prompt: str = _PROMPT
    severity: Verdict
    cause: Cause | None = None
    after: ExpectedAnswer | None = None
    evidence: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    writes: bool = False
    person: Literal["absent", "refuses", "agrees"] = "absent"
    allowed: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()
    seconds: Annotated[float, Field(gt=0, le=600)] = _SECONDS

    @property
    def world(self) -> str:
        """The scenario that it plays in."""
        return self.scenario or self.name


def load_cases(names: Iterable[str] = ()) -> tuple[Case, ...]:
    """The cases of these names, or all of them, in their order.

    Raises:
        UsageError: there is no case of a name.
    """
    text = resources.files("validate_daily.evals").joinpath("cases.yaml").read_text("utf-8")
    cases = TypeAdapter(tuple[Case, ...]).validate_python(yaml.safe_load(text))
    known = {each.name: each for each in cases}
    wanted = tuple(names)
    for name in wanted:
        if name not in known:
            raise UsageError(f"--case: there is no case {show(name)}; there are: {', '.join(known)}")
    return tuple(known[name] for name in dict.fromkeys(wanted)) or cases

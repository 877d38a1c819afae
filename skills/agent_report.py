"""What a run of the agent ends with: the model's conclusion, and beside it the code's verdict, which stands."""

from collections.abc import Collection, Iterator
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from checks.evidence.base import Evidence, Untrusted
from checks.judge.verdict import EXIT_CODES, ExitCode, Verdict
from skills.agent_budget import Spent
from skills.agent_end import Ended

SCHEMA: Final = "validate-daily/agent/1"

Words = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
ReportedSubject = Annotated[str, StringConstraints(min_length=2, max_length=500)]
Subjects = Annotated[tuple[ReportedSubject, ...], Field(max_length=100)]


class Ground(BaseModel):
    """One piece of evidence, as the model tells it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: Annotated[ReportedSubject, Field(description="as the tool's answer names it, character for character")]
    says: Annotated[Words, Field(description="what was seen of it")]
    tool: Annotated[ReportedSubject, Field(description="the tool whose answer shows it")]


class Conclusion(BaseModel):
    """What the model concludes. Its words are the model's: the code's verdict stands beside them, and above."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Annotated[Verdict, Field(description="copied from check_heartbeats with phase all")]
    root_rule: Annotated[
        ReportedSubject | None, Field(description="rule of findings[0]; null where nothing was found")
    ] = None
    root_subject: Annotated[ReportedSubject | None, Field(description="subject of findings[0]; null likewise")] = None
    root_cause: Annotated[Words, Field(description="what is wrong and why, in a few sentences")]
    evidence: Annotated[tuple[Ground, ...], Field(max_length=50)] = ()
    affected: Annotated[Subjects, Field(description="subjects that something is wrong with")] = ()
    healthy: Annotated[Subjects, Field(description="subjects that were seen to be right")] = ()
    not_checked: Annotated[tuple[Words, ...], Field(max_length=50, description="what could not be seen, and why")] = ()
    next_step: Annotated[Words, Field(description="what a person does next")]


class FoundRoot(BaseModel):
    """A finding of the code's, as the server's answer has it."""

    model_config = ConfigDict(frozen=True)

    rule: str
    severity: str
    subject: Untrusted
    summary: Untrusted
    next_step: str
    cause: Untrusted | None = None


class CodeVerdict(BaseModel):
    """What the code says, asked by the agent itself when the model had ended: the server's answers, unchanged.

    Attributes:
        verdict, score, practice, taken_at: of the whole check.
        findings: all of them, the root first.
        gaps: what could not be seen.
        not_checked: what the settings leave out.
    """

    model_config = ConfigDict(frozen=True)

    verdict: Verdict
    score: int | None
    practice: bool
    taken_at: AwareDatetime
    findings: tuple[FoundRoot, ...] = ()
    gaps: tuple[dict[str, Any], ...] = ()
    not_checked: tuple[dict[str, Any], ...] = ()

    @property
    def root(self) -> FoundRoot | None:
        """The finding to act on."""
        return self.findings[0] if self.findings else None


class ToolUse(Evidence):
    """One call of a tool.

    Attributes:
        tool: its name.
        seconds: how long it took.
        error: what it answered, where that was an error.
        writes: it is a tool that can change something.
    """

    tool: str
    seconds: float
    error: Untrusted | None = None
    writes: bool = False


class Disagreement(Evidence):
    """Where the model's words and the code's evidence disagree. The code's stand."""

    about: str
    said: Untrusted
    code: Untrusted


class AgentReport(Evidence):
    """What a run ends with.

    Attributes:
        question, skill, model: what was asked, by which skill, of whom.
        ended: how the model's part ended; ``reason`` says why, where it did not conclude.
        code: the code's verdict and findings; None where they could not be had.
        unseen: why they could not be had, or not all of the findings.
        conclusion: the model's words; None where there are none.
        disagreements: where they do not agree with the code.
        calls: every call of a tool, in order.
        spent: what it cost.
    """

    schema_: Annotated[str, Field(alias="schema")] = SCHEMA
    question: Untrusted
    skill: str
    model: str
    ended: Ended
    reason: Untrusted | None = None
    code: CodeVerdict | None = None
    unseen: Untrusted | None = None
    conclusion: Conclusion | None = None
    disagreements: tuple[Disagreement, ...] = ()
    calls: tuple[ToolUse, ...] = ()
    spent: Spent
    writes_allowed: bool = False

    @property
    def verdict(self) -> Verdict:
        """The code's; unknown where it could not be had."""
        return self.code.verdict if self.code else Verdict.UNKNOWN

    @property
    def exit_code(self) -> int:
        """As ``check`` exits with this verdict; at least 3 where it did not conclude, or findings are missing."""
        code = EXIT_CODES[self.verdict]
        failed = self.ended is not Ended.CONCLUDED or self.unseen is not None
        return ExitCode.UNKNOWN if failed and code in {ExitCode.HEALTHY, ExitCode.P2} else code


def disagreements(
    conclusion: Conclusion, code: CodeVerdict, seen: Collection[str], tools: Collection[str]
) -> Iterator[Disagreement]:
    """Hold what the model says against what the code found, and against what the tools answered.

    Args:
        conclusion: the model's words.
        code: the verdict that stands.
        seen: every string in every answer of a tool, and in the code's.
        tools: the tools that were called.
    """
    if conclusion.verdict is not code.verdict:
        yield Disagreement(about="verdict", said=conclusion.verdict, code=code.verdict)
    root = code.root
    said, found = (conclusion.root_rule, conclusion.root_subject), (root.rule, root.subject) if root else (None, None)
    if said != found:
        yield Disagreement(about="root cause", said=_pair(said), code=_pair(found))
    yield from _subjects(conclusion, code, seen)
    for tool in dict.fromkeys(each.tool for each in conclusion.evidence):
        if tool not in tools:
            yield Disagreement(about="evidence", said=tool, code="that tool was not called, or gave only errors")
    unseen = [str(each.get("source") or each.get("what")) for each in (*code.gaps, *code.not_checked)]
    if unseen and not conclusion.not_checked:
        yield Disagreement(about="not checked", said="nothing", code=", ".join(unseen))


def _subjects(conclusion: Conclusion, code: CodeVerdict, seen: Collection[str]) -> Iterator[Disagreement]:
    """What is called healthy and is not, and what no answer names."""
    wrong = {each.subject: each for each in reversed(code.findings)}  # the worst of each
    for subject in conclusion.healthy:
        if each := wrong.get(subject):
            yield Disagreement(about="healthy", said=subject, code=f"{each.severity} {each.rule}: {each.summary}")
    named = (("affected", conclusion.affected), ("healthy", conclusion.healthy))
    for about, subjects in (*named, ("evidence", tuple(each.subject for each in conclusion.evidence))):
        for subject in dict.fromkeys(subjects):
            if not any(subject in text for text in seen):
                yield Disagreement(about=about, said=subject, code="no tool's answer names it")


def _pair(root: tuple[str | None, str | None]) -> str:
    return ": ".join(filter(None, root)) or "none"

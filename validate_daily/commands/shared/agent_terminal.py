"""What people see of a run of the agent: what it does as it does it, the question about a change, and its report."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text

from checks.formats.json import json_text
from checks.formats.practice import practice_line
from checks.formats.styled_text import STYLE
from checks.text.plural import counted
from checks.text.show import show
from skills.agent_end import Ended
from skills.agent_report import AgentReport, Conclusion
from validate_daily.commands.shared.repair_command import TERMINAL

_SHOWN: Final = 160
_FINDINGS: Final = 10


class TerminalListener:
    """Tells on a stream what a run does."""

    def __init__(self, out: TextIO) -> None:
        """Tell it there."""
        self._out = out
        self._open = False

    def words(self, text: str) -> None:
        """Write what the model writes, as it comes; what a terminal would obey is escaped."""
        self._out.write("\n".join(show(line) for line in text.split("\n")))
        self._out.flush()
        self._open = not text.endswith("\n")

    def call(self, tool: str, arguments: object) -> None:
        """Name the call."""
        self._line(f"→ {show(tool, limit=80)} {show(json.dumps(arguments), limit=_SHOWN)}")

    def answer(self, tool: str, error: str | None) -> None:
        """Say whether it was answered."""
        self._line(f"← {show(tool, limit=80)}" + (f" failed: {show(error, limit=_SHOWN)}" if error else " answered"))

    def _line(self, text: str) -> None:
        self._out.write(("\n" if self._open else "") + text + "\n")
        self._out.flush()
        self._open = False


async def ask(question: str) -> str | None:
    """Show the person at the controlling terminal what would be done, and return what they type; None for nothing."""
    return await asyncio.to_thread(_typed, question)


def _typed(question: str) -> str | None:
    shown = "\n".join(show(line) for line in question.split("\n"))
    try:
        with Path(TERMINAL).open("w", encoding="utf-8", errors="replace") as person:
            person.write(f"\n{shown}\nYour answer, anything else to stop: ")
        with Path(TERMINAL).open(encoding="utf-8", errors="replace") as person:
            return person.readline().strip() or None
    except OSError:
        return None


def render_json(report: AgentReport) -> None:
    """Print the report for a program."""
    payload = report.model_dump(mode="json", by_alias=True)
    payload |= {"verdict": report.verdict, "exit_code": report.exit_code}
    sys.stdout.write(json_text(payload))


def render(report: AgentReport) -> None:
    """Print the report for a person: the code's verdict first."""
    console = Console()
    for line in _lines(report):
        console.print(line, soft_wrap=True, highlight=False)


def _lines(report: AgentReport) -> Iterator[Text]:
    code, conclusion = report.code, report.conclusion
    yield Text()
    if code and code.practice:
        yield Text(practice_line("an emulator or a sandbox answered"), style="reverse")
    yield Text.assemble(
        (f" {report.verdict} ", STYLE[report.verdict]),
        " by the code" + (f", score {code.score}/100" if code and code.score is not None else ""),
        f" · {code.taken_at:%Y-%m-%d %H:%M:%S} UTC" if code else f" · {_plain(report.unseen or 'no answer')}",
    )
    if code and (root := code.root):
        yield Text(f"  {root.severity} {root.rule} {_plain(root.subject)}: {_plain(root.summary)}")
        yield Text(f"  next: {_plain(root.next_step)}")
        yield from (
            Text(f"  {each.severity} {each.rule} {_plain(each.subject)}") for each in code.findings[1:_FINDINGS]
        )
    for gap in code.gaps if code else ():
        yield Text(f"  unknown {_plain(str(gap.get('source')))}: {_plain(str(gap.get('reason')))}", style="magenta")
    if code and report.unseen:
        yield Text(f"  unknown {_plain(report.unseen)}", style="magenta")
    yield Text()
    if report.ended is not Ended.CONCLUDED:
        yield Text(f"The model did not conclude: {report.ended}: {_plain(report.reason or '')}", style="bold magenta")
    if conclusion:
        yield from _words(conclusion)
    for each in report.disagreements:
        yield Text(
            f"DISAGREES  {each.about}: the model says {_plain(each.said)}; the code: {_plain(each.code)}",
            style="bold red",
        )
    yield Text()
    yield Text(_cost(report), style="dim")


def _words(conclusion: Conclusion) -> Iterator[Text]:
    yield Text(f"The model ({conclusion.verdict}): {_plain(conclusion.root_cause)}")
    for ground in conclusion.evidence:
        yield Text(f"  {_plain(ground.subject)}: {_plain(ground.says)} [{_plain(ground.tool)}]")
    for name, subjects in (
        ("affected", conclusion.affected),
        ("healthy", conclusion.healthy),
        ("not checked", conclusion.not_checked),
    ):
        yield Text(f"  {name}: {', '.join(map(_plain, subjects)) or 'none named'}")
    yield Text(f"  next: {_plain(conclusion.next_step)}")


def _cost(report: AgentReport) -> str:
    spent = report.spent
    cost = "price unknown" if spent.dollars is None else f"${spent.dollars:.4f}"
    failed = sum(each.error is not None for each in report.calls)
    turns, tokens = counted(spent.turns, "turn"), counted(spent.tokens, "token")
    return (
        f"{report.model}: {turns}, {tokens} ({spent.cache_read:,} from the cache), {cost}, "
        f"{spent.seconds:.1f} s; {counted(len(report.calls), 'call')}, {failed} failed"
    )


def _plain(text: str) -> str:
    """What the server has made safe already stays as it is; anything else is escaped."""
    return text if text.isprintable() else show(text)

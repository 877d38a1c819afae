"""``repair`` walked over a practice cloud, and what it did to each scenario: ``python -m support.repair_walks``."""

import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from checks.ask.snapshot import check
from checks.judge.report import Report
from checks.settings.file import Settings, parse_settings
from validate_daily.commands.shared.loop_walk import LoopResult, LoopRun, walk
from validate_daily.repairs.loop.remedies import command_for
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.plan import Plan
from validate_daily.sandbox import Sandbox, World, build, scenario_names
from validate_daily.sandbox.firestore import encode

from support.paths import EXAMPLE

_LATER = timedelta(hours=5)
_DID = re.compile(r"(?:(NOT DEPLOYED|DONE): )?(redeploy|jobs|cleanup) [0-9a-f]{16}(?: of ([^:]+))?:(?: (\S+ of \S+))?")


def agree(plan: Plan) -> Approval:
    """Unasked, as the settings permit."""
    return Approval.given(plan, "unattended", plan.principal)


@dataclass
class Walks:
    """One walk after another over the same practice cloud."""

    world: World
    how: LoopRun
    lines: list[str]

    async def walk(self, *, after: timedelta = timedelta()) -> LoopResult:
        """Let time pass, and walk once."""
        if after:
            self.world.advance(after)
        self.lines.clear()
        return await walk(self.how)

    async def check(self) -> Report:
        """The next check."""
        return await check(self.how.settings.pipeline, environment=self.how.environment)

    @property
    def held(self) -> list[str]:
        """The steps that hold, by their names."""
        return [line.partition(":")[0].removeprefix("holds").strip() for line in self.lines if line.startswith("holds")]

    def told(self, text: str) -> bool:
        """Whether a line holds a text."""
        return any(text in line for line in self.lines)

    async def malformed(self) -> int:
        """Documents under malformed ids, as the next check counts them."""
        census = (await self.check()).census
        return -1 if census is None else census.malformed

    def write(self, *ids: str, revision: str | None = None) -> None:
        """Let somebody write documents of runs now."""
        writer = {} if revision is None else {"revision": revision, "commit": "7a91c04d"}
        for each in ids:
            fields: dict[str, object] = {"last_heartbeat": self.world.clock.now(), **writer}
            self.world.heartbeats.put(each, self.world.database.commit_time(), encode.fields(fields))


@asynccontextmanager
async def walks(
    folder: Path, scenario: str, *, unattended: bool = True, probes: bool = True, seconds: float = 30
) -> AsyncGenerator[Walks]:
    """A scenario that can be repaired, and the way to walk the loop over it."""
    world, lines = build(scenario), list[str]()
    world.run.takes = timedelta(milliseconds=50)
    example = EXAMPLE.read_text() if probes else EXAMPLE.read_text().partition("# The fix of the incidents")[0]
    more = f"\n[writes]\nenabled = true\nunattended = true\n[audit]\npath = '{folder / 'audit.jsonl'}'\n"
    settings = Settings(parse_settings(example + more, origin="F"), folder / "F", named=True)

    async def wait(_seconds: float) -> None:
        world.advance(timedelta(minutes=10))

    async with Sandbox(world) as cloud:
        how = LoopRun(
            settings,
            agree if unattended else None,
            timedelta(minutes=40),
            timeout=seconds,
            environment={**cloud.environment(), "VALIDATE_DAILY_PLAN_KEY": "k" * 40},
            waiting=wait,
            tell=lines.append,
            show=lambda _: None,
        )
        yield Walks(world, how, lines)


@dataclass(frozen=True)
class Row:
    """What ``repair --unattended`` did to a scenario: walked once, and again when its processors have run."""

    scenario: str
    before: str
    changes: tuple[str, ...]
    after: str
    left: tuple[str, ...]
    exits: tuple[int, int]
    next_check: str

    def __str__(self) -> str:
        """A row of a table in Markdown."""
        exits = f"{self.exits[0]}, {self.exits[1]}"
        cells = (self.scenario, self.before, "; ".join(self.changes), self.after, "; ".join(self.left) or "-", exits)
        return f"| {' | '.join(cells)} |"


HEAD = """\
| scenario | before | changes | after | left, and its command | exit codes of both walks |
|---|---|---|---|---|---|"""


async def row_of(scenario: str, folder: Path) -> Row:
    """Walk twice over a scenario."""
    async with walks(folder, scenario, seconds=20) as own:
        first = await own.walk()
        changes = _changes(own.lines)
        second = await own.walk(after=_LATER)
        changes += _changes(own.lines)
        return Row(
            scenario,
            first.before.verdict,
            tuple(changes),
            second.report.verdict,
            tuple(_left(second.report, own)),
            (first.exit_code, second.exit_code),
            (await own.check()).verdict,
        )


def _changes(lines: Sequence[str]) -> list[str]:
    """What each repair changed, without the id of its plan."""
    firsts = [line.strip().splitlines()[0] for line in lines if line.startswith("    ")]
    found = (_DID.match(line) for line in firsts)
    return [" ".join(part for part in each.groups() if part) for each in found if each]


def _left(report: Report, own: Walks) -> list[str]:
    found = [each for each in report.findings if each.cause is None]
    commands = [command_for(each, report, own.how.settings.pipeline) for each in found]
    return [
        f"{each.severity} {each.rule} {each.subject}" + (f": `{command}`" if command else "")
        for each, command in zip(found, commands, strict=True)
    ]


async def _print(names: Sequence[str]) -> None:
    print(HEAD)
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            print(await row_of(name, Path(folder)), flush=True)


if __name__ == "__main__":
    asyncio.run(_print(sys.argv[1:] or scenario_names()))

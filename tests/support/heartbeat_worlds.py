"""Worlds told as ages: settings, heartbeat documents and log lines, built in the practice cloud and checked there.

``PYTHONPATH=tests python -m support.heartbeat_worlds`` prints what the check says of each of them.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from checks import Report, check
from checks.judge.finding import Finding
from checks.judge.rules import rules_of
from checks.settings.file import parse_settings
from validate_daily.sandbox import Sandbox, running
from validate_daily.sandbox.firestore import encode, stamps
from validate_daily.sandbox.logging.store import Severity

from support.falsifier import falsified, garbage, honest, renamed, twice
from support.paths import TESTS

WORLDS: Final = TESTS / "checks" / "worlds" / "heartbeats_and_logs.json"
DATABASE: Final = "projects/{project}/databases/(default)"
COLLECTION: Final = "processor_heartbeats"
REGION: Final = "us-west2"
_PIPELINE: Final = f'[pipeline]\nname = "demo"\nproject = "PROJECT"\ntimezone = "UTC"\nregion = "{REGION}"\n'
_SEVERITIES: Final[Mapping[int, Severity]] = {
    0: "DEFAULT", 100: "DEBUG", 200: "INFO", 300: "NOTICE", 400: "WARNING", 500: "ERROR", 600: "CRITICAL",
}  # fmt: skip
_JOB: Final = "job:"
_GARBAGE: Final = {"listing": "RunQuery", "count": "RunAggregationQuery"}

Ago = float
"""Minutes before the check; below zero for the future."""

Line = tuple[Ago, int, str, str, str | dict[str, Any]]
"""When, the number of its severity, the service or ``job:`` and a job, the revision or execution, text or payload."""


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Documents(_Told):
    """Documents that are alike.

    Attributes:
        ids: their ids.
        fields: their fields; ``<ID>`` is a document's own id, ``{"minutes_ago": 3.0}`` a moment.
        created, updated: how long ago Firestore created and updated them; just now unless told.
    """

    ids: tuple[str, ...]
    fields: dict[str, Any]
    created: Ago = 0.0
    updated: Ago = 0.0


class Repeated(_Told):
    """One line again and again: ``{minutes}`` is how long ago, ``{elapsed}`` how long after ``begun``."""

    every: int
    first: Annotated[Ago, Field(alias="from")]
    last: Annotated[Ago, Field(alias="to")]
    line: tuple[int, str, str, str]
    begun: Ago = 0.0

    def lines(self) -> Iterator[Line]:
        """All of them, oldest first."""
        severity, source, revision, text = self.line
        for minutes in range(int(self.first), int(self.last) - 1, -self.every):
            told = {"minutes": minutes, "elapsed": int(self.begun) - minutes}
            yield minutes, severity, source, revision.format_map(told), text.format_map(told)


class Falsehood(_Told):
    """What a Firestore says that was not asked."""

    project: str | None = None
    collection: str | None = None
    twice: bool = False
    shift_minutes: int = 0
    garbage: Literal["listing", "count"] | None = None


class Right(_Told):
    """What the check must say.

    Attributes:
        verdicts, exits: what the verdict and the exit code may be.
        names: what the open findings must name.
        says: of each of these lists, the open findings must say at least one.
        never_says: what no open finding may say, whatever the case.
        not_about: what no open finding may have as its subject.
        most_findings: how many open findings there may be.
        gap: whether there must be a gap, and a next step in each.
    """

    verdicts: tuple[str, ...]
    exits: tuple[int, ...]
    names: tuple[str, ...] = ()
    says: tuple[tuple[str, ...], ...] = ()
    never_says: tuple[str, ...] = ()
    not_about: tuple[str, ...] = ()
    most_findings: int | None = None
    gap: bool = False

    def faults(self, report: Report) -> list[str]:
        """In which way a report is not that."""
        said = [spoken(finding) for finding in report.findings]
        low = "\n".join(said).casefold()
        faults = [f"does not name {name}" for name in self.names if not any(name in each for each in said)]
        faults += [f"says none of {words}" for words in self.says if not any(word.casefold() in low for word in words)]
        faults += [f"says {word!r}" for word in self.never_says if word.casefold() in low]
        faults += [f"is about {each.subject}" for each in report.findings if each.subject in self.not_about]
        if report.verdict not in self.verdicts or report.exit_code not in self.exits:
            faults.append(f"says {report.verdict}, exit {report.exit_code:d}")
        if self.most_findings is not None and len(report.findings) > self.most_findings:
            faults.append(f"has {len(report.findings)} findings")
        if self.gap and not (report.gaps and all(gap.next_step for gap in report.gaps)):
            faults.append("has no gap with a next step")
        return faults


class Case(_Told):
    """One world and what the check must say of it. ``@name`` stands for what several of them share."""

    id: str
    kind: str
    settings: str
    documents: tuple[Documents, ...]
    lines: tuple[Line, ...] = ()
    repeated: Repeated | None = None
    lie: Falsehood | None = None
    phase: str | None = None
    right: Right


def spoken(finding: Finding) -> str:
    """All that a finding says: of what, on which evidence, and what to do."""
    facts = "; ".join(f"{fact.subject} {fact.detail}" for fact in finding.evidence)
    return f"{finding.rule}: {finding.subject}: {finding.summary}. {facts}. {finding.next_step}"


def cases() -> tuple[Case, ...]:
    """All worlds of the file."""
    body = TypeAdapter(dict[str, Any]).validate_json(WORLDS.read_bytes())

    def shared(case: dict[str, Any]) -> dict[str, Any]:
        lines = [
            line
            for told in case["lines"]
            for line in (body["lines"][told[1:]] if isinstance(told, str) else [told])
        ]  # fmt: skip
        told = {key: body[key][case[key][1:]] for key in ("settings", "documents") if str(case[key]).startswith("@")}
        return case | told | {"lines": lines}

    return tuple(Case.model_validate(shared(case)) for case in body["cases"])


async def report_on(cloud: Sandbox, case: Case) -> Report:
    """Build a world in a project of its own, and check it as the command does."""
    project = f"demo-{case.id}"
    pipeline = parse_settings(_settings(case, project), origin=case.id)
    build(cloud, case, project)
    async with _way(cloud, case, project) as environment:
        return await check(pipeline, rules=rules_of(case.phase), timeout=30.0, environment=environment)


def build(cloud: Sandbox, case: Case, project: str) -> None:
    """Put the documents and lines of a world into the practice cloud."""
    now = datetime.now(UTC)
    with cloud.world.firestore.lock:
        collection = cloud.world.firestore.database(DATABASE.format(project=project)).collection(COLLECTION)
        for alike in sorted(case.documents, key=lambda told: -told.updated):
            created, updated = (stamps.from_datetime(_ago(now, each)) for each in (alike.created, alike.updated))
            for document_id in alike.ids:
                fields = encode.fields(_values(alike.fields, document_id, now))
                collection.put(document_id, max(created, updated), fields, created=created)
    for line in (*case.lines, *(case.repeated.lines() if case.repeated else ())):
        _say(cloud, project, line, now)


def _settings(case: Case, project: str) -> str:
    text = case.settings if "[pipeline]" in case.settings else _PIPELINE + case.settings
    return text.replace("PROJECT", project)


@asynccontextmanager
async def _way(cloud: Sandbox, case: Case, project: str) -> AsyncGenerator[dict[str, str]]:
    """The environment that leads to a world; past the liar, where there is one."""
    if case.lie is None:
        yield cloud.environment()
        return
    lie, told = honest, case.lie
    if told.project:
        lie = renamed(f"projects/{project}/", f"projects/{told.project}/")
    elif told.collection:
        lie = renamed(f"/{COLLECTION}/", f"/{told.collection}/")
    elif told.twice:
        lie = twice
    elif told.garbage:
        lie = garbage(_GARBAGE[told.garbage])
    shift = timedelta(minutes=told.shift_minutes)
    async with falsified(cloud.firestore_address, lie, shift=shift) as address:
        yield cloud.environment() | {"FIRESTORE_EMULATOR_HOST": address}


def _values(value: Any, document_id: str, now: datetime) -> Any:
    if isinstance(value, dict):
        told = cast("dict[str, Any]", value)
        if told.keys() == {"minutes_ago"}:
            return _ago(now, told["minutes_ago"])
        return {key: _values(each, document_id, now) for key, each in told.items()}
    return value.replace("<ID>", document_id) if isinstance(value, str) else value


def _say(cloud: Sandbox, project: str, line: Line, now: datetime) -> None:
    ago, number, source, revision, said = line
    text, payload = (said, None) if isinstance(said, str) else (None, said)
    severity, at, logs = _SEVERITIES[number], _ago(now, ago), cloud.world.logs
    if source.startswith(_JOB):
        logs.job_line(
            project=project, location=REGION, job=source.removeprefix(_JOB), execution=revision,
            text=text, payload=payload, severity=severity, at=at,
        )  # fmt: skip
    else:
        logs.run_line(
            project=project, location=REGION, service=source, revision=revision,
            text=text, payload=payload, severity=severity, at=at,
        )  # fmt: skip


def _ago(now: datetime, minutes: Ago) -> datetime:
    return now - timedelta(minutes=minutes)


def row(case: Case, report: Report | Exception) -> str:
    """One line about a case: whether it is right, the verdict, the exit code, and what is open."""
    if isinstance(report, Exception):
        return f"WRONG {case.id:45} exit 70  {type(report).__name__}: {report}"
    faults = case.right.faults(report)
    named = "; ".join(f"{each.severity} {each.rule}: {each.subject}" for each in report.findings[:6])
    more = f" and {len(report.findings) - 6} more" if len(report.findings) > 6 else ""
    wrong = f"  <- {', '.join(faults)}" if faults else ""
    verdict = f"{report.verdict:8} exit {report.exit_code:d}"
    return f"{'WRONG' if faults else 'right'} {case.id:45} {verdict}  {named}{more}{wrong}"


async def _outcome(cloud: Sandbox, case: Case) -> Report | Exception:
    try:
        return await report_on(cloud, case)
    except Exception as error:  # noqa: BLE001 - told as exit 70, as the command does
        return error


def main() -> None:
    """Print what the check says of every world."""
    with running("healthy") as cloud:
        for case in cases():
            sys.stdout.write(row(case, asyncio.run(_outcome(cloud, case))) + "\n")


if __name__ == "__main__":
    main()

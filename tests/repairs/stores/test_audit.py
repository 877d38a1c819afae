import json
import multiprocessing
import os
import resource
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from validate_daily.repairs.documents.cleanup import apply_cleanup
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.audit_event import FIRST, AuditError, Event, new_event
from validate_daily.repairs.plans.errors import RepairError
from validate_daily.repairs.stores.audit import open_audit
from validate_daily.repairs.stores.audit_file import FileAudit, audit_path
from validate_daily.sandbox import Fault, Sandbox, World

from conftest import Serve
from support.plans import ANA
from support.repair_bench import Bench, agreed, run_ids, settings_for

PLAN = "0123456789abcdef"


def event(moment: Literal["before", "after", "interrupted"] = "before", plan: str = PLAN, reason: str = "r") -> Event:
    return new_event(
        moment,
        repair="cleanup",
        plan=plan,
        principal=ANA,
        identity=ANA.identity,
        approval=Approval(plan=plan, how="terminal", by=ANA, words="c 3", note="n"),
        evidence={"reason": reason},
    )


async def written(path: Path, count: int = 4) -> FileAudit:
    audit = FileAudit(path)
    for place in range(count):
        await audit.append(event(reason=str(place)))
    return audit


async def test_each_line_carries_the_hash_of_the_one_before_and_only_the_owner_may_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "audit.jsonl"
    audit = FileAudit(path)

    heads = [await audit.append(event(reason="\u202e\n\x1b[31mé"[place:])) for place in range(3)]

    raw = path.read_bytes()
    assert raw.isascii()
    assert b"\x1b" not in raw
    assert [json.loads(line)["previous"] for line in raw.splitlines()] == [FIRST, *heads[:-1]]
    assert [line.head for line in audit.lines()] == heads
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def _change(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[1].replace(b'"1"', b'"9"'), *lines[2:]]


def _remove(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], *lines[3:]]


def _swap(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[2], lines[1], lines[3]]


def _repeat(lines: list[bytes]) -> list[bytes]:
    return [*lines, lines[-1]]


def _cut(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], lines[3][:-1]]


def _junk(lines: list[bytes]) -> list[bytes]:
    return [lines[0], b"\xff\n", *lines[1:]]


@pytest.mark.parametrize(
    ("spoil", "line"),
    [(_change, 3), (_remove, 3), (_swap, 2), (_repeat, 5), (_cut, 4), (_junk, 2)],
    ids=["changed", "taken out", "swapped", "repeated", "cut off", "junk"],
)
async def test_the_first_line_that_is_wrong_is_named(
    tmp_path: Path, spoil: Callable[[list[bytes]], list[bytes]], line: int
) -> None:
    path = tmp_path / "audit.jsonl"
    audit = await written(path)
    path.write_bytes(b"".join(spoil(path.read_bytes().splitlines(keepends=True))))

    with pytest.raises(AuditError, match=f"broken at line {line}: "):
        list(audit.lines())


async def test_nothing_is_added_to_a_file_whose_last_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    audit = await written(path)
    cut = path.read_bytes()[:-5]
    path.write_bytes(cut)

    with pytest.raises(AuditError, match=r"last line .* is cut off; next: "):
        await audit.append(event())
    assert path.read_bytes() == cut


def _append(path: str, count: int) -> None:
    import asyncio  # noqa: PLC0415 - in a process of its own

    asyncio.run(written(Path(path), count))


async def test_several_processes_write_one_unbroken_chain(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_append, args=(str(path), 20)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [line.number for line in FileAudit(path).lines()] == list(range(1, 61))


def _shared(path: Path) -> None:
    path.touch()
    path.chmod(0o644)


def _link(path: Path) -> None:
    path.with_name("real").touch(0o600)
    path.symlink_to(path.with_name("real"))


@pytest.mark.parametrize(
    "spoil", [_shared, _link, os.mkdir, os.mkfifo], ids=["readable by others", "a link", "a folder", "a pipe"]
)
async def test_a_change_whose_line_cannot_be_written_does_not_happen(
    ours: Bench, spoil: Callable[[Path], None]
) -> None:
    await ours.put(run_ids(3))
    plan = await ours.plan()
    ours.audit.path.parent.mkdir()
    spoil(ours.audit.path)

    with pytest.raises(AuditError, match="audit"):
        await ours.apply(plan)
    assert len(await ours.documents()) == 3


async def test_a_full_disk_stops_the_change_and_leaves_the_chain_whole(ours: Bench) -> None:
    await ours.put(run_ids(3))
    await written(ours.audit.path, 2)
    plan = await ours.plan()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ours.audit.path.stat().st_size + 100, limits[1]))
    try:
        with pytest.raises(AuditError, match="cannot be written: File too large"):
            await ours.apply(plan)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert len(await ours.documents()) == 3
    assert len(list(ours.audit.lines())) == 2


async def test_a_cleanup_is_written_down_before_and_after(ours: Bench) -> None:
    await ours.put(run_ids(3))
    plan = await ours.plan()
    sealed = "vd1.sealed"
    async with ours.session(writing=True) as session:
        outcome = await apply_cleanup(session, plan, agreed(plan), ours.audit, token=sealed)

    before, after = (line.event for line in ours.audit.lines())
    assert (before.moment, before.plan, before.token, before.outcome) == ("before", plan.id, sealed, None)
    assert (before.principal, before.identity) == (ANA, "local user, unverified")
    assert before.approval is not None
    assert (before.approval.how, before.approval.words) == ("terminal", f"{plan.collection} 3")
    assert {"digest", "count", "read_time", "reason", "target", "trash"} <= before.evidence.keys()
    assert after.moment == "after"
    assert after.outcome is not None
    assert after.outcome["moved"] == 3
    assert outcome.audit == list(ours.audit.lines())[-1].head


async def test_a_line_after_the_change_that_cannot_be_written_makes_the_outcome_unknown(ours: Bench) -> None:
    await ours.put(run_ids(3))
    plan = await ours.plan()

    def spoil(what: str, done: int, total: int | None) -> None:
        if what == "moving documents":
            ours.audit.path.chmod(0o644)

    outcome = await ours.apply(plan, progress=spoil)

    assert (outcome.moved, outcome.audit, outcome.exit_code) == (3, None, 3)
    assert "the line after the change" in outcome.unseen[0]


def test_the_audit_is_a_file_of_the_users_unless_the_settings_say_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert audit_path(settings_for("p")) == tmp_path / "validate-daily" / "audit.jsonl"
    assert audit_path(settings_for("p", audit="path = '/a/b'")) == Path("/a/b")
    assert audit_path(settings_for("p", audit="path = '/a/b'", named=False)) == tmp_path / "validate-daily/audit.jsonl"


CLOUD = "cloud_logging = 'changes'"


def _environment(sandbox: Sandbox) -> dict[str, str]:
    return sandbox.environment()


async def test_cloud_logging_keeps_each_line_before_the_answer_and_finds_a_start_again(sandbox: Sandbox) -> None:
    settings = settings_for("demo-nba", audit=CLOUD)
    async with open_audit(settings, environment=_environment(sandbox)) as audit:
        assert await audit.started(PLAN) is None
        first = await audit.append(event())
        second = await audit.append(event("after"))
        started = await audit.started(PLAN)
    entries = [each for _, each in sandbox.world.logs.rows() if each.log_name == "projects/demo-nba/logs/changes"]
    lines = [json.loads(each.json_payload.fields["validate_daily_audit"].string_value) for each in entries]

    assert [line["previous"] for line in lines] == [FIRST, first]
    assert entries[1].json_payload.fields["head"].string_value == second
    assert started is not None
    assert started.approval is not None
    assert (started.plan, started.moment, started.approval.how) == (PLAN, "before", "terminal")


async def test_an_acknowledgement_of_cloud_logging_that_is_lost_writes_no_second_entry(serve: Serve) -> None:
    sandbox = await serve("healthy", Fault(method="WriteLogEntries", status="UNAVAILABLE", after=True, times=1))
    async with open_audit(settings_for("demo-nba", audit=CLOUD), environment=_environment(sandbox)) as audit:
        await audit.append(event())
    entries = [each for _, each in sandbox.world.logs.rows() if each.log_name == "projects/demo-nba/logs/changes"]
    assert len(entries) == 1


async def test_a_change_does_not_happen_while_cloud_logging_refuses(serve: Serve, world: World, ours: Bench) -> None:
    logs = await serve("healthy", Fault(method="WriteLogEntries", status="PERMISSION_DENIED"))
    await ours.put(run_ids(2))
    plan = await ours.plan()
    settings = settings_for(ours.project, audit=CLOUD)
    async with (
        ours.session(writing=True, settings=settings) as session,
        open_audit(settings, environment=_environment(logs)) as audit,
    ):
        with pytest.raises(RepairError, match=r"Cloud Logging cannot be written.*roles/logging.logWriter"):
            await apply_cleanup(session, plan, agreed(plan), audit)
    assert len(await ours.documents()) == 2
    assert not [call for call in world.calls if call.method == "Commit" and call.request != "2 writes"]

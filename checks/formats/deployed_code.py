"""What runs, for a program, and for a person: the verdict, every level of evidence below it, then each image."""

from collections.abc import Iterator, Mapping
from typing import Final

from rich.text import Text

from checks.formats.json import json_text
from checks.formats.practice import practice_of
from checks.formats.styled_text import styled
from checks.judge.deployed.code import ProbeReport, ShareProbed, SubjectProbed
from checks.judge.deployed.levels import Ladder
from checks.judge.deployed.proofs import Outcome
from checks.sources.git_history import Provenance
from checks.text.plural import counted, form
from checks.text.show import show

_STYLE: Final = {Outcome.MATCHED: "bold green", Outcome.CONTRADICTED: "bold red", Outcome.UNKNOWN: "bold magenta"}
_MARK: Final = {Outcome.MATCHED: "+", Outcome.CONTRADICTED: "-", Outcome.UNKNOWN: "?", None: " "}
_HEX: Final = 19


def render_probe(report: ProbeReport, histories: Mapping[str, Provenance]) -> str:
    """The report for a terminal.

    Args:
        report: what runs.
        histories: where the bytes of each file can come from, by its git blob.
    """
    return styled(_lines(report, histories))


def render_probe_json(report: ProbeReport, histories: Mapping[str, Provenance]) -> str:
    """The report as indented JSON, ended by a newline; the arguments are as above."""
    body = report.model_dump(mode="json", by_alias=True)
    if histories:
        body["provenance"] = {key: each.model_dump(mode="json") for key, each in histories.items()}
    return json_text(body)


def _lines(report: ProbeReport, histories: Mapping[str, Provenance]) -> Iterator[Text]:
    if report.practice:
        yield Text(practice_of(report.targets), style="reverse")
    measured = f"{report.measured_at:%Y-%m-%d %H:%M:%S} UTC"
    yield Text.assemble((f" {report.result} ", _STYLE[report.result]), f" {show(report.pipeline)} · {measured}")
    for each in report.subjects:
        yield Text()
        yield from _subject(each)
    for history in histories.values():
        yield from _history(history)
    if report.gaps:
        yield Text()
        yield Text("Not seen", style="bold")
        for gap in report.gaps:
            yield Text.assemble("    ", (gap.source, "cyan"), f": {gap.reason}")
            yield Text.assemble("    ", ("next: ", "bold"), gap.next_step)


def _subject(each: SubjectProbed) -> Iterator[Text]:
    rests = f" at the level of {each.level}" if each.level else ""
    yield Text.assemble(
        (each.result.value, _STYLE[each.result]), f"  {each.kind} ", (show(each.subject), "bold"), rests
    )
    if each.ladder:
        yield from _ladder(each.ladder)
    for share in each.shares:
        yield from _share(share)
    if each.next_step:
        yield Text.assemble("    ", ("next: ", "bold"), each.next_step)


def _ladder(ladder: Ladder) -> Iterator[Text]:
    for rung in ladder.rungs:
        style = _STYLE[rung.result] if rung.result else "dim"
        yield Text.assemble("    ", (f"{_MARK[rung.result]} {rung.level:<10}", style), show(rung.says))
    for contradiction in ladder.contradictions:
        yield Text.assemble("    ", ("contradiction: ", "bold yellow"), show(contradiction))


def _share(share: ShareProbed) -> Iterator[Text]:
    whose = f"{share.revision} ({share.percent} %)" if share.revision else show(share.image)
    digest = share.digest[:_HEX] if share.digest else "no digest is known"
    read = f"{counted(share.bytes_read, 'byte')}, {share.layers_read} of {counted(share.layers, 'layer')}"
    yield Text.assemble("    ", (whose, "cyan"), f": {digest}, {read}")
    for proof in share.proofs:
        made = f" [{show(proof.file.created_by)}]" if proof.file.created_by else ""
        yield Text.assemble(
            "      ", (proof.result.value, _STYLE[proof.result]), f" {proof.probe}: {show(proof.reason)}{made}"
        )
    if share.starting:
        for lack in share.starting.lacks:
            yield Text.assemble("      ", ("lacks ", "bold red"), f"{show(lack.what)}: {show(lack.why)}")
        if share.starting.note:
            yield Text(f"      {show(share.starting.note)}")
        elif not share.starting.lacks:
            yield Text("      every layer was read: its code can be imported, and what its command needs is there")


def _history(history: Provenance) -> Iterator[Text]:
    yield Text()
    yield Text.assemble(
        (f"history of {show(history.source)}", "bold"), f" with these bytes (git blob {history.blob[:12]})"
    )
    for commit in history.commits:
        yield Text(f"    {commit.sha[:8]} {commit.day} {show(commit.subject)}")
    if history.reason:
        yield Text.assemble("    ", ("unknown", _STYLE[Outcome.UNKNOWN]), f": {show(history.reason)}")
        yield Text.assemble("    ", ("next: ", "bold"), history.next_step or "")
    elif not history.commits:
        part = "" if history.complete else ", which is not the whole history"
        none = form(history.searched, "not", "none of")
        touched = counted(history.searched, "commit")
        yield Text(f"    {none} the {touched} that touched it{part}: built from something else")
    if history.fix:
        said = {True: "is an ancestor", False: "is NOT an ancestor", None: "cannot be told to be an ancestor"}
        yield Text(f"    the fix {history.fix} {said[history.contains_fix]} of where these bytes come from")

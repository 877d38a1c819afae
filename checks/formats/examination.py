"""What the doctor found, for a person: what is wrong is told with the command that mends it."""

from typing import Final

from rich.text import Text

from checks.evidence.permission_checks import Caller, PermissionCheck, PermissionResult
from checks.formats.practice import practice_line
from checks.formats.styled_text import styled
from checks.judge.examination import Examination
from checks.text.plural import counted
from checks.text.show import show

_STYLE: Final = {
    PermissionResult.OK: "green",
    PermissionResult.DENIED: "bold red",
    PermissionResult.DISABLED: "bold red",
    PermissionResult.FAILED: "bold red",
    PermissionResult.UNKNOWN: "bold magenta",
}
_COLUMN: Final = 10
_INDENT: Final = " " * _COLUMN


def render_examination(examination: Examination) -> str:
    """The report for a terminal."""
    return styled(_lines(examination))


def _lines(examination: Examination) -> list[Text]:
    """Everything in the order in which a person needs it: what is wrong is told with the command that mends it."""
    lines = [_row("settings", f"{show(examination.settings.path)} ({_how(named=examination.settings.named)})")]
    lines.append(_row("identity", _identity(examination.identity)))
    for target in examination.targets:
        where = f"{target.source} at {target.address}, {show(target.resource)}"
        lines.append(_row("asked", f"{where} ({'practice' if target.practice else 'real'})"))
    if examination.clock_skew_seconds is not None:
        lines.append(_row("clock", f"{abs(examination.clock_skew_seconds):,.1f} s from Firestore's"))
    lines.append(Text())
    lines += [line for check in examination.probes for line in _permission_check(check)]
    if examination.not_checked:
        lines += [Text(), *(_row("not tried", f"{each.what}: {each.reason}") for each in examination.not_checked)]
    return [_head(examination), *lines]


def _head(examination: Examination) -> Text:
    bad = [check for check in examination.probes if check.result is not PermissionResult.OK]
    worst = (
        PermissionResult.OK
        if not bad
        else next((each.result for each in bad if each.result is not PermissionResult.UNKNOWN), None)
    )
    total = len(examination.probes)
    counts = f"{total - len(bad)} of {counted(total, 'probe is', 'probes are')} ok"
    note = f" · {practice_line()}" if any(target.practice for target in examination.targets) else ""
    verdict = Text(
        f" {worst or PermissionResult.UNKNOWN} ", style=f"{_STYLE[worst or PermissionResult.UNKNOWN]} reverse"
    )
    return Text.assemble(verdict, f" {show(examination.pipeline)} · {counts}{note}")


def _permission_check(check: PermissionCheck) -> list[Text]:
    permission = f"  {check.permission}" if check.permission else ""
    lines = [
        Text.assemble(
            (f"{check.result:<{_COLUMN}}", _STYLE[check.result]),
            (check.source, "cyan"),
            f": {check.what}",
            (permission, "dim"),
        )
    ]
    if check.reason:
        lines.append(Text(_INDENT + check.reason))
    if check.mend:
        lines.append(Text.assemble(_INDENT, ("mend: ", "bold"), check.mend))
    return lines


def _row(name: str, text: str) -> Text:
    return Text.assemble((f"{name:<{_COLUMN}}", "dim"), text)


def _how(*, named: bool) -> str:
    return "named" if named else "found in the open directory: it grants reads, nothing more"


def _identity(caller: Caller) -> str:
    if caller.kind == "practice":
        return "no credentials needed: only practice addresses are asked"
    if caller.kind in {"none", "unknown"}:
        return caller.kind
    name = caller.name or "whose address the credentials do not tell"
    return f"{caller.kind.replace('-', ' ')} {name}"

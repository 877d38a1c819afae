"""``validate-daily audit``: show the local audit, and verify its chain."""

import argparse
import sys
from collections import deque
from pathlib import Path
from typing import Final

from checks.judge.verdict import ExitCode
from checks.settings.file import CONFIG_VARIABLE, load_settings
from checks.text.plural import counted
from checks.text.show import show
from validate_daily.repairs.plans.audit_event import AuditError
from validate_daily.repairs.stores.audit_file import AuditLine, FileAudit, audit_path
from validate_daily.repairs.words.audit import audit_line

SUMMARY: Final = "show what was changed, by whom, and verify that the audit is whole"
EPILOGUE: Final = """\
exit codes: 0 the chain is whole, 1 it is broken, 3 it is kept in Cloud Logging, 64 wrong usage or settings
"""
_LAST: Final = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``audit``."""
    parser.epilog = EPILOGUE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"the settings (else ${CONFIG_VARIABLE})")
    parser.add_argument("--last", type=int, default=_LAST, metavar="N", help=f"lines to show (default {_LAST})")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")


def run(arguments: argparse.Namespace) -> int:
    """Read all lines, show the last ones, and say whether the chain holds.

    Raises:
        UsageError: the settings cannot be used.
    """
    settings = load_settings(arguments.config)
    log = settings.audit.cloud_logging
    if log is not None:
        print(f"validate-daily: the audit is the log {log} of Cloud Logging: read it there", file=sys.stderr)
        return ExitCode.UNKNOWN
    path = audit_path(settings)
    lines: deque[AuditLine] = deque(maxlen=max(0, arguments.last))
    count, head = 0, ""
    try:
        for line in FileAudit(path).lines():
            lines.append(line)
            count, head = line.number, line.head
    except AuditError as error:
        print("\n".join(map(audit_line, lines)))
        print(f"validate-daily: {error}", file=sys.stderr)
        return 1
    if lines:
        print("\n".join(map(audit_line, lines)))
    whole = f"chain whole, head {head}" if count else "nothing was ever changed"
    print(f"{show(str(path))}: {counted(count, 'line')}, {whole}")
    return ExitCode.HEALTHY

"""``validate-daily verify-deploy SERVICE``: a gate after a deploy, for CI: exit 0 only if all traffic serves it."""

import argparse
import asyncio
import re
import sys
from pathlib import Path
from typing import Final

from checks.cli.console import add_format_argument, progress_on_terminal, seconds
from checks.formats import DEPLOY_GATE_FORMATS
from checks.formats.format import format_named
from checks.settings.file import CONFIG_VARIABLE, load_settings

SUMMARY: Final = "after a deploy: exit 0 only if every share of the traffic serves it"
EPILOGUE: Final = """\
Without --digest and --commit, what the service's tag points at must serve. Where code probes of the settings are about
the service, its files must hold them too. A commit is looked up as a tag of the repository; a label proves nothing.

exit codes: 0 deployed, 1 NOT DEPLOYED, 3 it could not be told, 64 wrong usage or settings, 70 internal error,
130 interrupted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``verify-deploy``."""
    parser.epilog = EPILOGUE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("service", type=_name, metavar="SERVICE", help="the Cloud Run service")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--digest", type=_digest, metavar="D", help="the image that must serve, sha256:...")
    which.add_argument("--commit", type=_commit, metavar="C", help="the commit whose image must serve")
    parser.add_argument("--wait", type=seconds, default=0.0, metavar="T", help="go on looking for so long, such as 10m")
    add_format_argument(parser, DEPLOY_GATE_FORMATS)
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"the settings (else ${CONFIG_VARIABLE})")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")


def run(arguments: argparse.Namespace) -> int:
    """Look until it serves or the time is up, and say which.

    Raises:
        UsageError: the settings cannot be used.
    """
    from checks.ask.verify_deploy import Asked, verify_deploy  # noqa: PLC0415 - loads only when used

    pipeline = load_settings(arguments.config).pipeline
    asked = Asked(arguments.service, arguments.digest, arguments.commit)
    with progress_on_terminal() as progress:
        gate = asyncio.run(verify_deploy(pipeline, asked, wait=arguments.wait, progress=progress))
    sys.stdout.write(format_named(arguments.format, DEPLOY_GATE_FORMATS).write(gate))
    return gate.exit_code


def _name(text: str) -> str:
    if re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a Cloud Run service")
    return text


def _digest(text: str) -> str:
    if re.fullmatch(r"sha256:[0-9a-f]{64}", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no digest: sha256: and 64 digits of base 16")
    return text


def _commit(text: str) -> str:
    if re.fullmatch(r"[0-9a-f]{7,40}", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no commit: 7 to 40 digits of base 16")
    return text

"""``validate-daily probe [SUBJECT]``: what really runs, from the label down to the bytes of the image that serves."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from checks.ask.snapshot import DEFAULT_TIMEOUT
from checks.cli.console import add_format_argument, add_time_arguments, progress_on_terminal
from checks.formats import DEPLOYED_CODE_FORMATS
from checks.formats.format import format_named
from checks.settings.code_probe import CodeProbe
from checks.settings.errors import UsageError
from checks.settings.file import CONFIG_VARIABLE, load_settings

if TYPE_CHECKING:
    from checks.judge.deployed.code import ProbeReport
    from checks.settings.pipeline import Pipeline
    from checks.sources.git_history import Provenance

SUMMARY: Final = "look into the images that serve: is the fix in the bytes, whatever labels say?"
EPILOGUE: Final = """\
SUBJECT is a service or a job, or an image (host/path/name:tag or ...@sha256:...); without one, all that the settings'
code probes are about. Nothing is changed, and no Docker is needed.

exit codes: 0 matched, 1 contradicted, 3 something could not be told, 64 wrong usage or settings,
70 internal error, 130 interrupted
"""
_ASKED: Final = "asked"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``probe``."""
    parser.epilog = EPILOGUE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("subject", nargs="?", metavar="SUBJECT", help="a service, a job, or an image")
    parser.add_argument("--path", metavar="P", help="look for this file instead of what the settings name")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--contains", metavar="TEXT", help="which must hold this text")
    what.add_argument("--matches", metavar="RE", help="of which a line must match this")
    what.add_argument("--blob", metavar="SHA", help="which git must call so")
    parser.add_argument("--whole", action="store_true", help="read every layer, and say what it lacks to start")
    parser.add_argument("--repository", type=Path, metavar="DIR", help="a checkout: which commits can the bytes be of?")
    add_format_argument(parser, DEPLOYED_CODE_FORMATS)
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"the settings (else ${CONFIG_VARIABLE})")
    add_time_arguments(parser, DEFAULT_TIMEOUT)


def run(arguments: argparse.Namespace) -> int:
    """Look, tell, and exit by the result.

    Raises:
        UsageError: the settings or an argument cannot be used, or there is no such service or job.
    """
    pipeline = load_settings(arguments.config).pipeline
    asked = _asked(arguments)
    report = _look(pipeline, arguments, asked)
    histories = _histories(pipeline, report, asked, arguments.repository) if arguments.repository else {}
    sys.stdout.write(format_named(arguments.format, DEPLOYED_CODE_FORMATS).write(report, histories))
    return report.exit_code


def _asked(arguments: argparse.Namespace) -> CodeProbe | None:
    what = {key: value for key in ("contains", "matches", "blob") if (value := getattr(arguments, key)) is not None}
    if arguments.path is None:
        if what:
            raise UsageError(f"--{next(iter(what))} needs --path: name the file")
        return None
    try:
        return CodeProbe.model_validate({"name": _ASKED, "path": arguments.path, **(what or {"exists": True})})
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        where = "".join(f"--{each} " for each in detail["loc"])
        raise UsageError(f"{where}cannot be: {detail['msg'].removeprefix('Value error, ')}") from None


def _look(pipeline: "Pipeline", arguments: argparse.Namespace, asked: CodeProbe | None) -> "ProbeReport":
    from checks.ask.deployed_code import probe, probe_image  # noqa: PLC0415 - loads only when used

    subject: str | None = arguments.subject
    with progress_on_terminal() as progress:
        if subject is not None and "/" in subject:
            report = probe_image(pipeline, subject, asked, whole=arguments.whole, timeout=arguments.timeout)
        else:
            report = probe(
                pipeline,
                subject=subject,
                asked=asked,
                whole=arguments.whole,
                timeout=arguments.timeout,
                progress=progress,
            )
        return asyncio.run(report)


def _histories(
    pipeline: "Pipeline", report: "ProbeReport", asked: CodeProbe | None, checkout: Path
) -> "dict[str, Provenance]":
    """Where the bytes of each file that was found can come from, by what git calls them."""
    from checks.sources.git_history import provenance  # noqa: PLC0415 - loads only when used

    probes = {each.name: each for each in ((asked,) if asked else pipeline.code_probes)}
    found: dict[str, Provenance] = {}
    for proof in (proof for each in report.subjects for share in each.shares for proof in share.proofs):
        probe, blob = probes[proof.probe], proof.file.git_blob
        if blob and blob not in found:
            source = probe.source or probe.path.removeprefix("/").removeprefix("app/")
            found[blob] = provenance(checkout, source, blob, probe.commit)
    return found

"""``validate-daily eval``: how well a model, or the rules alone, answer cases whose answer is known."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from checks.cli.console import progress_on_terminal
from checks.cli.new_file import refuse_existing, write_new
from checks.formats.json import json_text
from checks.judge.verdict import ExitCode
from checks.settings.file import CONFIG_VARIABLE, load_settings
from checks.settings.named_file_only import Agent
from checks.settings.template import settings_text
from skills.agent_limits import limits_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.sources.progress import Progress
    from validate_daily.evals.case import Case
    from validate_daily.evals.score import Score
    from validate_daily.evals.trial import TrialMeans

SUMMARY: Final = "score a model, or the rules alone, on cases of the practice cloud"
_EPILOGUE: Final = """\
The cases play on the practice cloud; nothing real is asked but the Messages API, with the key in ANTHROPIC_API_KEY.
Without a key nothing is scored, and no table is written; --baseline needs none.

exit codes: 0 every case is right (of the baseline: cause and severity), 1 not, 64 wrong usage, settings or key,
70 internal error, 130 interrupted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOGUE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--baseline", action="store_true", help="the rules alone, without a model")
    parser.add_argument("--case", action="append", default=[], metavar="NAME", help="only this case; may be repeated")
    parser.add_argument("--list", action="store_true", help="name the cases, and stop")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=f"settings whose [agent] counts (else ${CONFIG_VARIABLE}, else none)",
    )
    parser.add_argument("--model", metavar="NAME", help="instead of [agent] model")
    parser.add_argument(
        "--dollars", type=float, metavar="D", help="of one case, instead of [agent] dollars; 0: no limit"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="a new file for a table to compare runs by (Markdown)"
    )
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal", help="for people or programs")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an internal error")


def run(arguments: argparse.Namespace) -> int:
    """Play the cases and score them.

    Raises:
        UsageError: an argument, the settings or the key cannot be used.
    """
    from validate_daily.evals.case import load_cases  # noqa: PLC0415 - loads only when used

    cases = load_cases(arguments.case)
    if arguments.list:
        print("\n".join(f"{each.name:24} {each.severity.value:8} {each.about}".rstrip() for each in cases))
        return ExitCode.HEALTHY
    if arguments.output:
        refuse_existing(arguments.output)
    settings = load_settings(arguments.config).agent if arguments.config else Agent()
    limits = limits_of(settings, {"model": arguments.model, "dollars": arguments.dollars})
    from skills.agent import SilentListener  # noqa: PLC0415 - the same
    from validate_daily.evals.trial import TrialMeans  # noqa: PLC0415 - the same

    stage = TrialMeans(settings_text("example"), limits, SilentListener())
    with progress_on_terminal() as progress:
        scores = asyncio.run(_played(cases, stage, progress, baseline=arguments.baseline))
    who = "the rules alone" if arguments.baseline else limits.model
    _tell(scores, who, arguments)
    return ExitCode.HEALTHY if _right(scores, baseline=arguments.baseline) else ExitCode.P0_OR_P1


async def _played(
    cases: "Sequence[Case]", stage: "TrialMeans", progress: "Progress", *, baseline: bool
) -> "list[Score]":
    """One case after another: each has a world of its own."""
    from validate_daily.evals.score import score  # noqa: PLC0415 - the same
    from validate_daily.evals.trial import play, play_rules  # noqa: PLC0415 - loads only when used

    scores: list[Score] = []
    for done, case in enumerate(cases):
        progress(f"case {case.name}", done, len(cases))
        scores.append(score(await (play_rules if baseline else play)(case, stage)))
    return scores


def _right(scores: "Sequence[Score]", *, baseline: bool) -> bool:
    from validate_daily.evals.score import Dimension  # noqa: PLC0415 - loads only when used

    wanted = {Dimension.CAUSE, Dimension.SEVERITY} if baseline else set(Dimension)
    return not any(wanted & set(each.failed) for each in scores)


def _tell(scores: "Sequence[Score]", who: str, arguments: argparse.Namespace) -> None:
    from validate_daily.evals.score_table import markdown, render  # noqa: PLC0415 - loads only when used

    if arguments.format == "json":
        payload = {"answered_by": who, "scores": [each.model_dump(mode="json") for each in scores]}
        sys.stdout.write(json_text(payload))
    else:
        render(scores, who)
    if arguments.output:
        write_new(arguments.output, markdown([(who, scores)]))

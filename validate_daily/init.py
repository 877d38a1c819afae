"""``validate-daily init``: write a commented settings file, and never over one that is there."""

import argparse
from importlib import resources
from pathlib import Path
from typing import Final

from checks.errors import UsageError
from checks.pipeline import CONFIG_NAME

SUMMARY: Final = "write a commented settings file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``init``."""
    parser.add_argument(
        "--output", type=Path, default=Path(CONFIG_NAME), metavar="FILE", help=f"where (default {CONFIG_NAME})"
    )
    parser.add_argument("--example", action="store_true", help="the worked example: a pipeline of 30 processors")


def run(arguments: argparse.Namespace) -> int:
    """Write the file.

    Raises:
        UsageError: it is there already, or cannot be written.
    """
    text = settings_text("example" if arguments.example else "template")
    path: Path = arguments.output
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already and stays as it is: name another with --output") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
    print(f"wrote {path}: fill in the project and the processors, then run validate-daily check --config {path}")
    return 0


def settings_text(name: str) -> str:
    """One of the shipped settings files: ``template`` or ``example``."""
    return resources.files("validate_daily").joinpath("settings", f"{name}.toml").read_text("utf-8")

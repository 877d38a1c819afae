"""Writes a new file, never over another."""

from pathlib import Path

from checks.settings.errors import UsageError


def refuse_existing(path: Path) -> None:
    """Say so before anything is asked, rather than after it.

    Raises:
        UsageError: there is something at the path.
    """
    if path.exists():
        raise _there(path)


def write_new(path: Path, text: str) -> None:
    """Write a text into a file that is not there yet.

    Raises:
        UsageError: it is there by now, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise _there(path) from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def _there(path: Path) -> UsageError:
    return UsageError(f"{path} is there already and stays as it is: name another with --output")

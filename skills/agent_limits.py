"""The limits of a run of the agent: those of the settings, and what a command line says instead."""

from collections.abc import Mapping

from pydantic import ValidationError

from checks.settings.errors import UsageError
from checks.settings.named_file_only import Agent
from checks.text.show import show


def limits_of(settings: Agent, named: Mapping[str, object]) -> Agent:
    """The settings, with what a command line names instead; None names nothing.

    Raises:
        UsageError: an argument is out of bounds.
    """
    given = {name: value for name, value in named.items() if value is not None}
    try:
        return Agent.model_validate(settings.model_dump() | given)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"--{first['loc'][0]}: {first['msg']}, got {show(str(first['input']))}") from None

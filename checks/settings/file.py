"""Finds and reads the settings file, and turns what is wrong with it into sentences."""

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from platformdirs import user_config_path
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from checks.settings.errors import SettingsError
from checks.settings.named_file_only import Agent, AuditLog, Writes
from checks.settings.pipeline import Pipeline
from checks.settings.section import Section
from checks.text.show import show

CONFIG_NAME: Final = "validate-daily.toml"
CONFIG_VARIABLE: Final = "VALIDATE_DAILY_CONFIG"
MAX_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """A pipeline and the file that described it.

    Attributes:
        pipeline: the validated contents.
        path: the file.
        named: the user named the file or keeps it in their own configuration folder. A file that merely lay in the
            open directory grants reads, nothing more.
    """

    pipeline: Pipeline
    path: Path
    named: bool

    @property
    def writes(self) -> Writes:
        """What may be changed: nothing, where the file was merely found."""
        return self.pipeline.writes if self.named else Writes()

    @property
    def audit(self) -> AuditLog:
        """Where changes are written down: the default, where the file was merely found."""
        return self.pipeline.audit if self.named else AuditLog()

    @property
    def agent(self) -> Agent:
        """What drives the agent, and what it may spend: the default, where the file was merely found."""
        return self.pipeline.agent if self.named else Agent()

    @property
    def no_writes(self) -> str | None:
        """Why nothing may be changed, with the next step; None where it may."""
        if self.writes.enabled:
            return None
        if self.pipeline.writes.enabled:
            return (
                f"{self.path} was merely found in the open directory, so its [writes] does not count: "
                f"pass --config {self.path} if you trust it"
            )
        return f"{self.path} does not switch writes on: set enabled = true under [writes]"


def load_settings(config: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings: ``--config``, else the variable, else the user's own folder, else the open directory.

    Raises:
        SettingsError: no file, an unreadable one, or one with a wrong key or value.
    """
    path, named = _find(config, environment)
    pipeline = parse_settings(_read(path), origin=path)
    beyond = [key for key, value in pipeline.endpoints if isinstance(value, str) and "://" in value]
    if beyond and not named:
        raise SettingsError(
            f"{path}: endpoints.{beyond[0]} leads beyond this machine, which only a file that you name may do: "
            f"pass --config {path} if you trust it"
        )
    return Settings(pipeline, path, named)


@lru_cache(maxsize=4)
def parse_settings(text: str, *, origin: Path | str) -> Pipeline:
    """Validate the text of a settings file; the same text is read once, for whoever asks at every call.

    Raises:
        SettingsError: with one line for each thing that is wrong.
    """
    try:
        return Pipeline.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{origin}: not valid TOML: {error}") from error
    except ValidationError as error:
        lines = [f"{origin}: {_sentence(detail)}" for detail in error.errors(include_url=False)]
        raise SettingsError("\n".join(lines)) from error


def _find(config: Path | None, environment: Mapping[str, str]) -> tuple[Path, bool]:
    if config is not None:
        return config, True
    if value := environment.get(CONFIG_VARIABLE):
        return Path(value), True
    own, found = user_config_path("validate-daily") / CONFIG_NAME, Path(CONFIG_NAME)
    if own.is_file():
        return own, True
    if found.is_file():
        return found.absolute(), False
    raise SettingsError(
        f"no settings: looked for --config, ${CONFIG_VARIABLE}, {own} and {found.absolute()}. "
        "Write one with `validate-daily init`, or see everything at work without a cloud with `validate-daily demo`"
    )


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}; name a settings file with --config") from error
    if len(raw) > MAX_BYTES:
        raise SettingsError(f"{path}: larger than {MAX_BYTES:,} bytes, so hardly a settings file")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 text at byte {error.start}; save it as UTF-8") from error


def _sentence(detail: ErrorDetails) -> str:
    where = _key(detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"{where}: unknown key{_guess(detail['loc'])}; `validate-daily init` writes a file with every key"
    message = detail["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if detail["type"] == "missing" or isinstance(detail["input"], dict | BaseModel):
        return f"{where}: {message}" if where else message
    return f"{where}: {message}, got {show(repr(detail['input']), limit=80)}"


def _key(location: Sequence[int | str]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{show(part, limit=80)}"
    return text.removeprefix(".")


def _guess(location: Sequence[int | str]) -> str:
    known = {name for section in Section.__subclasses__() for name in section.model_fields}
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""

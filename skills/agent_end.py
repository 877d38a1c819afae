"""How the model's part of a run ends, and what each failure of the Messages API means for it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import anthropic
from anthropic.types.beta import BetaMessage

from checks.evidence.base import inert
from checks.settings.errors import UsageError
from checks.settings.named_file_only import Agent
from checks.text.plural import counted

_SAID: Final = 500


class Ended(StrEnum):
    """How the model's part ended. Only ``concluded`` is a success."""

    CONCLUDED = "concluded"
    NO_REPORT = "no-report"
    """It stopped, also when asked, without a valid report."""
    TURNS = "turn-limit"
    TOKENS = "token-limit"
    TIME = "time-limit"
    DOLLARS = "money-limit"
    CUT_OFF = "cut-off"
    """A reply was longer than ``reply_tokens``."""
    REFUSED = "refused"
    """The model would not answer."""
    CONTEXT = "context-too-long"
    OVERLOADED = "overloaded"
    """The API could not take a call, each time that it was tried."""
    UNREACHABLE = "unreachable"
    API_ERROR = "api-error"


_LIMITS: Final = {
    Ended.TURNS: "turns",
    Ended.TOKENS: "tokens",
    Ended.TIME: "time",
    Ended.DOLLARS: "dollars",
    Ended.CUT_OFF: "reply_tokens",
}
"""The settings under ``[agent]`` that end a run."""

_MISTAKES: Final = (anthropic.AuthenticationError, anthropic.PermissionDeniedError, anthropic.NotFoundError)


@dataclass(frozen=True, slots=True)
class End:
    """How the model's part ended, and why."""

    ended: Ended
    reason: str | None = None


class UnreadError(Exception):
    """A reply that did not come whole, or is none."""

    def __init__(self, ended: Ended, reason: str) -> None:
        super().__init__(reason)
        self.ended = ended


FAILURES: Final = (TimeoutError, UnreadError, anthropic.APIError, anthropic.CredentialsError)
"""What may end a run."""


def stopped(message: BetaMessage, limits: Agent) -> End | None:
    """Why a reply that calls nothing ends the run; None where the model merely stopped."""
    if message.stop_reason == "max_tokens":
        return reached(Ended.CUT_OFF, limits)
    if message.stop_reason == "model_context_window_exceeded":
        return End(Ended.CONTEXT, "the talk is longer than the model can read: ask about less")
    if message.stop_reason == "refusal":
        return End(Ended.REFUSED, "the model would not answer: look yourself, with validate-daily check")
    return None


def reached(ended: Ended, limits: Agent) -> End:
    """A limit of the settings ended it."""
    name = _LIMITS[ended]
    limit = f"[agent] {name} = {getattr(limits, name)}"
    return End(ended, f"{limit} is reached before a report: raise it, or ask about less")


def failed(error: Exception, limits: Agent, *, begun: bool) -> End | UsageError:
    """What an error of the Messages API, or a reply that is none, means for a run.

    Args:
        error: one of ``FAILURES``.
        limits: what may be spent.
        begun: a reply has come: what was done must be told, whatever is wrong now.
    """
    match error:
        case TimeoutError():
            return reached(Ended.TIME, limits)
        case UnreadError():
            return End(error.ended, str(error))
        case anthropic.APIError():
            if isinstance(error, _MISTAKES) and not begun:
                return UsageError(_mistake(error, limits))
            return _refused(error, limits)
        case _:
            return End(Ended.API_ERROR, unusable(error)) if begun else UsageError(unusable(error))


def unusable(error: Exception) -> str:
    """What is wrong with credentials that cannot be used."""
    return f"the credentials for the Messages API cannot be used: {inert(str(error), _SAID)}"


def _mistake(error: anthropic.APIError, limits: Agent) -> str:
    """What somebody has to mend before anything works: the key, or the model's name."""
    message = inert(error.message, _SAID)
    if isinstance(error, anthropic.NotFoundError):
        return f"{limits.model}: the Messages API does not have it: {message}: set [agent] model"
    return f"the key for the Messages API is refused: {message}: check ANTHROPIC_API_KEY"


def _refused(error: anthropic.APIError, limits: Agent) -> End:
    """What the API's error means for a run."""
    message = inert(error.message, _SAID)
    if isinstance(error, anthropic.APIConnectionError):
        return End(Ended.UNREACHABLE, f"the Messages API could not be reached: {message}")
    status = error.status_code if isinstance(error, anthropic.APIStatusError) else 0
    if status in {408, 409, 429} or status >= 500:  # noqa: PLR2004 - what the package tries again
        tries = counted(limits.retries + 1, "try", "tries")
        return End(Ended.OVERLOADED, f"the Messages API took none of {tries} ({status}): {message}: try again later")
    if isinstance(error, anthropic.RequestTooLargeError) or "too long" in error.message:
        return End(Ended.CONTEXT, f"the talk is longer than the model can read: {message}: ask about less")
    return End(Ended.API_ERROR, f"the Messages API answered {status or 'with an error'}: {message}")

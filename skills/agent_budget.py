"""What a run of the agent has spent, and whether it may spend more."""

from dataclasses import dataclass
from typing import Final, Protocol

from checks.evidence.base import Count, Evidence
from checks.settings.errors import UsageError
from checks.settings.named_file_only import Agent, Price
from skills.agent_end import Ended

_MILLION: Final = 1_000_000


class Spent(Evidence):
    """What a run has spent.

    Attributes:
        turns: replies of the model.
        input, output, cache_write, cache_read: tokens, as the API counts them: ``input`` is neither of the cache's.
        dollars: what they cost; None where no price is known.
        seconds: from the first call to the end.
    """

    turns: Count = 0
    input: Count = 0
    output: Count = 0
    cache_write: Count = 0
    cache_read: Count = 0
    dollars: float | None = None
    seconds: float = 0.0

    @property
    def tokens(self) -> int:
        """All of them."""
        return self.input + self.output + self.cache_write + self.cache_read


class Usage(Protocol):
    """What the API tells of one reply."""

    input_tokens: int
    output_tokens: int
    cache_creation_input_tokens: int | None
    cache_read_input_tokens: int | None


@dataclass(slots=True)
class Spending:
    """Counts what is spent against what may be."""

    limits: Agent
    price: Price | None
    spent: Spent

    @classmethod
    def of(cls, limits: Agent) -> "Spending":
        """An untouched one.

        Raises:
            UsageError: dollars are limited, and no price is known.
        """
        price = limits.prices
        if limits.dollars and price is None:
            raise UsageError(
                f"[agent] dollars: no price of {limits.model} is known: give [agent] price, or set dollars = 0 to run "
                "without a limit of money"
            )
        return cls(limits, price, Spent(dollars=0.0 if price else None))

    def pay(self, usage: Usage) -> None:
        """Count one reply."""
        was = self.spent
        self.spent = was.model_copy(
            update={
                "turns": was.turns + 1,
                "input": was.input + usage.input_tokens,
                "output": was.output + usage.output_tokens,
                "cache_write": was.cache_write + (usage.cache_creation_input_tokens or 0),
                "cache_read": was.cache_read + (usage.cache_read_input_tokens or 0),
            }
        )
        if self.price:
            cost = sum(getattr(self.spent, kind) * getattr(self.price, kind) for kind in Price.model_fields)
            self.spent = self.spent.model_copy(update={"dollars": round(cost / _MILLION, 6)})

    @property
    def empty(self) -> Ended | None:
        """The limit that is reached; None while there is more."""
        if self.spent.tokens >= self.limits.tokens:
            return Ended.TOKENS
        if self.limits.dollars and (self.spent.dollars or 0.0) >= self.limits.dollars:
            return Ended.DOLLARS
        return None

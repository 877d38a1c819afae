"""Who may ask, and what may be changed: the sections that count only in a file that the user named."""

from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from checks.settings.section import Section
from checks.text.duration import Duration

Audience = Annotated[
    str,
    StringConstraints(max_length=500, pattern=r"^(https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?|[A-Za-z0-9._-]+)$"),
]
Email = Annotated[str, StringConstraints(max_length=254, to_lower=True, pattern=r"^[!-)+-?A-~]+@[A-Za-z0-9.-]+$")]


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Http(Section):
    """``[http]``: who may call the server over HTTP.

    It counts only in a file that the user named or keeps in their own configuration folder. People and service
    accounts are named one by one: a domain is not accepted, because an address that merely ends in it proves less.

    Attributes:
        audience: for whom Google must have issued a token: the server's own https:// addresses, and client ids.
        readers: the verified emails that may look.
        writers: those that may also ask for changes.
    """

    audience: Annotated[tuple[Audience, ...], BeforeValidator(_one_or_more)] = ()
    readers: tuple[Email, ...] = ()
    writers: tuple[Email, ...] = ()


ServiceAccount = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9.-]{1,100}@[a-z0-9.-]{1,200}\.gserviceaccount\.com$")
]
LogName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$")]


class Writes(Section):
    """``[writes]``: whether anything may be changed, and who agrees to it. Counts only in a file that the user named.

    Attributes:
        enabled: repairs can be planned and applied.
        approval: where a person agrees: in a terminal only, or also through the client of an assistant.
        unattended: a plan may be applied that nobody was asked about, from a script of the user's own.
        max_documents: how many documents one plan may touch; more only in a terminal.
        impersonate: the service account that changes things; None takes the identity that reads.
    """

    enabled: bool = False
    approval: Literal["terminal", "client"] = "terminal"
    unattended: bool = False
    max_documents: Annotated[int, Field(ge=1, le=1_000_000)] = 2_000
    impersonate: ServiceAccount | None = None


class AuditLog(Section):
    """``[audit]``: where changes are written down. Counts only in a file that the user named.

    Attributes:
        path: a file of one's own instead of the one in the user's state folder.
        cloud_logging: the log of Cloud Logging that takes the place of a file.
    """

    path: Annotated[str, StringConstraints(min_length=1)] | None = None
    cloud_logging: LogName | None = None


MODEL: Final = "claude-sonnet-5-5"
"""The model that drives the agent where the settings name none."""

Dollars = Annotated[float, Field(ge=0, le=10_000)]
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,199}$")]


class Price(Section):
    """``[agent.price]``: what a million tokens of the model cost, in dollars.

    Attributes:
        input, output: tokens that are sent, and that it writes.
        cache_write, cache_read: sent tokens that are put into its cache, and that come out of it.
    """

    input: Dollars
    output: Dollars
    cache_write: Dollars
    cache_read: Dollars


_LISTED: Final = {MODEL: Price(input=2, output=10, cache_write=2.5, cache_read=0.2)}
"""Published list prices of November 2026."""


class Agent(Section):
    """``[agent]``: the model that drives the agent, and what one run may spend. Counts only in a named file.

    Attributes:
        model: by its name in the Messages API.
        turns: replies of the model.
        tokens: all that is sent, cached and written, together.
        time: until its last reply.
        dollars: what its tokens may cost; 0 sets no limit.
        reply_tokens: of one reply.
        retries: how often a call is tried again that the API could not take.
        price: of the model; None takes the list price, where one is known.
    """

    model: ModelName = MODEL
    turns: Annotated[int, Field(ge=1, le=200)] = 30
    tokens: Annotated[int, Field(ge=1_000, le=100_000_000)] = 1_000_000
    time: Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(hours=6))] = timedelta(minutes=10)
    dollars: Dollars = 2.0
    reply_tokens: Annotated[int, Field(ge=256, le=64_000)] = 8_000
    retries: Annotated[int, Field(ge=0, le=20)] = 4
    price: Price | None = None

    @property
    def prices(self) -> Price | None:
        """The price of the model, if it is known."""
        return self.price or _LISTED.get(self.model)

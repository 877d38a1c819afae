"""Page tokens of a list of log entries: where the last page ended, and what was asked. Good for a day."""

import base64
import hashlib
import json
from datetime import datetime, timedelta
from typing import Final

from pydantic import AwareDatetime, ConfigDict
from pydantic.dataclasses import dataclass
from pydantic.type_adapter import TypeAdapter

from validate_daily.sandbox.errors import invalid
from validate_daily.sandbox.logging.messages import ListLogEntriesRequest
from validate_daily.sandbox.logging.store import Key

_LIFETIME: Final = timedelta(days=1)


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Place:
    """Where a list goes on.

    Attributes:
        asked: a digest of what is asked for, which a token must not be used without.
        until: when the token of this place ends.
        after: the entry behind which it goes on; None at the beginning.
        empty: how many empty pages there have been.
    """

    asked: str
    until: AwareDatetime
    after: Key | None = None
    empty: int = 0

    @property
    def token(self) -> str:
        """This place as a page token."""
        return base64.urlsafe_b64encode(_PLACE.dump_json(self)).decode()


_PLACE: Final = TypeAdapter(Place)


def find(request: ListLogEntriesRequest, now: datetime) -> Place:
    """The place that a request is about: the beginning, or where its token says.

    Raises:
        RefusedError: the token is none, too old, or from another request.
    """
    parameters = [list(request.resource_names), request.filter, request.order_by, request.page_size]
    asked = hashlib.sha256(json.dumps(parameters).encode()).hexdigest()
    if not request.page_token:
        return Place(asked, now + _LIFETIME)
    try:
        place = _PLACE.validate_json(base64.b64decode(request.page_token, altchars=b"-_", validate=True))
    except ValueError:
        invalid("page_token is invalid")
    if place.asked != asked:
        invalid("page_token doesn't match arguments from the request")
    if place.until <= now:
        invalid("page_token has expired")
    return Place(asked, now + _LIFETIME, place.after, place.empty)

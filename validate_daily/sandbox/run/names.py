"""Resource names of Cloud Run: what is asked for, and the words for what is not there."""

import re
from typing import Final, NoReturn

from validate_daily.sandbox.errors import RefusedError, invalid

_PLACE: Final = re.compile(r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)")


def location(parent: str) -> str:
    """A parent that is a location; all locations at once cannot be asked for."""
    match = _PLACE.fullmatch(parent)
    if match is None:
        invalid(f"parent {parent!r} is not projects/<project>/locations/<location>")
    if match["location"] == "-":
        invalid("Location must be a valid Google Cloud region, and cannot be the '-' wildcard.")
    return parent


def child(parent: str, collection: str) -> tuple[str, str]:
    """The place and the short name in ``{place}/{collection}/{short}``; the short name may be ``-`` for all."""
    place, slash, short = parent.rpartition(f"/{collection}/")
    if not slash or not short or "/" in short:
        invalid(f"{parent!r} is not projects/<project>/locations/<location>/{collection}/<name>")
    return location(place), short


def missing(name: str, kind: str) -> NoReturn:
    """There is no such resource."""
    match = _PLACE.match(name)
    where = f" in region '{match['location']}' in project '{match['project']}'" if match else ""
    raise RefusedError("NOT_FOUND", f"Resource '{name.rpartition('/')[2]}' of kind '{kind}'{where} does not exist.")

"""Lists, page by page."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from validate_daily.sandbox.errors import invalid

_MOST: Final = 100
_Item = TypeVar("_Item")


def page(
    request: dict[str, Any], items: Sequence[_Item], name: Callable[[_Item], str]
) -> tuple[Sequence[_Item], dict[str, object]]:
    """The items of one page, and the token of the next, where there is more."""
    size = int(request.get("page_size", 0))
    if size < 0:
        invalid(f"page_size cannot be {size}")
    first = _after(str(request.get("page_token", "")), [name(item) for item in items])
    last = first + min(size or _MOST, _MOST)
    token = {"next_page_token": _token(name(items[last - 1]))} if last < len(items) else {}
    return items[first:last], {**token}


def _token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _after(token: str, names: list[str]) -> int:
    if not token:
        return 0
    try:
        name = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeDecodeError, UnicodeEncodeError):
        invalid(f"page_token {token!r} is none that was given out")
    if name not in names:
        invalid("page_token is of another list, or of one that changed")
    return names.index(name) + 1

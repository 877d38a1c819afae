"""How a practice service says no: a gRPC status by name and a message, raised where it is known."""

from typing import NoReturn


class RefusedError(Exception):
    """A call that ends with this status.

    Attributes:
        status: the name of a ``grpc.StatusCode``.
        message: what the client is told.
    """

    def __init__(self, status: str, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


def invalid(message: str) -> NoReturn:
    """Refuse a request that makes no sense."""
    raise RefusedError("INVALID_ARGUMENT", message)


def unimplemented(what: str) -> NoReturn:
    """Refuse what Google's service can do and the practice cloud cannot."""
    raise RefusedError("UNIMPLEMENTED", f"the practice cloud does not implement {what}")

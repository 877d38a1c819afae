"""Runs work in a daemon thread: neither the caller's deadline nor the end of the interpreter waits for it."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_Result = TypeVar("_Result")


def in_background(work: Callable[[], _Result], name: str) -> Future[_Result]:
    """Start the work in a thread of its own. The future gets its result, or whatever it raised.

    Where no thread can start, as while the interpreter exits, the work is done at once, in this one.
    """
    future: Future[_Result] = Future()
    future.set_running_or_notify_cancel()  # from here on nobody can cancel it

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - whoever waits for the future decides what to do about it
            future.set_exception(error)
        else:
            future.set_result(result)

    try:
        threading.Thread(target=run, name=name, daemon=True).start()
    except RuntimeError:
        run()
    return future

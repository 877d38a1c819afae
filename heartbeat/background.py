"""Work that cannot hold anybody up: in a daemon thread, which the interpreter's end does not wait for, or in time."""

import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar

_Result = TypeVar("_Result")


class Promise(Generic[_Result]):
    """An answer that another thread will give.

    Unlike a ``concurrent.futures.Future``, waiting for it never holds a lock that answering needs. So a signal handler
    may wait for the same thread whose answer the interrupted code was just waiting for.
    """

    def __init__(self) -> None:
        self._given = False
        self._result: _Result | None = None
        self._error: BaseException | None = None
        self._pending = threading.Lock()
        self._pending.acquire()
        self._wake: list[Callable[[], object]] = []

    @property
    def is_given(self) -> bool:
        """Whether there is a result or an error."""
        return self._given

    @property
    def has_failed(self) -> bool:
        """Whether there is an error."""
        return self._error is not None

    def give(self, result: _Result) -> None:
        """Answer with a result. Answer once."""
        self._result = result
        self._release()

    def fail(self, error: BaseException) -> None:
        """Answer with an error, which ``result`` will raise."""
        self._error = error
        self._release()

    def result(self, timeout: float) -> _Result:
        """The answer, or whatever the work raised.

        Raises:
            TimeoutError: there is none after ``timeout`` seconds.
        """
        if not self.is_given:
            if not self._pending.acquire(timeout=max(timeout, 0)):
                raise TimeoutError(f"not done within {timeout:.3g} s")
            self._pending.release()
        if self._error is not None:
            raise self._error
        return self._result  # pyright: ignore[reportReturnType] - it was given, be it None

    async def result_async(self, timeout: float) -> _Result:  # noqa: ASYNC109 - it is what this method is for
        """As ``result``; the event loop goes on."""
        import asyncio  # noqa: PLC0415 - a processor without asyncio never pays for it

        loop, arrived = asyncio.get_running_loop(), asyncio.Event()
        self._wake.append(lambda: loop.call_soon_threadsafe(arrived.set))
        try:
            if not self.is_given:
                await in_time(arrived.wait(), timeout)
        except TimeoutError:
            if not self.is_given:
                raise
        return self.result(0)

    def _release(self) -> None:
        self._given = True
        self._pending.release()
        for wake in self._wake:
            with suppress(RuntimeError):  # that event loop is closed
                wake()


def in_background(work: Callable[[], _Result], name: str) -> Promise[_Result]:
    """Start the work in a thread of its own.

    Where no thread can start, as while the interpreter exits, the work is done at once, in this one.
    """
    answer: Promise[_Result] = Promise()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - whoever waits for the answer decides what to do about it
            answer.fail(error)
        else:
            answer.give(result)

    try:
        threading.Thread(target=run, name=name, daemon=True).start()
    except RuntimeError:
        run()
    return answer


async def in_time(work: Awaitable[object], timeout: float) -> None:  # noqa: ASYNC109 - it is what this function is for
    """Await the work, and cancel it when the time is up.

    Raises:
        TimeoutError: the time is up; it says after how long.
    """
    import asyncio  # noqa: PLC0415 - a processor without asyncio never pays for it

    try:
        await asyncio.wait_for(work, timeout)
    except TimeoutError as error:
        raise TimeoutError(str(error) or f"not done within {timeout:.3g} s") from error

"""A blocking stream read in a thread: in order, no further ahead than agreed, and given up when nobody wants more."""

import asyncio
import threading
from collections.abc import Iterator

import grpc
import pytest
from google.api_core import exceptions

from checks.sources.firestore.long_stream import batches


class Numbers:
    """A call under way that gives numbers, then ends, fails or keeps silent; cancelling it ends the silence."""

    def __init__(self, count: int, *, error: Exception | None = None, silent: bool = False) -> None:
        self._numbers: Iterator[int] = iter(range(count))
        self._error = error
        self._silent = silent
        self.given = 0
        self.cancelled = threading.Event()

    def __iter__(self) -> "Numbers":
        return self

    def __next__(self) -> int:
        for number in self._numbers:
            self.given += 1
            return number
        if self._error is not None:
            raise self._error
        if self._silent:
            assert self.cancelled.wait(30)
            raise Broken
        raise StopIteration

    def cancel(self) -> bool:
        self.cancelled.set()
        return True


class Broken(grpc.RpcError):
    """What gRPC raises in the middle of a stream."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        return "gone"

    def trailing_metadata(self) -> tuple[()]:
        return ()


async def collect(numbers: Numbers, found: list[int]) -> None:
    async for batch in batches(lambda: numbers):
        found += batch


async def test_everything_comes_once_and_in_order() -> None:
    found = [number async for batch in batches(lambda: Numbers(50_000)) for number in batch]

    assert found == list(range(50_000))


async def test_an_empty_stream_ends() -> None:
    assert [batch async for batch in batches(lambda: Numbers(0))] == []


async def test_what_came_before_an_error_is_handed_over() -> None:
    found: list[int] = []
    with pytest.raises(exceptions.ServiceUnavailable, match="gone"):
        await collect(Numbers(777, error=Broken()), found)

    assert found == list(range(777))


async def test_an_error_at_the_start_is_raised_as_it_is() -> None:
    def start() -> Numbers:
        raise ValueError("no channel")

    with pytest.raises(ValueError, match="no channel"):
        await anext(batches(start))


async def test_the_thread_does_not_run_ahead_without_bound() -> None:
    numbers = Numbers(1_000_000)
    stream = batches(lambda: numbers)
    await anext(stream)
    before = -1
    while numbers.given != before:
        before = numbers.given
        await asyncio.to_thread(threading.Event().wait, 0.05)

    assert numbers.given < 20_000
    await stream.aclose()
    assert numbers.cancelled.is_set()


async def test_who_waits_too_long_gives_the_call_up() -> None:
    numbers = Numbers(3, silent=True)
    found: list[int] = []
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(collect(numbers, found), 0.2)

    assert found == [0, 1, 2]
    assert await asyncio.to_thread(numbers.cancelled.wait, 5)

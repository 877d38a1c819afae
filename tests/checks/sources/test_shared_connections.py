"""One session is one way to Google: what it opened is shared, survives a server that goes away, and is closed."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from checks import check
from checks.ask.snapshot import collect
from checks.judge.verdict import Verdict
from checks.settings.file import parse_settings
from checks.settings.template import settings_text
from checks.sources.credentials import Login
from checks.sources.errors import SourceError
from checks.sources.shared_connections import SharedLogin
from validate_daily.sandbox import Sandbox, build

EXAMPLE = parse_settings(settings_text("example"), origin="example")


class Door:
    """Counts how often it is opened and closed."""

    def __init__(self) -> None:
        self.opened = self.closed = 0

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[int]:
        await asyncio.sleep(0)  # whoever else wants it comes in between
        self.opened += 1
        yield self.opened
        self.closed += 1


async def test_what_many_ask_for_at_once_is_opened_once_and_closed_at_the_end() -> None:
    door = Door()

    async def use(session: SharedLogin) -> int:
        async with session.opening("door", door.open) as number:
            return number

    async with SharedLogin() as session:
        assert await asyncio.gather(*(use(session) for _ in range(20))) == [1] * 20
        assert (door.opened, door.closed) == (1, 0)
    assert (door.opened, door.closed) == (1, 1)


async def test_without_a_session_everything_is_opened_for_one_use() -> None:
    door, login = Door(), Login()

    for _ in range(3):
        async with login.opening("door", door.open):
            assert door.opened == door.closed + 1

    assert (door.opened, door.closed) == (3, 3)


async def test_a_door_that_does_not_open_is_tried_again() -> None:
    failures = iter([SourceError("no credentials", "sign in")])

    @asynccontextmanager
    async def once() -> AsyncGenerator[str]:
        for failure in failures:
            raise failure
        yield "open"

    async with SharedLogin() as session:
        with pytest.raises(SourceError):
            async with session.opening("door", once):
                pass
        async with session.opening("door", once) as told:
            assert told == "open"


async def test_many_checks_share_a_session_and_agree() -> None:
    async with Sandbox(build("proliferation")) as cloud, SharedLogin() as session:
        reports = await asyncio.gather(
            *(check(EXAMPLE, session=session, environment=cloud.environment()) for _ in range(5))
        )

    assert {report.verdict for report in reports} == {Verdict.P0}


async def test_a_firestore_that_was_restarted_is_read_again_through_the_same_session() -> None:
    async with SharedLogin() as session:
        async with Sandbox(build("healthy")) as cloud:
            environment, port = cloud.environment(), int(cloud.firestore_address.rpartition(":")[2])
            first = await check(EXAMPLE, session=session, environment=environment)
        gone = await check(EXAMPLE, session=session, timeout=5.0, environment=environment)
        async with Sandbox(build("healthy"), port=port) as again:
            assert again.firestore_address == environment["FIRESTORE_EMULATOR_HOST"]
            back = gone
            async with asyncio.timeout(60):  # gRPC tries again within a second or so, and a check does not wait for it
                while back.verdict is Verdict.UNKNOWN:
                    back = await check(EXAMPLE, session=session, environment=again.environment())

    assert (first.verdict, gone.verdict, back.verdict) == (Verdict.HEALTHY, Verdict.UNKNOWN, Verdict.HEALTHY)


async def hangs_up(client: socket.socket) -> None:
    """Returns when the other side has closed the connection; what it says until then is not answered."""
    while await asyncio.get_running_loop().sock_recv(client, 4_096):
        pass


async def test_a_handshake_that_takes_its_time_is_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        environment = {"FIRESTORE_EMULATOR_HOST": f"127.0.0.1:{server.getsockname()[1]}"}
        async with SharedLogin() as session:
            asked = collect(EXAMPLE, sources=["firestore"], session=session, timeout=30.0, environment=environment)
            looking = asyncio.create_task(asked)
            client, _ = await asyncio.get_running_loop().sock_accept(server)
            with client, pytest.raises(TimeoutError):
                await asyncio.wait_for(hangs_up(client), 2.5)
            looking.cancel()
            await asyncio.wait([looking])

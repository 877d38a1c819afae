"""What all tests share: the official Firestore emulator, the practice cloud, and a project of one's own."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Protocol

import pytest

from validate_daily.sandbox import Fault, Sandbox, World, build

from support import leftovers, prepared
from support.official import NoEmulatorError, official_emulator


@pytest.fixture(scope="session", autouse=True)
def processes() -> Iterator[None]:
    """No process that a test starts outlives the test process."""
    with leftovers.guarded():
        yield
        prepared.close()


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``host:port`` of the official Firestore emulator, started once per test process."""
    try:
        with official_emulator(tmp_path_factory.mktemp("emulator") / "emulator.log") as address:
            yield address
    except NoEmulatorError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
def project() -> str:
    """The id of a project that no other test uses."""
    return f"test-{uuid.uuid4().hex[:12]}"


class Serve(Protocol):
    """Serves a world, or the world of a scenario, until the test ends."""

    async def __call__(self, told: World | str = "healthy", *faults: Fault) -> Sandbox: ...


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start practice clouds: ``sandbox = await serve("proliferation")``."""
    async with AsyncExitStack() as stack:

        async def start(told: World | str = "healthy", *faults: Fault) -> Sandbox:
            world = told if isinstance(told, World) else build(told)
            for fault in faults:
                world.faults.add(fault)
            return await stack.enter_async_context(Sandbox(world))

        yield start


@pytest.fixture
async def sandbox(serve: Serve) -> Sandbox:
    """A practice cloud with a healthy pipeline."""
    return await serve("healthy")

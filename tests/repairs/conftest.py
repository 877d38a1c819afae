"""Both clouds behind one fixture: a test with ``both`` makes a claim about the sandbox and the official emulator."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from validate_daily.sandbox import Sandbox, World, build

from support.repair_bench import Bench, bench


@pytest.fixture(params=["sandbox", pytest.param("emulator", marks=pytest.mark.emulator)])
async def both(request: pytest.FixtureRequest, project: str, tmp_path: Path) -> AsyncIterator[Bench]:
    """A Firestore of one's own, in the sandbox and then in the official emulator."""
    async with AsyncExitStack() as stack:
        if request.param == "sandbox":
            address = (await stack.enter_async_context(Sandbox(build("healthy")))).firestore_address
        else:
            address = str(request.getfixturevalue("emulator"))
        yield await stack.enter_async_context(bench(address, project, tmp_path))


@pytest.fixture
def world() -> World:
    """The world behind ``ours``."""
    return build("healthy")


@pytest.fixture
async def ours(world: World, project: str, tmp_path: Path) -> AsyncIterator[Bench]:
    """A Firestore of one's own in the sandbox, whose faults ``world`` can set."""
    async with Sandbox(world) as sandbox, bench(sandbox.firestore_address, project, tmp_path) as found:
        yield found

"""What all tests share: the official Firestore emulator, the practice cloud, and a project of one's own."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Final, Protocol

import pytest

from sandbox import Fault, Sandbox, World, build

_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 10.0


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``host:port`` of the official Firestore emulator, started once per test process."""
    missing = [command for command in ("gcloud", "java") if shutil.which(command) is None]
    if missing:
        _give_up(f"no {' and no '.join(missing)} on PATH")
    log = tmp_path_factory.mktemp("emulator") / "emulator.log"
    address = f"127.0.0.1:{_free_port()}"
    command = ["gcloud", "emulators", "firestore", "start", f"--host-port={address}"]
    quiet = {"CLOUDSDK_CORE_DISABLE_PROMPTS": "1", "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            env=os.environ | quiet,
            start_new_session=True,
        )
    try:
        _wait_until_up(process, address, log)
        yield address
    finally:
        _stop(process, address)


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


def _give_up(reason: str) -> None:
    text = (
        f"the official Firestore emulator cannot run ({reason}): install Java 17 or newer and gcloud with its "
        "components beta and cloud-firestore-emulator"
    )
    if os.environ.get("CI") == "true":
        pytest.fail(text)
    pytest.skip(text)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_up(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"http://{address}/", timeout=1).close()
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    tail = log.read_text(errors="replace")[-2_000:]
    reason = (
        f"gcloud ended with {process.returncode}" if process.returncode is not None else "it did not answer in time"
    )
    if process.returncode is not None and "install" in tail:
        _give_up(f"{reason}: {tail}")
    pytest.fail(f"the official Firestore emulator did not start: {reason}. Its log ends:\n{tail}")


def _stop(process: "subprocess.Popen[bytes]", address: str) -> None:
    """Ask it to shut down, then end its whole process group: gcloud, a shell and Java."""
    with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
        urllib.request.urlopen(f"http://{address}/shutdown", data=b"", timeout=_STOP_SECONDS).close()
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
            return

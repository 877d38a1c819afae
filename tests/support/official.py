"""The official Firestore emulator, started and stopped."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 10.0
_QUIET: Final = {"CLOUDSDK_CORE_DISABLE_PROMPTS": "1", "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1"}


class NoEmulatorError(Exception):
    """The emulator is not installed; the text says what to install."""


@contextmanager
def official_emulator(log: Path) -> Generator[str]:
    """Run ``gcloud emulators firestore start`` on a free port; yields ``host:port``.

    Args:
        log: where its output goes.

    Raises:
        NoEmulatorError: something of it is not installed.
        RuntimeError: it is installed and does not start.
    """
    missing = [command for command in ("gcloud", "java") if shutil.which(command) is None]
    if missing:
        raise NoEmulatorError(_advice(f"no {' and no '.join(missing)} on PATH"))
    address = f"127.0.0.1:{free_port()}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["gcloud", "emulators", "firestore", "start", f"--host-port={address}"],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            env=os.environ | _QUIET,
            start_new_session=True,
        )
    try:
        _wait_until_up(process, address, log)
        yield address
    finally:
        _stop(process, address)


def _advice(reason: str) -> str:
    return (
        f"the official Firestore emulator cannot run ({reason}): install Java 17 or newer and gcloud with its "
        "components beta and cloud-firestore-emulator"
    )


def free_port() -> int:
    """A port of loopback on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_up(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"http://{address}/", timeout=1).close()
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    tail = log.read_text(errors="replace")[-2_000:]
    ended = f"gcloud ended with {process.returncode}" if process.poll() is not None else "it did not answer in time"
    if "install" in tail:
        raise NoEmulatorError(_advice(f"{ended}: {tail}"))
    raise RuntimeError(f"the official Firestore emulator did not start: {ended}. Its log ends:\n{tail}")


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

"""The command as a fork of a process that has imported it already: a real process, without a second of imports.

Tests of how a process starts (isolation, the open directory, imports) run the installed command itself.
"""

import fcntl
import gc
import importlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

IMPORTED = (
    *("validate_daily.__main__", "mcp_server.app", "uvicorn", "anthropic", "rich.console", "rich.live", "yaml"),
    *("google.auth.transport.requests", "google.cloud.run_v2", "google.cloud.firestore_v1.services.firestore"),
    "google.cloud.logging_v2.services.logging_service_v2",
)
_NUMBER = struct.Struct("!i")


@dataclass
class Running:
    """A command that was started, with the methods of ``Popen`` that tests use."""

    connection: socket.socket
    pid: int
    returncode: int | None = None

    def wait(self, timeout: float) -> int:
        """Wait for the command to end.

        Raises:
            TimeoutExpired: it has not ended.
        """
        if self.returncode is None:
            self.connection.settimeout(timeout)
            try:
                status = _number(self.connection)
            except TimeoutError:
                raise subprocess.TimeoutExpired("validate-daily", timeout) from None
            self.connection.close()
            self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def kill(self) -> None:
        """End it at once, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)


@dataclass
class _Helper:
    """The process that has imported the command; it ends when this one does."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    process: "subprocess.Popen[bytes] | None" = None
    control: socket.socket | None = None

    def send(self, files: Sequence[int]) -> None:
        """Ask for a command with these files."""
        with self.lock:
            if self.control is None:
                self.control, theirs = socket.socketpair()
                with theirs:
                    line = [sys.executable, "-I", __file__, str(theirs.fileno())]
                    environment = os.environ | {"GRPC_VERBOSITY": "NONE"}
                    self.process = subprocess.Popen(line, pass_fds=[theirs.fileno()], env=environment, process_group=0)
            socket.send_fds(self.control, [b"!"], files)

    def close(self) -> None:
        """End it, if it runs."""
        if self.control is not None and self.process is not None:
            self.control.close()
            self.process.wait(60)
            self.control = None


_HELPER = _Helper()


def start(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    files: Sequence[int],
    *,
    folder: Path | None = None,
    terminal: bool = False,
) -> Running:
    """Start ``validate-daily`` with these three standard files, in a session of its own.

    Args:
        arguments: what follows ``validate-daily``.
        environment: all of its environment.
        files: its standard input, output and error.
        folder: where it runs, else here.
        terminal: the files are a terminal, which is to be its own.
    """
    asked = {
        "arguments": arguments,
        "environment": dict(environment),
        "folder": str(folder or Path.cwd()),
        "terminal": terminal,
    }
    ours, theirs = socket.socketpair()
    with tempfile.TemporaryFile() as file, theirs:
        file.write(json.dumps(asked).encode())
        file.seek(0)
        _HELPER.send([*files, file.fileno(), theirs.fileno()])
    return Running(ours, _number(ours))


def run(
    *arguments: str, environment: Mapping[str, str] = os.environ, folder: Path | None = None, seconds: float = 300
) -> "subprocess.CompletedProcess[str]":
    """Run ``validate-daily`` to its end, without a terminal, and keep what it prints."""
    text = partial(tempfile.TemporaryFile, "w+", encoding="utf-8")
    with text() as out, text() as err, Path(os.devnull).open() as nothing:
        running = start(arguments, environment, (nothing.fileno(), out.fileno(), err.fileno()), folder=folder)
        try:
            code = running.wait(seconds)
        except BaseException:
            running.kill()
            raise
        for each in (out, err):
            each.seek(0)
        return subprocess.CompletedProcess(list(arguments), code, out.read(), err.read())


def close() -> None:
    """End the helper; the next command starts another."""
    _HELPER.close()


def _number(connection: socket.socket) -> int:
    return int(_NUMBER.unpack(connection.recv(_NUMBER.size, socket.MSG_WAITALL))[0])


def _serve(control: socket.socket) -> int:
    """In the helper: fork a waiter for every command that is asked for."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()
    while True:
        asked, files, _, _ = socket.recv_fds(control, 1, 5)
        with suppress(ChildProcessError):
            while os.waitpid(-1, 0 if not asked else os.WNOHANG)[0]:
                pass
        if not asked:
            return 0
        if os.fork() == 0:
            control.close()
            return _wait(files)
        for each in files:
            os.close(each)


def _wait(files: list[int]) -> int:
    """In the waiter: fork the command, and tell its process id and how it ends."""
    with socket.socket(fileno=files.pop()) as connection:
        command = os.fork()
        if command:
            connection.sendall(_NUMBER.pack(command))
            for each in files:
                os.close(each)
            connection.sendall(_NUMBER.pack(os.waitpid(command, 0)[1]))
            os._exit(0)  # taking down what it shares with the helper would copy all of it
    return _become(files)


def _become(files: list[int]) -> int:
    """In the command's own process: take its files, folder and environment, and run it."""
    with open(files.pop(), "rb") as file:  # noqa: PTH123 - an open file
        asked = json.load(file)
    os.setsid()
    for number, each in enumerate(files):
        os.dup2(each, number)
        os.close(each)
    if asked["terminal"]:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115 - open for as long as the process lives
    sys.stdout = open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
    sys.argv = [str(Path(sys.executable).with_name("validate-daily")), *asked["arguments"]]
    return int(importlib.import_module("validate_daily.__main__").main())


if __name__ == "__main__":
    sys.exit(_serve(socket.socket(fileno=int(sys.argv[1]))))

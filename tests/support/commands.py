"""The command as a person or a script runs it: in a process of its own, and at a terminal of its own."""

import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

from sandbox import Sandbox
from validate_daily.init import settings_text

COMMAND = str(Path(sys.executable).parent / "validate-daily")


def settings(folder: Path, more: str = "") -> str:
    path = folder / "settings.toml"
    path.write_text(settings_text("example") + f"\n[writes]\nenabled = true\n{more}\n")
    return str(path)


def example(folder: Path) -> str:
    """The shipped example settings as a file; they change nothing."""
    path = folder / "validate-daily.toml"
    path.write_text(settings_text("example"))
    return str(path)


def told(sandbox: Sandbox, *command: str, code: int) -> dict[str, Any]:
    """What a command says in JSON, and that it exits so."""
    done = run(sandbox, *command, "--format", "json")
    assert done.returncode == code, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def run(sandbox: Sandbox, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | sandbox.environment() | variables
    return subprocess.run(
        (COMMAND, *command),
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        start_new_session=True,
    )


def typed(sandbox: Sandbox, answer: str, *command: str) -> tuple[int, str]:
    """Run a command at a terminal of its own, and type an answer when it asks."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(COMMAND, (COMMAND, *command), os.environ | sandbox.environment())  # noqa: S606 - a terminal, no shell
    return _talk(child, terminal, answer)


def _talk(child: int, terminal: int, answer: str) -> tuple[int, str]:
    said, asked = b"", False
    while select.select([terminal], [], [], 120)[0]:
        try:
            said += os.read(terminal, 65_536)
        except OSError:
            break
        if not asked and b"anything else to stop:" in said:
            os.write(terminal, answer.encode() + b"\n")
            asked = True
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), said.decode(errors="replace")

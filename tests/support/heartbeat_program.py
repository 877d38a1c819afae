"""A Python program that writes heartbeats, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

from google.cloud.firestore import Client

import heartbeat

COLLECTION = "processor_heartbeats"
NAME = "PlayerGameSummaryProcessor"
_HEAD = f"""
import asyncio, os, signal, sys, threading, time
from heartbeat import *
heartbeat = ProcessorHeartbeat({NAME!r}, budget=float(os.environ.get("BUDGET", "10")))
"""


class Program:
    """A program that has everything of the library, and ``heartbeat``, which writes into an emulator."""

    def __init__(self, code: str, *, project: str, emulator: str, **environment: str) -> None:
        self._project = project
        told = {
            "PYTHONPATH": str(Path(heartbeat.__file__).parents[1]),
            "PATH": os.defpath,
            "FIRESTORE_EMULATOR_HOST": emulator,
            "GOOGLE_CLOUD_PROJECT": project,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", _HEAD + code],
            env={name: value for name, value in (told | environment).items() if value},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def tell(self, text: str) -> None:
        """Write a line to its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def wait_for_line(self, text: str) -> None:
        """Wait until it prints this line, which must be its next one."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line == f"{text}\n", line + self.end()[2]

    def end(self) -> tuple[int, str, str]:
        """The exit code, and the rest of what it said."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err

    def kill(self) -> None:
        """End it, if it goes on."""
        self.process.kill()
        self.process.communicate()

    @property
    def document(self) -> dict[str, Any]:
        """The one document that is in the emulator. This process finds the emulator by its environment."""
        documents = {each.id: each.to_dict() for each in Client(project=self._project).collection(COLLECTION).stream()}
        assert list(documents) == [NAME]
        return documents[NAME] or {}


class Start(Protocol):
    """Starts a program."""

    def __call__(self, code: str, **environment: str) -> Program: ...

"""Google's own command line, pointed at a practice cloud."""

import asyncio
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Printed = Any
"""JSON as gcloud prints it."""


class NoGcloudError(Exception):
    """gcloud is not installed; the text says what to install."""


class GcloudError(Exception):
    """gcloud ended with an error; the text is what it said."""


@dataclass(frozen=True)
class Gcloud:
    """gcloud with an environment, and a folder for its configuration.

    Raises:
        NoGcloudError: there is none.
    """

    environment: Mapping[str, str]
    configuration: Path

    def __post_init__(self) -> None:
        if shutil.which("gcloud") is None:
            raise NoGcloudError("no gcloud on PATH: install the Google Cloud CLI")

    async def __call__(self, *words: str) -> Printed:
        """What a command prints as JSON.

        Raises:
            GcloudError: it failed.
        """
        process = await asyncio.create_subprocess_exec(
            "gcloud",
            *words,
            "--format=json",
            env=os.environ | self.environment | {"CLOUDSDK_CONFIG": str(self.configuration)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, said = await process.communicate()
        if process.returncode:
            raise GcloudError(said.decode())
        return json.loads(printed)

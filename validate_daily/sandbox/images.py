"""The images of the pipeline: what is in them by the code that they hold, and which code a digest stands for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from validate_daily.sandbox.pipeline import Code
from validate_daily.sandbox.registry.images import REVISION, Built, Image, build_image
from validate_daily.sandbox.registry.store import Registry
from validate_daily.sandbox.run.state import Container

HEARTBEAT: Final = "app/shared/monitoring/processor_heartbeat.py"

_DOCUMENT: Final[Mapping[Code, str]] = {
    "new": "return self.processor_name",
    "old": 'return f"{self.processor_name}_{self.data_date}_{self.run_id}"',
    "silent": "return self.processor_name",
}
_REQUIREMENTS: Final = ("flask", "google-cloud-bigquery", "google-cloud-firestore", "gunicorn")
_PACKAGES: Final = "usr/local/lib/python3.11/site-packages"
_COMMAND: Final = ("gunicorn", "--bind", ":8080", "--workers", "1", "main:app")


@dataclass(frozen=True, slots=True)
class Build:
    """What an image was built from.

    Attributes:
        code: how it writes heartbeats. Silent code lacks an ``__init__.py``, and nobody is told.
        commit: the commit.
        listens: whether it listens on the port that it is given.
        lacks: a package that its command needs and its requirements do not name.
    """

    code: Code
    commit: str
    listens: bool = True
    lacks: str | None = None

    @property
    def starts(self) -> bool:
        """Whether a service of it becomes ready. A job needs no server."""
        return self.listens and self.lacks is None


class Images:
    """The images that were pushed, in a registry. References are as people type them, with the registry's host."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._builds: dict[str, Build] = {}

    def push(self, repository: str, build: Build, tag: str | None = "latest", *, at: datetime | None = None) -> str:
        """Build an image, push it, let a tag name it, and return its digest."""
        image = _image(build, repository.rpartition("/")[2])
        digest = self._registry.push(_path(repository), image, tag, at=at)
        self._builds[digest] = build
        return digest

    def resolve(self, reference: str) -> str | None:
        """The digest that a reference stands for now; None if there is no such image."""
        name, _, digest = reference.partition("@")
        repository, tag = _split(name)
        if digest:
            return digest if self._registry.manifest(_path(repository), digest) else None
        return self._registry.resolve(_path(repository), tag)

    def pinned(self, reference: str) -> str | None:
        """The same reference by digest."""
        digest = self.resolve(reference)
        return None if digest is None else f"{_split(reference.partition('@')[0])[0]}@{digest}"

    def build(self, reference: str) -> Build | None:
        """What the image behind a reference was built from."""
        return self._builds.get(self.resolve(reference) or "")

    def program(self, containers: Sequence[Container]) -> Container:
        """The container that runs what was built here; of those that were built elsewhere alone, the first."""
        return next((each for each in containers if self.build(each.image)), containers[0])

    def missing(self, containers: Sequence[Container]) -> Container | None:
        """A container whose image does not exist. Beside others, images of repositories that are not here exist."""
        absent = [each for each in containers if self.build(each.image) is None]
        if len(absent) == len(containers):
            return absent[0]
        return next((each for each in absent if self._is_here(each.image)), None)

    def _is_here(self, reference: str) -> bool:
        repository, _ = _split(reference.partition("@")[0])
        return self._registry.tags(_path(repository)) is not None


def _path(repository: str) -> str:
    return repository.partition("/")[2]


def _split(name: str) -> tuple[str, str]:
    head, colon, tag = name.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (name, "latest")


@cache
def _image(build: Build, name: str) -> Built:
    """A base, the packages, and the code: the layers that such a Dockerfile makes."""
    packages = [package for package in _REQUIREMENTS if package != build.lacks]
    code = {
        "app/main.py": f"# {name}\nfrom flask import Flask\n\napp = Flask(__name__)\n".encode(),
        "app/shared/__init__.py": b"",
        "app/shared/monitoring/__init__.py": b"",
        HEARTBEAT: _heartbeat(build.code),
    }
    if build.code == "silent":
        del code["app/shared/monitoring/__init__.py"]
    image = Image(
        layers=[
            {"etc/os-release": b"ID=debian\n", "usr/local/bin/python": b"#!/bin/true\n"},
            {"app/requirements.txt": "\n".join(packages).encode()}
            | {f"{_PACKAGES}/{package.replace('-', '_')}/__init__.py": b"" for package in packages},
            code,
        ],
        labels={REVISION: build.commit},
        command=_COMMAND if build.listens else ("python", "-m", "main"),
        environment={"COMMIT_SHA": build.commit},
        created_by=("FROM python:3.11-slim", "RUN pip install -r requirements.txt", "COPY . /app"),
    )
    return build_image(image)


def _heartbeat(code: Code) -> bytes:
    return (
        '"""Processor heartbeats."""\n\n\nclass ProcessorHeartbeat:\n'
        "    @property\n    def doc_id(self) -> str:\n"
        f"        {_DOCUMENT[code]}\n"
    ).encode()

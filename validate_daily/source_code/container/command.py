"""What a command runs: the packages that it needs, and the modules that it begins with."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from validate_daily.source_code.container.copies import CopiedImage
from validate_daily.source_code.container.dockerfile import Instruction
from validate_daily.source_code.container.shell import commands, program, unwrapped
from validate_daily.source_code.requirements import normal

BROUGHT_BY: Final = {
    "alembic": ("flask-migrate", "mlflow", "apache-airflow", "apache-airflow-core", "dagster"),
    "apache-airflow": ("apache-airflow-core",),
    "celery": ("django-celery-beat", "django-celery-results", "flower", "apache-superset"),
    "daphne": ("channels[daphne]",),
    "django": ("djangorestframework", "wagtail"),
    "fastapi-cli": ("fastapi[standard]", "fastapi[all]"),
    "flask": ("functions-framework", "mlflow", "dash", "apache-airflow", "apache-superset", "locust"),
    "functions-framework": (),
    "gevent": ("gunicorn[gevent]", "locust"),
    "eventlet": ("gunicorn[eventlet]",),
    "tornado": ("gunicorn[tornado]", "jupyter", "notebook", "streamlit", "flower"),
    "granian": (),
    "gunicorn": ("functions-framework", "apache-airflow", "apache-airflow-core", "mlflow", "apache-superset"),
    "hypercorn": ("quart",),
    "streamlit": (),
    "uvicorn": (
        "fastapi[standard]", "fastapi[all]", "fastapi-cli", "fastapi-cli[standard]", "uvicorn-worker", "mcp", "fastmcp",
        "mlflow", "prefect", "gradio", "chainlit", "chromadb", "google-adk", "langserve", "litellm[proxy]",
        "dagster-webserver", "connexion[uvicorn]", "functions-framework", "apache-airflow", "apache-airflow-core",
    ),
    "uvicorn-worker": (),
    "uwsgi": ("pyuwsgi",),
    "waitress": (),
}  # fmt: skip
"""Packages that commands come from, and other packages that bring them along."""

_PROGRAMS: Final = {
    "airflow": "apache-airflow", "alembic": "alembic", "celery": "celery", "daphne": "daphne", "django-admin": "django",
    "fastapi": "fastapi-cli", "flask": "flask", "functions-framework": "functions-framework",
    "functions_framework": "functions-framework", "granian": "granian",
    "gunicorn": "gunicorn", "hypercorn": "hypercorn",
    "streamlit": "streamlit", "uvicorn": "uvicorn", "uwsgi": "uwsgi",
    "waitress-serve": "waitress", "waitress": "waitress",
}  # fmt: skip
_WORKERS: Final = {
    "uvicorn.workers": "uvicorn", "uvicorn_worker": "uvicorn-worker", "gevent": "gevent", "eventlet": "eventlet",
    "tornado": "tornado",
}  # fmt: skip
_PYTHON: Final = re.compile(r"python[\d.]*|pypy[\d.]*")
_APP: Final = re.compile(r"([A-Za-z_]\w*(?:\.\w+)*):[A-Za-z_][\w.]*(?:\(.*\))?")
_DOTTED: Final = re.compile(r"[A-Za-z_]\w*(?:\.\w+)+")
_OPTIONS_WITH_VALUE: Final = frozenset({"-X", "-W", "--check-hash-based-pycs"})


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """What a command begins with: a dotted module, or a path of the image, and a directory that it is looked for in."""

    module: str = ""
    script: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class ContainerCommand:
    """One simple command of a container.

    Attributes:
        line: where it is written.
        words: the command itself.
    """

    line: int
    words: tuple[str, ...]

    @property
    def needs(self) -> Iterator[str]:
        """The packages that it cannot run without, as registries call them."""
        name = program(self.words[0])
        if _PYTHON.fullmatch(name):
            name = self._module.split(".")[0]
        if name in _PROGRAMS:
            yield _PROGRAMS[name]
        if name == "gunicorn":
            worker = self._option("-k", "--worker-class") or ""
            yield from (package for prefix, package in _WORKERS.items() if worker.startswith(prefix))

    @property
    def entry_points(self) -> Iterator[EntryPoint]:
        """The modules that it begins with, as far as they can be told."""
        name = program(self.words[0])
        module = self._module
        if _PYTHON.fullmatch(name) and module not in _PROGRAMS:
            yield from [EntryPoint(module=module)] if module else self._script(self.words[1:])
        elif name.endswith(".py"):
            yield EntryPoint(script=self.words[0])
        elif name == "functions-framework" or module == "functions_framework":
            yield EntryPoint(script=self._option("--source") or "main.py")
        elif name == "celery" and (app := self._option("-A", "--app")):
            yield EntryPoint(module=app.split(":")[0])
        elif name in {"streamlit", "fastapi"}:
            yield from self._script(tuple(word for word in self.words[1:] if word.endswith(".py")))
        else:
            folder = self._option("--chdir", "--app-dir") or ""
            apps = [found[1] for word in self.words[1:] if (found := _APP.fullmatch(word))]
            if name == "gunicorn" and not apps and _DOTTED.fullmatch(self.words[-1]):
                apps = [self.words[-1]]
            yield from (EntryPoint(module=app, folder=folder) for app in apps)

    @property
    def _module(self) -> str:
        """What ``python -m`` names."""
        words = self.words[1:]
        for at, word in enumerate(words):
            if word == "-m" and at + 1 < len(words):
                return words[at + 1]
            if not word.startswith("-") and (at == 0 or words[at - 1] not in _OPTIONS_WITH_VALUE):
                return ""
        return ""

    @staticmethod
    def _script(words: Sequence[str]) -> Iterator[EntryPoint]:
        for at, word in enumerate(words):
            if word.startswith("-") or (at and words[at - 1] in _OPTIONS_WITH_VALUE):
                continue
            if word.endswith(".py"):
                yield EntryPoint(script=word)
            return

    def _option(self, *names: str) -> str | None:
        for at, word in enumerate(self.words):
            option, given, value = word.partition("=")
            if option in names:
                return value if given else (self.words[at + 1] if at + 1 < len(self.words) else None)
        return None


def commands_of(image: CopiedImage) -> list[ContainerCommand]:
    """The commands of a container, in order; none where its entry point is a script that says nothing here."""
    entry, command = image.entrypoint, image.command
    if entry and command and entry.words is not None and command.words is not None:
        first = program(entry.words[0]) if entry.words else ""
        if not first.endswith((".sh", "entrypoint")):
            return list(_commands_in(entry, (*entry.words, *command.words)))
        return list(_commands_in(command, command.words))
    if entry and entry.words is None:
        command = None  # the shell form takes no arguments
    return [each for given in (entry, command) if given for each in _commands_in(given, given.words)]


def split_line(line: int, text: str) -> list[ContainerCommand]:
    """The commands of a line of shell."""
    return [ContainerCommand(line, each) for simple in commands(text) or () for each in unwrapped(simple)]


def brings(names: frozenset[str], package: str) -> bool:
    """Whether one of these packages is the wanted one, or brings it along."""
    others = BROUGHT_BY.get(package, ())
    return (
        package in names
        or any(each in names for each in others)
        or any(name.startswith((f"{package}-", f"{package}[")) for name in names)
        or normal(package) in {name.split("[")[0] for name in names}
    )


def _commands_in(given: Instruction, words: tuple[str, ...] | None) -> Iterator[ContainerCommand]:
    if words is None:
        yield from split_line(given.line, given.value)
    else:
        yield from (ContainerCommand(given.line, each) for each in unwrapped(words))

"""Prints the tests of what has changed, for ``make quick``.

Of a product module: its room's tests, those of the rooms that import it, and the test files that import it. Of a
helper: the test files that import it. Whatever else has changed is proved in ``tests/house``. A first answer, no proof.
"""

import ast
import subprocess
import sys
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

import grimp

from support.paths import ROOT

PACKAGES = ("heartbeat", "checks", "mcp_server", "skills", "validate_daily")
TESTS = ROOT / "tests"


def changed(since: str) -> set[str]:
    """What differs from where this branch left another one, and what is not in git yet."""
    known = _git("rev-parse", "--verify", "--quiet", since)
    start = _git("merge-base", "HEAD", since)[0] if known else "HEAD"
    return {*_git("diff", "--name-only", start), *_git("ls-files", "--others", "--exclude-standard")}


def touched(paths: Collection[str]) -> set[Path]:
    """The files and folders of tests for these changed files."""
    graph = grimp.build_graph(*PACKAGES)
    found, modules = set[Path](), set[str]()
    for path in map(Path, paths):
        if path.parts[0] == "tests":
            found |= {ROOT / path} if path.name.startswith("test_") else set()
            found |= {ROOT / path.parent} if path.name == "conftest.py" else set()
            modules |= {_module(path.relative_to("tests"))}
        elif path.parts[0] in PACKAGES:
            module = _module(path)
            users = graph.find_modules_that_directly_import(module) if module in graph.modules else set[str]()
            found |= {_room(path.parent)} | {_room(Path(*user.split(".")[:-1])) for user in users}
            modules |= {module}
        else:
            found |= {TESTS / "house"}
    return {each for each in found | set(_importers(modules)) if each.exists()}


def _module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _room(folder: Path) -> Path:
    """The nearest folder of tests that there is for a folder of the product."""
    place = TESTS / Path(*(part for part in folder.parts if part != "validate_daily"))
    while not place.is_dir():
        place = place.parent
    return place


def _importers(modules: set[str]) -> Iterator[Path]:
    """The test files that import any of these modules, by themselves or by way of a helper."""
    helpers = {_module(file.relative_to(TESTS)): file for file in (TESTS / "support").glob("*.py")}
    known = 0
    while known != len(modules):
        known = len(modules)
        modules |= {name for name, file in helpers.items() if modules & _imported(file)}
    yield from (file for file in TESTS.rglob("test_*.py") if modules & _imported(file))


@cache
def _imported(file: Path) -> frozenset[str]:
    names = set[str]()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return frozenset(names)


def _git(*arguments: str) -> list[str]:
    return subprocess.run(
        ["git", "-C", ROOT, *arguments], stdout=subprocess.PIPE, text=True, check=False
    ).stdout.split()


if __name__ == "__main__":
    print(*sorted(each.relative_to(ROOT).as_posix() for each in touched(changed(sys.argv[1]))))

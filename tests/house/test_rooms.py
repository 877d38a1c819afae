"""The folders are the architecture: no cycle, no name that means two things, no room that is a heap."""

import ast
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from support.paths import ROOT

PACKAGES = ("heartbeat", "checks", "mcp_server", "skills", "validate_daily")
LISTS = {"checks/judge/rules", "validate_daily/source_code/rules", "validate_daily/commands"}
MOST = 15


def product() -> list[Path]:
    return sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))


def rooms() -> list[Path]:
    return sorted({file.parent for file in product()})


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def test_no_module_imports_itself_by_way_of_others(imports: grimp.ImportGraph) -> None:
    known = {module: imports.find_modules_directly_imported_by(module) for module in imports.modules}
    try:
        tuple(TopologicalSorter(known).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_two_public_classes_share_a_name() -> None:
    places = defaultdict[str, list[str]](list)
    for file in product():
        where = file.relative_to(ROOT).as_posix()
        if where.startswith("validate_daily/sandbox/"):
            continue
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(where)

    assert {name: found for name, found in places.items() if len(found) > 1} == {}


@pytest.mark.parametrize("room", [room.relative_to(ROOT).as_posix() for room in rooms()])
def test_a_room_is_no_heap(room: str) -> None:
    modules = [file for file in (ROOT / room).glob("*.py") if not file.name.startswith("__")]

    assert room in LISTS or len(modules) <= MOST


@pytest.mark.parametrize("room", [room.relative_to(ROOT).as_posix() for room in rooms()])
def test_a_room_says_what_is_in_it_and_what_it_may_import(room: str) -> None:
    if room == "validate_daily":
        assert (ROOT / room / "__init__.py").read_text("utf-8") == ""
        return
    said = ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text("utf-8")))

    assert said is not None, f"{room}/__init__.py needs a docstring: what the room holds and what it may import"
    assert "mport" in said, f"the docstring of {room}/__init__.py must say which rooms it may import"

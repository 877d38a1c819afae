"""What the requirements of a tree name, following what they include; what cannot be followed is said."""

import posixpath
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self, cast

_NAME: Final = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*(?=$|[\s<>=!~;@,(])")
_EGG: Final = re.compile(r"#egg=([A-Za-z0-9._-]+)")
_INCLUDES: Final = re.compile(r"(?:-r|--requirement)[\s=]*(\S+)")

_OTHER_NAMES: Final = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "jose": "python-jose",
    "jwt": "pyjwt",
    "MySQLdb": "mysqlclient",
    "PIL": "pillow",
    "psycopg2": "psycopg2-binary",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slack": "slackclient",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}
"""Modules that are called otherwise than the packages that bring them."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """Names of packages, in the one spelling that registries compare.

    Attributes:
        names: ``google-cloud-firestore``; one with extras stands there twice, as ``fastapi`` and ``fastapi[standard]``.
        whole: whether that is all; False where something could not be followed or understood.
    """

    names: frozenset[str] = frozenset()
    whole: bool = True

    def __or__(self, other: "Requirements") -> "Requirements":
        """Both together."""
        return Requirements(self.names | other.names, self.whole and other.whole)

    @classmethod
    def some(cls, lines: Iterable[str]) -> Self:
        """Of single requirements, as ``gunicorn>=21.2``."""
        pairs = [_parse(line) for line in lines]
        return cls(frozenset(name for names in pairs if names for name in names), all(pairs))


NOTHING_KNOWN: Final = Requirements(whole=False)


def normal(name: str) -> str:
    """The spelling that registries compare."""
    return re.sub(r"[-_.]+", "-", name).lower()


def packages_of(module: str) -> Iterator[str]:
    """Names that a package which brings this module may have, the likeliest first."""
    first = module.split(".", maxsplit=1)[0]
    if first in _OTHER_NAMES:
        yield _OTHER_NAMES[first]
    dashed = normal(module)
    while dashed:
        yield dashed
        dashed = dashed.rpartition("-")[0]


def requirements_of(path: str, texts: Mapping[str, str]) -> Requirements:
    """What a requirements file names, with the files that it includes."""
    found = Requirements()
    pending, seen = [path], set[str]()
    while pending:
        where = pending.pop()
        if where in seen:
            continue
        seen.add(where)
        if where not in texts:
            found |= NOTHING_KNOWN
            continue
        for line in _logical(texts[where]):
            if included := _INCLUDES.match(line):
                pending.append(posixpath.normpath(posixpath.join(posixpath.dirname(where), included[1])))
            elif not line.startswith("--") and not line.startswith(("-c", "-i", "-f")):
                found |= Requirements.some([line])
    return found


def project_requirements(text: str) -> Requirements:
    """What a ``pyproject.toml`` needs at any time; extras and development groups are not counted."""
    try:
        read = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return NOTHING_KNOWN
    project = table(read, "project")
    poetry = table(read, "tool", "poetry", "dependencies")
    listed = project.get("dependencies", [])
    if not isinstance(listed, list):
        return NOTHING_KNOWN
    lines = [str(each) for each in cast("list[object]", listed)] + [name for name in poetry if name != "python"]
    dynamic = project.get("dynamic", [])
    found = Requirements.some(lines)
    unknown = not (project or poetry) or (isinstance(dynamic, list) and "dependencies" in dynamic)
    return found | NOTHING_KNOWN if unknown else found


def table(read: Mapping[str, object], *keys: str) -> Mapping[str, object]:
    """A table in tables; an empty one where there is none."""
    for key in keys:
        below = read.get(key)
        if not isinstance(below, dict):
            return {}
        read = cast("dict[str, object]", below)
    return read


def _logical(text: str) -> Iterator[str]:
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines():
        bare = re.sub(r"(^|\s)#.*$", "", line).strip() if "#egg=" not in line else line.strip()
        bare = re.sub(r"\s--(?:hash|config-settings|global-option)[=\s]\S+", "", bare).strip()
        if bare:
            yield bare


def _parse(line: str) -> tuple[str, ...]:
    """The names of one requirement; none where it is a path or an address without one."""
    if egg := _EGG.search(line):
        return (normal(egg[1]),)
    matched = _NAME.match(line)
    if matched is None:
        return ()
    name = normal(matched[1])
    return (name, *(f"{name}[{extra.strip().lower()}]" for extra in (matched[2] or "").split(",") if extra.strip()))

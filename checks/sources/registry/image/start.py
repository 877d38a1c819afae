"""Whether an image's own code can be imported, and whether what its command needs is there."""

import re
from collections.abc import Iterator
from typing import Final

from checks.evidence.images import Lack, Starting
from checks.sources.registry.image.application import Application
from checks.sources.registry.image.files import Read
from checks.sources.registry.image.layer import Entry
from checks.sources.registry.image.lookup import FoundFile, Layers, Unclear, UnreadLayer
from checks.sources.registry.image.manifest import Built
from checks.sources.registry.image.tar import MemberKind
from checks.text.plural import counted, form
from checks.text.show import show
from validate_daily.source_code.container.command import ContainerCommand
from validate_daily.source_code.container.shell import unwrapped
from validate_daily.source_code.finding import UnreadFile
from validate_daily.source_code.module import Module, read_module
from validate_daily.source_code.python.packages import INIT, Packages, join
from validate_daily.source_code.python.uninitialized import uninitialized
from validate_daily.source_code.requirements import normal
from validate_daily.source_code.tree import Tree

_MOST: Final = 50
_MOST_FILES: Final = 20_000
_PLACES: Final = re.compile(r"(?:^|/)(?:site-packages|dist-packages)/([^/]+)")


def starting_of(read: Read) -> Starting:
    """What is told by the layers that were read; where that is not all of them, what is not found may be below."""
    if read.built is None:
        return Starting(complete=False, note=f"the image was not read: {read.failure or 'no answer'}")
    application = Application(read.built.working_directory)
    tree = _tree(read.layers, application)
    lacks = [*_packages(read.layers, tree, application), *_needs(read, read.built)]
    note = None
    if not read.layers.whole:
        layers = len(read.built.layers)
        were = form(layers, "was", "were")
        note = f"{len(read.layers.read)} of {counted(layers, 'layer')} {were} read: what is not there may lie below"
    elif tree.unread:
        note = f"{len(tree.unread)} of its Python files could not be read"
    return Starting(lacks=tuple(lacks[:_MOST]), complete=read.layers.whole and not tree.unread, note=note)


def _tree(layers: Layers, application: Application) -> Tree:
    """The application's files as if they lay in a directory of their own."""
    modules: dict[str, Module] = {}
    texts: dict[str, str] = {}
    files: set[str] = set()
    unread: list[UnreadFile] = []
    own = [path for path in layers.names() if application.owns(path)]
    if len(own) > _MOST_FILES:
        unread.append(UnreadFile(path=application.folder, reason=f"more than {_MOST_FILES:,} files"))
    for path in own[:_MOST_FILES]:
        found = layers.find(path)
        if not isinstance(found, FoundFile) or found.entry.kind is not MemberKind.FILE:
            continue
        short = path.removeprefix(f"{application.folder}/")
        files.add(short)
        try:
            text = _kept(found.entry).decode("utf-8-sig")
            if short.endswith(".py"):
                modules[short] = read_module(short, text)
            else:
                texts[short] = text
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            unread.append(UnreadFile(path=short, reason=str(error)))
    name = application.folder.rpartition("/")[2]
    return Tree(name=name, modules=modules, texts=texts, files=frozenset(files), unread=tuple(unread))


def _kept(entry: Entry) -> bytes:
    if entry.text is None:
        raise ValueError("its bytes were not kept")
    return entry.text


def _packages(layers: Layers, tree: Tree, application: Application) -> Iterator[Lack]:
    """Directories that something imports from, and that have no ``__init__.py``: proved to have none."""
    for each in uninitialized(tree, Packages.of(tree)):
        path = join(application.folder, join(each.folder, INIT))
        if not isinstance(layers.find(path), FoundFile | UnreadLayer | Unclear):
            where = f"imported by /{application.folder}/{each.importer.path}, line {each.first.line}"
            yield Lack(what=f"/{path}", why=where)


def _needs(read: Read, built: Built) -> Iterator[Lack]:
    """Packages that the command of the image cannot run without, and that no layer brings."""
    if not read.layers.whole:
        return
    installed = {normal(_distribution(name)) for path in read.layers.names() for name in _PLACES.findall(path)}
    for words in unwrapped(built.command):
        for package in ContainerCommand(1, words).needs:
            if normal(package) not in installed:
                yield Lack(what=package, why=f"the command is {show(' '.join(built.command), limit=200)}")


def _distribution(name: str) -> str:
    """What is installed, by the name of its directory: ``gunicorn``, ``gunicorn-23.0.0.dist-info``, ``six.py``."""
    return re.sub(r"(-[^-]+)?\.(dist|egg)-info$", "", name).removesuffix(".py")

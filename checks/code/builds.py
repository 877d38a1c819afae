"""The Dockerfiles of a tree, each with the images that it may make."""

from collections.abc import Iterator
from dataclasses import dataclass

from checks.code.dockerfile import Stage, read_dockerfile
from checks.code.image import Image, build, contexts_of
from checks.code.tree import Tree, is_dockerfile


@dataclass(frozen=True, slots=True)
class Build:
    """One Dockerfile.

    Attributes:
        path: where it stands.
        stages: in order.
        contexts: the directories that it may be built from; none if what it copies is found from none.
        tree: what it was read with.
    """

    path: str
    stages: tuple[Stage, ...]
    contexts: tuple[str, ...]
    tree: Tree


def builds_of(tree: Tree) -> Iterator[Build]:
    """Every Dockerfile that has a stage."""
    for path, text in sorted(tree.texts.items()):
        if is_dockerfile(path) and (stages := read_dockerfile(text)):
            yield Build(path, stages, tuple(contexts_of(path, stages, tree)), tree)


def final_images(each: Build) -> Iterator[Image]:
    """The last stage, and others that have a command of their own, from each context."""
    for context in each.contexts:
        images = build(each.path, each.stages, each.tree, context)
        for number, stage in enumerate(each.stages):
            own = any(told.keyword in {"CMD", "ENTRYPOINT"} for told in stage.instructions)
            if own or number == len(each.stages) - 1:
                yield images[str(number)]

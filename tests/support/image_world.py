"""A registry that holds images as a test made them, and answers what the test says instead where it says so."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from checks.evidence.snapshot import Target
from checks.sources.budget import Budget
from checks.sources.credentials import Login
from checks.sources.registry.image.files import Read, read_files
from checks.sources.registry.image.limits import ImageLimits

from support.layered_images import Blobs
from support.registry_world import Asked, Reply, registry

REPOSITORY = "us-west2-docker.pkg.dev/demo-nba/pipe/scrapers"
Instead = Callable[[Asked], Reply | None]


@dataclass
class ImageWorld:
    """A registry of blobs. ``instead`` may answer a request first; ``asked`` keeps them all."""

    blobs: Blobs
    instead: Instead = lambda _asked: None
    asked: list[Asked] = field(default_factory=list[Asked])

    async def __call__(self, asked: Asked) -> Reply:
        """Answer."""
        self.asked.append(asked)
        if reply := self.instead(asked):
            return reply
        data = self.blobs.held.get(asked.path.rpartition("/")[2])
        return Reply(404) if data is None else Reply(200, {}, data)

    def layers_asked(self) -> list[str]:
        """The digests of the blobs that were asked for, in their order; the configuration is the first."""
        return [each.path.rpartition("/")[2] for each in self.asked if "/blobs/" in each.path]


@asynccontextmanager
async def practice(world: ImageWorld) -> AsyncGenerator[Target]:
    """Serve it, as a target of practice."""
    async with registry(world) as address:
        yield Target(source="registry", address=address, resource="images", practice=True)


async def look(
    world: ImageWorld,
    digest: object,
    paths: Iterable[str] = ("app/main.py",),
    *,
    limits: ImageLimits | None = None,
    seconds: float = 20.0,
    whole: bool = False,
) -> Read:
    """Look for files in one of its images."""
    async with practice(world) as target:
        return await read_files(
            REPOSITORY,
            str(digest),
            paths,
            target=target,
            budget=Budget(seconds),
            login=Login(),
            limits=limits,
            whole=whole,
        )

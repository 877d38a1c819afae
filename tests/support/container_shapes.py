"""Containers that may stand beside the program of a service or job of the practice cloud."""

from dataclasses import replace
from typing import Final

from validate_daily.sandbox import World
from validate_daily.sandbox.run.state import Container

from support.cloud_run import PHASE2

ONE: Final = "bdl-standings-processor-backfill"
"""A job that follows phase 2."""

PROGRAM: Final = Container("")
"""Stands for the container that is there already."""
PROXY = Container("gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.14", "cloudsql")
FRONT = Container("us-west2-docker.pkg.dev/shop/apps/nginx:1.27", "front", port=8080)
INIT = Container("docker.io/library/busybox:1.36", "init", command=("sh", "-c", "migrate"))
UNNAMED = Container("docker.io/library/redis:7")

WEB: Final = Container("us-west2-docker.pkg.dev/nba-props-platform/nba-props/web:latest", "web", port=8080)
APP: Final = Container("us-west2-docker.pkg.dev/nba-props-platform/nba-props/app:latest", "app")

SHAPES = {
    "a proxy before it": (PROXY, PROGRAM),
    "a proxy after it": (PROGRAM, PROXY),
    "a front with the port": (FRONT, replace(PROGRAM, name="bare")),
    "a front after it": (PROGRAM, FRONT),
    "nobody listens": (INIT, replace(PROGRAM, name="bare")),
    "it stands in the middle": (INIT, PROGRAM, PROXY),
    "a neighbour without a name": (UNNAMED, PROGRAM),
    "another image of ours": (WEB, PROGRAM),
    "it depends on a proxy": (PROXY, replace(PROGRAM, name="bare", depends_on=("cloudsql",))),
}
"""Among these the program is told by its repository."""

UNCLEAR = {"it stands there twice": (PROGRAM, PROGRAM), "two of ours": (WEB, APP), "and a proxy": (PROXY, WEB, APP)}
"""Among these nobody can tell."""


def placed(shape: tuple[Container, ...], own: Container) -> tuple[Container, ...]:
    """The containers of a shape, with the program where it stands."""
    return tuple(
        replace(own, port=None if each.name == "bare" else own.port, depends_on=each.depends_on)
        if each.image == ""
        else each
        for each in shape
    )


def give_service(world: World, shape: tuple[Container, ...], name: str = PHASE2, *, revisions: bool = True) -> None:
    """Let a service's template, and its revisions, have these containers."""
    service = world.service(name)
    service.template = replace(service.template, containers=placed(shape, service.template.containers[0]))
    for revision in service.revisions.values() if revisions else ():
        revision.template = replace(revision.template, containers=placed(shape, revision.template.containers[0]))


def give_job(world: World, shape: tuple[Container, ...], name: str = ONE) -> None:
    """Let a job's template have these containers."""
    job = next(each for each in world.run.jobs.values() if each.short == name)
    job.task = replace(job.task, containers=placed(shape, job.task.containers[0]))

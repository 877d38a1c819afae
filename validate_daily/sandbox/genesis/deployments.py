"""The services with their revisions, and the jobs with their executions."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from validate_daily.sandbox.images import Build
from validate_daily.sandbox.pipeline import Code, Job, PipelineService
from validate_daily.sandbox.run.state import PORT, Container, Service, Target, Task, Template
from validate_daily.sandbox.scenario import Deployed, Deployment, Jobs, Scenario
from validate_daily.sandbox.world import COMMIT_LABEL, World

_CREATED: Final = timedelta(days=300)
_EARLIER: Final = timedelta(days=40)
DEPLOYED: Final = timedelta(days=20)
_ROLLOUT: Final = timedelta(hours=1)
_OLDER_COMMIT: Final = "68d1e707"
_MOVED_COMMIT: Final = "7a91c04d"
_EXECUTIONS_BEFORE: Final = 4
_BETWEEN_JOBS: Final = timedelta(hours=7)


def deploy(world: World, told: Scenario, now: datetime) -> None:
    """Deploy everything as it was deployed until now."""
    for known in world.pipeline.services:
        different = told.deployment(known.name)
        service = _found(world, known, told.code.get(known.name, told.code.get("*", "new")), now)
        base = service.created_revision
        for later in different.later:
            _deploy_later(world, service, later, now)
        _direct(world, service, base, different, now)
        if different.label is not None:
            service.labels = {COMMIT_LABEL: different.label}
        if different.tag_moved is not None:
            world.images.push(
                world.pipeline.repository(known.name), Build("new", _MOVED_COMMIT), at=now - different.tag_moved
            )
    for place, job in enumerate(world.pipeline.jobs):
        _add_job(world, job, told.jobs, place, now)
    if told.permissions is not None:
        world.run.permissions = frozenset(told.permissions)
    world.logs.search.empty_pages = told.empty_pages


def _found(world: World, known: PipelineService, code: Code, now: datetime) -> Service:
    """A service with an old revision that is retired, and the one that serves."""
    actor = f"deployer@{world.pipeline.project}.iam.gserviceaccount.com"
    older = _template(world, known.name, Build("old", _OLDER_COMMIT), now - _EARLIER)
    service = world.run.add_service(
        world.place,
        known.name,
        older,
        number=known.number - 1,
        at=now - _EARLIER,
        actor=actor,
        labels=older.labels,
    )
    service.created = now - _CREATED
    commit = known.before if code == "old" else world.pipeline.fixed
    template = replace(
        _template(world, known.name, Build(code, commit), now - DEPLOYED), revision=f"{known.name}-{known.serves}"
    )
    world.run.update(service, template=template, labels=template.labels, at=now - DEPLOYED, takes=timedelta())
    service.template = replace(template, revision="")
    return service


def _deploy_later(world: World, service: Service, later: Deployed, now: datetime) -> None:
    known = world.pipeline.service(service.short)
    commit = later.commit or (known.before if later.code == "old" else world.pipeline.fixed)
    build = Build(later.code, commit, listens=later.listens, lacks=later.lacks)
    template = _template(world, service.short, build, now - later.ago, later.environment)
    template = replace(template, annotations={"run.example/deployed-by": f"build {service.generation + 1}"})
    takes = later.ago + _ROLLOUT if later.rolling else timedelta()
    world.run.update(service, template=template, labels=template.labels, at=now - later.ago, takes=takes)


def _direct(world: World, service: Service, base: str, different: Deployment, now: datetime) -> None:
    """Leave a part of the traffic where it was."""
    if not different.keeps:
        return
    rest = 100 - different.keeps
    traffic = (Target(different.keeps, base), *((Target(rest),) if rest else ()))
    since = now - min(later.ago for later in different.later)
    world.run.update(service, traffic=traffic, at=since, takes=timedelta())


def _template(
    world: World, service: str, build: Build, pushed: datetime, environment: Mapping[str, str] | None = None
) -> Template:
    repository = world.pipeline.repository(service)
    digest = world.images.push(repository, build, at=pushed)
    world.registry.tag(repository.partition("/")[2], build.commit, digest)
    return Template(
        containers=(
            Container(
                f"{repository}:latest",
                "worker-1",
                PORT,
                {"GCP_PROJECT_ID": world.pipeline.project, **(environment or {})},
                limits={"cpu": "1000m", "memory": "2Gi"},
            ),
        ),
        labels={COMMIT_LABEL: build.commit},
        service_account=f"{service}@{world.pipeline.project}.iam.gserviceaccount.com",
        max_instances=10,
    )


def _add_job(world: World, known: Job, jobs: Jobs, place: int, now: datetime) -> None:
    image, commit = _job_image(world, known, jobs, now)
    task = Task(
        (Container(image, environment={"GCP_PROJECT_ID": world.pipeline.project}),),
        service_account=f"backfill@{world.pipeline.project}.iam.gserviceaccount.com",
    )
    job = world.run.add_job(
        world.place,
        known.name,
        task,
        at=now - _CREATED,
        actor=f"deployer@{world.pipeline.project}.iam.gserviceaccount.com",
        labels={COMMIT_LABEL: commit},
    )
    ago = jobs.ran.get(known.name, jobs.last_run + place * _BETWEEN_JOBS)
    job.earlier = _EXECUTIONS_BEFORE
    operation = world.run.execute(job, at=now - ago)
    world.run.finish(operation, told=False)


def _job_image(world: World, known: Job, jobs: Jobs, now: datetime) -> tuple[str, str]:
    """The image of a job, and the commit that its label claims."""
    if jobs.image == "own":
        repository = f"gcr.io/{world.pipeline.project}/{known.name}"
        commit = world.pipeline.service(known.follows).before
        world.images.push(repository, Build("old", commit), at=now - _CREATED)
        return f"{repository}:latest", commit
    service = world.service(known.follows)
    if jobs.image == "pinned":
        ready = service.revisions[service.ready_revision]
        return world.images.program(ready.template.containers).image, ready.template.labels[COMMIT_LABEL]
    return f"{world.pipeline.repository(known.follows)}:latest", service.template.labels[COMMIT_LABEL]

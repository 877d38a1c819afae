"""Scenarios: the incidents, told as what each changes about a pipeline that works."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import Annotated, Final, Literal, TypeVar

import yaml
from pydantic import Field, ValidationError, model_validator

from validate_daily.sandbox.faults import Fault
from validate_daily.sandbox.pipeline import Code, Pipeline
from validate_daily.sandbox.strict import Duration, Strict

_PIPELINES: Final = "pipelines"
_SCENARIOS: Final = "scenarios"
_Model = TypeVar("_Model", bound=Strict)


class ScenarioError(ValueError):
    """A scenario does not exist, or its file is wrong."""


class LastRun(Strict):
    """What a processor's document says of its last run, after which it wrote nothing.

    Attributes:
        ago: how long ago it wrote last.
        status: its word for how the run stands.
        lasted: from the run's start until then.
        records: how many it had worked on, of all.
    """

    ago: Duration
    status: Literal["running", "failed"]
    lasted: Duration = timedelta(minutes=2)
    records: Annotated[int, Field(ge=0)] = 0


class Canonical(Strict):
    """The documents under canonical ids.

    Attributes:
        only: the processors that have one; all unless given.
        absent: processors that have none, and do not beat.
        age: how old every heartbeat is; fresh unless given.
        late: processors that stopped, and how old their last heartbeat is.
        last_runs: processors that wrote nothing after a run that was killed, or failed.
        before_old_code: how long ago the processors of a service on old code last wrote here.
    """

    only: tuple[str, ...] | None = Field(default=None, strict=False)
    absent: tuple[str, ...] = Field(default=(), strict=False)
    age: Duration | None = None
    late: Mapping[str, Duration] = {}
    last_runs: Mapping[str, LastRun] = {}
    before_old_code: Duration = timedelta()


class RunScoped(Strict):
    """Documents that old code left behind, one per run.

    Attributes:
        counts: how many per class name.
        others: how many more, spread evenly over all other processors.
        oldest, newest: how long ago the first and the last run started. Without ``oldest``, runs started as often as
            the processor's runs do.
        named: whether code named each document by its run, or let Firestore make up an id.
    """

    counts: Mapping[str, Annotated[int, Field(gt=0)]]
    others: Annotated[int, Field(ge=0)] = 0
    oldest: Duration | None = None
    newest: Duration
    named: Literal["run-scoped", "made-up"] = "run-scoped"


class OddDocument(Strict):
    """A document that is not as it should be. A processor of that name does not beat.

    Attributes:
        id: its id; ``pad_to`` fills it up to that many bytes.
        heartbeat: the age of its heartbeat, below zero for the future.
        last_heartbeat: a text instead of a time.
        junk_bytes: how much junk it carries.
    """

    id: str
    pad_to: int | None = None
    heartbeat: Duration | None = None
    last_heartbeat: str | None = None
    junk_bytes: int = 0


class Deployed(Strict):
    """A revision that was deployed after the one that a story begins with.

    Attributes:
        ago: how long ago.
        code: the code in its image.
        commit: the commit that it was built from; that of the fix unless given.
        listens: whether it listens on the port.
        lacks: a package that its command needs and its image has not.
        environment: its environment variables.
        rolling: whether it is still on its way.
    """

    ago: Duration
    code: Code = "new"
    commit: str | None = None
    listens: bool = True
    lacks: str | None = None
    environment: Mapping[str, str] = {}
    rolling: bool = False


class Deployment(Strict):
    """What is different about one service.

    Attributes:
        later: what was deployed since.
        keeps: how many percent of the traffic stay with the revision that the story begins with.
        label: what the service's commit label claims; the truth unless given.
        tag_moved: how long ago its tag was moved to a newer image, which nobody deployed.
        denied: since how long its account may not write to Firestore.
        allowed: how long ago it was allowed again.
    """

    later: tuple[Deployed, ...] = Field(default=(), strict=False)
    keeps: Annotated[int, Field(ge=0, le=100)] = 0
    label: str | None = None
    tag_moved: Duration | None = None
    denied: Duration | None = None
    allowed: Duration | None = None


class Jobs(Strict):
    """The jobs.

    Attributes:
        image: the image of the service that they follow, by tag; the same pinned by digest; or an old one of their own.
        last_run: how long ago each of them ran last, one after the other.
        ran: how long ago some of them ran instead.
    """

    image: Literal["service", "pinned", "own"] = "service"
    last_run: Duration = timedelta(days=9)
    ran: Mapping[str, Duration] = {}


class LogLine(Strict):
    """Something else in the log.

    Attributes:
        source: the service that says it.
        text: what it says; ``json`` puts it into the message of a JSON line.
        ago: when; ``times`` and ``every`` repeat it from then on.
        system: whether the platform says it.
    """

    source: str
    text: str
    ago: Duration
    severity: Literal["DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    json_payload: bool = Field(default=False, alias="json")
    times: Annotated[int, Field(ge=1)] = 1
    every: Duration = timedelta(minutes=5)
    system: bool = False


class Hang(Strict):
    """A run whose operation started and never ended: for so long it was still running."""

    ago: Duration
    signs: Duration


class Runs(Strict):
    """The second witness.

    Attributes:
        stopped: the processors whose last run ended so long ago; ``*`` names all.
        hanging: the processors whose operation hangs.
    """

    stopped: Mapping[str, Duration] = {}
    hanging: Mapping[str, Hang] = {}


class Scenario(Strict):
    """One incident.

    Attributes:
        title: its name for people.
        description: what happened, for whoever practises.
        holds: how many documents the heartbeat collection has when it begins; a test counts them.
        code: what services run; those not named run fixed code. ``*`` names all.
        clocks: how far the clocks of services are ahead, below zero for behind. ``*`` names all.
        deployments, jobs: what is different about services and jobs.
        permissions: what whoever asks may do with Cloud Run; everything unless given.
        canonical, run_scoped, documents: what the heartbeat collection holds.
        runs, lines: what the log holds. ``empty_pages`` come before the first page that holds any of it.
        faults: what goes wrong with calls.
    """

    title: str
    description: str
    holds: Annotated[int, Field(ge=0)] = 30
    pipeline: str = "nba"
    code: Mapping[str, Code] = {}
    clocks: Mapping[str, Duration] = {}
    deployments: Mapping[str, Deployment] = {}
    jobs: Jobs = Jobs()
    permissions: tuple[str, ...] | None = Field(default=None, strict=False)
    canonical: Canonical | None = Canonical()
    run_scoped: RunScoped | None = None
    documents: tuple[OddDocument, ...] = Field(default=(), strict=False)
    runs: Runs = Runs()
    lines: tuple[LogLine, ...] = Field(default=(), strict=False)
    empty_pages: Annotated[float, Field(ge=0)] = 0
    faults: tuple[Fault, ...] = Field(default=(), strict=False)

    def deployment(self, service: str) -> Deployment:
        """What is different about a service: what is told of it, else what is told of all."""
        return self.deployments.get(service) or self.deployments.get("*") or Deployment()

    @model_validator(mode="after")
    def _names_what_exists(self) -> "Scenario":
        pipeline = load_pipeline(self.pipeline)
        processors = {processor.name for processor in pipeline.processors}
        classes = {processor.class_name for processor in pipeline.processors} | set(pipeline.test_doubles)
        services = {service.name for service in pipeline.services} | {"*"}
        canonical = self.canonical or Canonical()
        named = {
            "canonical.only": set(canonical.only or ()) - processors,
            "canonical.absent": set(canonical.absent) - processors,
            "canonical.late": set(canonical.late) - processors,
            "canonical.last_runs": set(canonical.last_runs) - processors,
            "run_scoped.counts": set(self.run_scoped.counts if self.run_scoped else ()) - classes,
            "code": set(self.code) - services,
            "clocks": set(self.clocks) - services,
            "deployments": set(self.deployments) - services,
            "jobs.ran": set(self.jobs.ran) - {job.name for job in pipeline.jobs},
            "runs.stopped": set(self.runs.stopped) - processors - {"*"},
            "runs.hanging": set(self.runs.hanging) - {one.name for one in pipeline.processors if one.operation},
            "lines": {line.source for line in self.lines} - services,
        }
        for key, unknown in named.items():
            if unknown:
                raise ValueError(f"{key}: the pipeline {self.pipeline} has no {', '.join(sorted(unknown))}")
        return self


def scenario_names() -> tuple[str, ...]:
    """All scenarios, sorted."""
    files = resources.files("validate_daily.sandbox").joinpath(_SCENARIOS).iterdir()
    return tuple(sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml")))


@cache
def load_scenario(name: str) -> Scenario:
    """Read a scenario of this package.

    Raises:
        ScenarioError: there is none of this name, or its file is wrong.
    """
    if name not in scenario_names():
        raise ScenarioError(f"there is no scenario {name!r}: choose one of {', '.join(scenario_names())}")
    return parse(_read(_SCENARIOS, name), Scenario, f"{_SCENARIOS}/{name}.yaml")


@cache
def load_pipeline(name: str) -> Pipeline:
    """Read a pipeline of this package."""
    return parse(_read(_PIPELINES, name), Pipeline, f"{_PIPELINES}/{name}.yaml")


def parse(text: str, model: type[_Model], file: str) -> _Model:
    """Read YAML into a model.

    Raises:
        ScenarioError: it is not what the model wants; the message names file and key.
    """
    try:
        return model.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ScenarioError(f"{file} is no YAML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors())
        raise ScenarioError(f"{file}: {problems}") from error


def _read(folder: str, name: str) -> str:
    return resources.files("validate_daily.sandbox").joinpath(folder, f"{name}.yaml").read_text(encoding="utf-8")

"""A healthy world, faults that can be put into it, and evidence that can be taken out: for laws about verdicts.

``PYTHONPATH=tests python -m support.faulty_worlds`` prints how often each rule fires in random worlds. A new rule gets
an entry in ``FAULTS``: what it changes in the world. A fault has a subject of its own, or makes one worse.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from checks.evidence.deployments import Deployments, Job, Service, State, Tag
from checks.evidence.images import Inspected
from checks.evidence.logs import LogBurst, Logs, Operation, Run, Trouble
from checks.evidence.snapshot import Gap, Snapshot, Target
from checks.judge.report import judge
from checks.judge.rules import RULES
from checks.settings.pipeline import Pipeline
from checks.sources.firestore.tally import HeartbeatDocument

from support.deployed import NEW, OLD, PROBE, burst, image, inspected, job, operation, revision, service, settings, tag
from support.snapshots import FRESH, NOW, document, run_document, snapshot

EXAMPLES: Final = 2_000
MOST_FAULTS: Final = 6
LATE, DOWN = timedelta(hours=3), timedelta(days=5)
UNITS: Final = tuple(f"Unit{number:02}Processor" for number in range(10))
RUNNERS: Final[Mapping[str, str]] = dict.fromkeys(UNITS[:3], "loader") | dict.fromkeys(UNITS[3:6], "writer")
WEB = "web"


@dataclass
class World:
    """What there is to see.

    Attributes:
        ages: how old the heartbeats of the registered processors are; None where there is no document.
        heard: whether runs are logged at all.
        stopped: processors that do not run any more.
    """

    ages: dict[str, timedelta | None] = field(default_factory=lambda: dict.fromkeys(UNITS, FRESH))
    heard: bool = True
    stopped: set[str] = field(default_factory=set[str])
    documents: list[HeartbeatDocument] = field(default_factory=list[HeartbeatDocument])
    registered: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    services: dict[str, Service] = field(default_factory=lambda: {name: healthy(name) for name in ("loader", "writer")})
    named: list[str] = field(default_factory=lambda: ["loader", "writer"])
    jobs: dict[str, Job] = field(default_factory=dict[str, Job])
    follows: dict[str, str] = field(default_factory=dict[str, str])
    tags: dict[str, Tag] = field(default_factory=dict[str, Tag])
    texts: dict[str, bytes] = field(default_factory=dict[str, bytes])
    commits: dict[str, str] = field(default_factory=dict[str, str])
    bursts: list[LogBurst] = field(default_factory=list[LogBurst])
    operations: list[Operation] = field(default_factory=list[Operation])
    gaps: list[Gap] = field(default_factory=list[Gap])
    real: bool = False
    more: dict[str, Any] = field(default_factory=dict[str, Any])

    def age(self, name: str, age: timedelta | None) -> None:
        """Make a processor at least this silent; None takes its document away."""
        now = self.ages[name]
        self.ages[name] = None if now is None or age is None else max(now, age)

    def settings(self) -> Pipeline:
        """The settings of this world."""
        units: list[dict[str, object]] = [{"name": name, "service": RUNNERS.get(name)} for name in UNITS]
        return settings(
            [*units, *self.registered],
            services=[{"name": name} for name in self.named],
            jobs=[{"name": name, "follows": self.follows.get(name)} for name in self.jobs],
            thresholds={"notice": 20, "p1": 30, "p0": 40},
            code_probes=[PROBE],
            **self.more,
        )

    def snapshot(self) -> Snapshot:
        """What a check sees of it."""
        beats = [document(name, age) for name, age in self.ages.items() if age is not None]
        taken = snapshot([*beats, *self.documents], self.settings())
        registered = [*UNITS, *(str(each["name"]) for each in self.registered)]
        runs = [
            Run(processor=name, at=NOW - FRESH, source=WEB)
            for name in registered
            if self.heard and name not in self.stopped
        ]
        told = Logs(
            since=NOW - timedelta(hours=24),
            until=NOW,
            runs=tuple(runs),
            bursts=tuple(self.bursts),
            operations=tuple(self.operations),
        )
        deployments = Deployments(
            services=tuple(self.services.values()),
            jobs=tuple(self.jobs.values()),
            tags=tuple(self._tag(name) for name in (*self.services, *self.jobs)),
            inspected=tuple(each for name in (*self.services, *self.jobs) for each in self._inspected(name)),
        )
        targets = (
            *taken.targets,
            Target(source="logging", address="127.0.0.1:2", resource="demo", practice=not self.real),
        )
        update = {"logs": told, "deployments": deployments, "gaps": tuple(self.gaps), "targets": targets}
        return taken.model_copy(update=update)

    def _tag(self, name: str) -> Tag:
        return self.tags.get(name) or tag(NEW, "latest", repository_of(name))

    def _inspected(self, name: str) -> list[Inspected]:
        text, commit = self.texts.get(name, b"good"), self.commits.get(name)
        return [inspected(digest, text, repository=repository_of(name), commit=commit) for digest in (OLD, NEW)]


def repository_of(name: str) -> str:
    """Each service and job has an image of its own."""
    return f"us-west2-docker.pkg.dev/demo-nba/nba/{name}"


def healthy(name: str, **more: Any) -> Service:
    """A service that serves what its tag points at."""
    own = repository_of(name)
    revisions = [_revision(name, 1, OLD), _revision(name, 2, NEW)]
    shares = [{"revision": revisions[1].name, "percent": 100, "latest": True}]
    known = {"name": name, "image": image(tag="latest", repository=own), "revisions": revisions, "shares": shares}
    names = {"created": revisions[1].name, "ready": revisions[1].name}
    return Service.model_validate(dict(service()) | known | names | more)


def _revision(name: str, number: int, digest: str, **more: Any) -> Any:
    return revision(
        number,
        digest,
        name=_of(name, number),
        service=name,
        image=image(digest, repository=repository_of(name)),
        **more,
    )


def _of(name: str, number: int) -> str:
    return f"{name}-{number:05}-abc"


Fault = Callable[[World], None]


def _serving(name: str, **more: Any) -> Fault:
    def put(world: World) -> None:
        world.services[name] = healthy(name, **more)
        world.named.append(name)

    return put


def _flagged(name: str) -> Fault:
    """Its environment switches heartbeats off."""

    def put(world: World) -> None:
        flags = {"ENABLE_HEARTBEATS": "false"}
        world.services[name] = healthy(name, revisions=[_revision(name, 2, NEW, flags=flags)])

    return put


def _job(name: str, runs: str = NEW, *, recent: bool, **more: Any) -> Fault:
    def put(world: World) -> None:
        own = job(
            name,
            image(runs, repository=repository_of(name)),
            ran=timedelta(days=1 if recent else 60),
            **more,
        )
        world.jobs[name] = own

    return put


def _following(name: str, leader: str, *, recent: bool) -> Fault:
    """A job that pins another image than its service serves."""

    def put(world: World) -> None:
        _job(name, OLD, recent=recent)(world)
        world.follows[name] = leader

    return put


def _without_fix(name: str, put: Fault | None = None) -> Fault:
    def lack(world: World) -> None:
        if put is not None:
            put(world)
        world.texts[name] = b"bad"

    return lack


def _contradicted(world: World) -> None:
    """Its label says one commit, its image another."""
    _serving("drifts", commit="aaaaaaa1")(world)
    world.commits["drifts"] = "bbbbbbb2"


def _moved(world: World) -> None:
    _serving("moved", revisions=[_revision("moved", 2, OLD)])(world)


def _retagged(world: World) -> None:
    _serving("untagged")(world)
    world.tags["untagged"] = tag(None, "latest", repository_of("untagged"))


def _lost(world: World) -> None:
    """Its registry does not have the image of a job any more."""
    _job("lost", recent=True)(world)
    world.tags["lost"] = tag(None, NEW, repository_of("lost"))


def _labelled(world: World) -> None:
    _serving("labelled", commit="aaaaaaa1", revisions=[_revision("labelled", 2, NEW, commit="ccccccc3")])(world)
    world.commits["labelled"] = "aaaaaaa1"


def _written(count: int, created: timedelta, writer: str) -> Fault:
    """So many documents of one writer that names them by run."""

    def put(world: World) -> None:
        ids = (f"{writer}_None_{number:08x}" for number in range(count))
        world.documents += [document(each, created=created) for each in ids]

    return put


def _slow(world: World) -> None:
    """A clock that is hours behind."""
    world.registered.append({"name": "SlowProcessor"})
    world.documents.append(document("SlowProcessor", timedelta(hours=4), updated=timedelta(minutes=1)))


def _run(name: str, status: str, *, silent: timedelta) -> Fault:
    """The last run of a processor, which promised a beat a minute."""

    def put(world: World) -> None:
        world.registered.append({"name": name})
        world.documents.append(run_document(name, status, silent, run_id="ab12cd"))

    return put


def _nobody_quiet(world: World) -> None:
    since, until = NOW - timedelta(days=1), NOW + timedelta(days=1)
    gone = {"processors": ["GoneProcessor"], "from": since, "until": until, "reason": "off-season"}
    world.more["quiet"] = [*world.more.get("quiet", ()), gone]


def _gap(source: str) -> Fault:
    gap = Gap(source=source, reason=f"{source} answered in part", next_step="try again")
    return lambda world: world.gaps.append(gap)


def _silent(names: tuple[str, ...], age: timedelta | None) -> Fault:
    def put(world: World) -> None:
        for name in names:
            world.age(name, age)

    return put


def _stopped(name: str, age: timedelta) -> Fault:
    """It neither beats nor runs."""

    def put(world: World) -> None:
        world.age(name, age)
        world.stopped.add(name)

    return put


def _cannot_write(world: World) -> None:
    _serving("scraper")(world)
    world.bursts.append(burst(Trouble.WRITE_ERROR, "scraper"))


def _missing_service(world: World) -> None:
    world.named.append("nowhere")


SILENCES: Final[Mapping[str, Fault]] = {
    **{f"{name} late": _silent((name,), LATE) for name in UNITS[::2]},
    **{f"{name} down": _silent((name,), DOWN) for name in UNITS[::3]},
    **{f"{name} missing": _silent((name,), None) for name in UNITS[1::4]},
    **{f"{name} stopped": _stopped(name, LATE) for name in UNITS[::5]},
    "half late": _silent(UNITS[:5], LATE),
    "all late": _silent(UNITS, LATE),
    "half down": _silent(UNITS[5:], DOWN),
    "two down": _silent(UNITS[8:], DOWN),
}
"""Faults of heartbeats alone, which are told together."""

FAULTS: Final[Mapping[str, Fault]] = {
    **SILENCES,
    "runs of no line": lambda world: world.stopped.add(UNITS[7]),
    "a stranger is silent": lambda world: world.documents.append(document("Stranger", DOWN)),
    "a clock is ahead": lambda world: world.documents.append(document("Ahead", -LATE)),
    "a clock is behind": _slow,
    "no time": lambda world: world.documents.append(document("Mute", None)),
    "a run died": _run("DiedProcessor", "running", silent=timedelta(minutes=20)),
    "a run is silent": _run("SilentProcessor", "running", silent=timedelta(minutes=7)),
    "a run failed": _run("FailedProcessor", "failed", silent=FRESH),
    "few by run": _written(3, timedelta(days=9), "Writer"),
    "some by run": _written(12, timedelta(days=9), "OtherWriter"),
    "many by run": _written(45, timedelta(days=9), "ThirdWriter"),
    "growing": _written(2, timedelta(minutes=10), "FourthWriter"),
    "loader switched off": _flagged("loader"),
    "writer lacks the fix": _without_fix("writer"),
    "job switched off": _job("off", recent=True, flags={"ENABLE_HEARTBEATS": "false"}),
    "loader denied": lambda world: world.bursts.append(burst(Trouble.PERMISSION_DENIED, "loader")),
    "scraper cannot write": _cannot_write,
    "service missing": _missing_service,
    "newest failed": _serving("failed", created=_of("failed", 3), state=State.FAILED),
    "pinned": _serving("pinned", created=_of("pinned", 3), pinned=True),
    "split": _serving(
        "split",
        shares=[
            {"revision": _of("split", 1), "percent": 40, "latest": False},
            {"revision": _of("split", 2), "percent": 60, "latest": True},
        ],
    ),
    "tag moved": _moved,
    "tag gone": _retagged,
    "image gone": _lost,
    "service lacks the fix": _without_fix("lacking", _serving("lacking")),
    "label drifts": _contradicted,
    "label contradicted": _labelled,
    "job differs": _following("differs", "loader", recent=True),
    "idle job differs": _following("idle", "writer", recent=False),
    "job lacks the fix": _without_fix("stale", _job("stale", recent=True)),
    "idle job lacks the fix": _without_fix("asleep", _job("asleep", recent=False)),
    "an operation hangs": lambda world: world.operations.append(operation(timedelta(minutes=50))),
    "half practice": lambda world: setattr(world, "real", True),
    "registry in part": _gap("registry"),
    "logging in part": _gap("logging"),
    "quiet for nobody": _nobody_quiet,
}


def world_of(faults: frozenset[str], *, quiet: bool = False, heard: bool = True) -> World:
    """The world with these faults, put in by the order of the table.

    Args:
        faults: their names.
        quiet: two processors may be silent.
        heard: runs are logged.
    """
    world = World(heard=heard)
    if quiet:
        since, until = NOW - timedelta(days=1), NOW + timedelta(days=1)
        window = {"processors": [UNITS[0], UNITS[6]], "from": since, "until": until, "reason": "off-season"}
        world.more["quiet"] = [window]
    for name, put in FAULTS.items():
        if name in faults:
            put(world)
    return world


def fired(worlds: int = EXAMPLES, seed: int = 0) -> Counter[str]:
    """In how many of so many random worlds each rule found something."""
    chance = random.Random(seed)  # noqa: S311 - worlds, no secrets
    counts: Counter[str] = Counter()
    for _ in range(worlds):
        chosen = frozenset(chance.sample(sorted(FAULTS), chance.randint(0, MOST_FAULTS)))
        report = judge(world_of(chosen).snapshot())
        counts.update({finding.rule for finding in report.findings})
    return counts


def main() -> None:
    """Print the table of how often each rule fires."""
    counts = fired()
    for rule in RULES:
        sys.stdout.write(f"{rule.name:28} {counts[rule.name]:5} of {EXAMPLES:,}  {counts[rule.name] / EXAMPLES:6.1%}\n")


if __name__ == "__main__":
    main()

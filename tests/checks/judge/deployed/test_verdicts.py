"""Services and jobs one by one: what a finding only counts is not healthy because it was not named."""

from collections import Counter
from datetime import timedelta

from checks.evidence.deployments import State
from checks.judge.deployed.verdicts import subjects
from checks.judge.report import judge
from checks.judge.rules import context_of

from support.deployed import OLD, image, job, seen, service, settings, tag

JOBS = 45
"""More than a finding names."""


def test_every_job_on_an_old_image_has_its_verdict_however_many_there_are() -> None:
    names = [f"backfill-{number:02}" for number in range(JOBS)]
    following = settings(jobs=[{"name": name, "follows": "phase2"} for name in names])
    jobs = [job(name, image(OLD), ran=timedelta(days=1) if name == names[-1] else None) for name in names]
    taken = seen(service(), jobs=[*jobs, job("other", image(OLD))], tags=[tag()], pipeline=following)

    told = subjects(context_of(taken), judge(taken))

    assert Counter((each.kind, each.verdict.value) for each in told) == {
        ("job", "P1"): JOBS,
        ("job", "healthy"): 1,
        ("service", "healthy"): 1,
    }


def test_a_job_that_runs_what_its_service_serves_is_healthy_beside_one_that_does_not() -> None:
    following = settings(jobs=[{"name": name, "follows": "phase2"} for name in ("old", "right")])
    taken = seen(service(), jobs=[job("old", image(OLD)), job("right")], tags=[tag()], pipeline=following)

    told = {each.name: each.verdict.value for each in subjects(context_of(taken), judge(taken))}

    assert told == {"old": "P2", "right": "healthy", "phase2": "healthy"}


def test_a_job_whose_last_execution_failed_or_was_cancelled_is_said_to_have() -> None:
    ended = job("one", ran=timedelta(hours=1), last_state=State.FAILED, last_execution="one-x7k2p")
    following = settings(jobs=[{"name": "one", "follows": "phase2"}])
    for cancelled, how in ((False, "failed"), (True, "was cancelled")):
        one = ended.model_copy(update={"cancelled": cancelled})
        taken = seen(service(), jobs=[one], tags=[tag()], pipeline=following)
        (told,) = (each for each in subjects(context_of(taken), judge(taken)) if each.kind == "job")
        assert told.told == f"the last execution of one, one-x7k2p, {how}"

    well = job("one", ran=timedelta(hours=1), last_state=State.SUCCEEDED)
    taken = seen(service(), jobs=[well], tags=[tag()], pipeline=following)
    assert [each.told for each in subjects(context_of(taken), judge(taken)) if each.kind == "job"] == [None]

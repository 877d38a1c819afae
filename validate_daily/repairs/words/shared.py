"""What can be told of every plan and result; the modules beside this one register how."""

from collections.abc import Iterable
from functools import singledispatch
from typing import Final

from checks.formats.practice import PRACTICE
from checks.text.show import show
from validate_daily.repairs.plans.outcome import RepairResult
from validate_daily.repairs.plans.ownership import Ownership
from validate_daily.repairs.plans.plan import Plan

SHOWN: Final = 10
NAME: Final = 200


@singledispatch
def plan_lines(plan: Plan) -> list[str]:
    """What a person needs to agree to a plan, or not: lines for a terminal."""
    raise TypeError(f"no words for a plan of the type {type(plan).__name__}")


@singledispatch
def question(plan: Plan) -> str:
    """All that a person needs to decide, from the sealed plan alone."""
    raise TypeError(f"no question for a plan of the type {type(plan).__name__}")


@singledispatch
def result_lines(result: RepairResult) -> list[str]:
    """What became of a plan: lines for a terminal."""
    raise TypeError(f"no words for a result of the type {type(result).__name__}")


@singledispatch
def command_of(plan: Plan) -> tuple[str, ...]:
    """The arguments of ``validate-daily`` that plan the same once more."""
    raise TypeError(f"no command for a plan of the type {type(plan).__name__}")


def practice(plan: Plan) -> str:
    """A word before everything that is said of a practice cloud."""
    return f"{PRACTICE}: " if plan.target.practice else ""


def when(plan: Plan) -> list[str]:
    """Why, where and until when: the same of every plan."""
    return [
        f"why       {show(plan.reason, limit=1_000)}",
        f"from      {show(plan.target.address)}, {show(plan.target.resource)}",
        f"as of     {plan.read_time:%Y-%m-%d %H:%M:%S UTC}; start by {plan.expires_at:%H:%M:%S UTC}",
    ]


def owner_lines(owned: Iterable[Ownership]) -> list[str]:
    """Whose deploys the subject of a plan is, and what that means."""
    found = list(owned)
    lines = [f"{each}" for each in found[:SHOWN]] + ([f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else [])
    return [*lines, *(["its next run undoes this"] if found else [])]


def unseen(result: RepairResult) -> list[str]:
    """What could not be seen or written down."""
    return [f"unseen    {show(each, limit=500)}" for each in result.unseen]

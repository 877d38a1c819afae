import pytest

from checks.settings.named_file_only import Writes
from validate_daily.repairs.plans.approval import Approval, How, check_approval
from validate_daily.repairs.plans.errors import RefusedError
from validate_daily.repairs.plans.plan import Plan, Principal

from support.plans import PLAN

CLIENT = Writes(enabled=True, approval="client")
UNATTENDED = Writes(enabled=True, unattended=True)
TERMINAL = Writes(enabled=True)
GROWING = PLAN.model_copy(update={"even_if_growing": True})
LARGE = PLAN.model_copy(update={"default_max": 2})


@pytest.mark.parametrize(
    ("how", "writes"), [("terminal", TERMINAL), ("client", CLIENT), ("unattended", UNATTENDED), ("terminal", CLIENT)]
)
def test_an_agreement_holds_where_the_settings_allow_its_way(how: How, writes: Writes) -> None:
    check_approval(Approval.given(PLAN, how, PLAN.principal), PLAN, writes)


@pytest.mark.parametrize(
    ("how", "writes", "plan", "message"),
    [
        ("client", TERMINAL, PLAN, 'approval is "terminal"'),
        ("client", UNATTENDED, PLAN, 'approval is "terminal"'),
        ("unattended", CLIENT, PLAN, "unattended is false"),
        ("client", CLIENT, GROWING, "only a person in a terminal"),
        ("unattended", UNATTENDED, LARGE, "only a person in a terminal"),
    ],
)
def test_an_agreement_that_the_settings_do_not_allow_is_refused(
    how: How, writes: Writes, plan: Plan, message: str
) -> None:
    with pytest.raises(RefusedError, match=f"{message}.*; next: apply it in a terminal"):
        check_approval(Approval.given(plan, how, plan.principal), plan, writes)


@pytest.mark.parametrize(
    "other",
    [
        Approval.given(PLAN.model_copy(update={"id": "f" * 16}), "terminal", PLAN.principal),
        Approval.given(PLAN, "terminal", Principal(name="bob")),
        Approval.given(PLAN, "terminal", Principal(name=PLAN.principal.name, verified=True)),
    ],
    ids=["another plan", "another person", "the same name, verified"],
)
def test_an_agreement_holds_for_its_own_plan_and_person_only(other: Approval) -> None:
    with pytest.raises(RefusedError, match="another plan's"):
        check_approval(other, PLAN, TERMINAL)


def test_what_a_client_accepts_says_that_no_human_is_proven() -> None:
    assert Approval.given(PLAN, "client", PLAN.principal).note == "client accepted; a human is not proven"

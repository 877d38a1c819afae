from validate_daily.sandbox import Fault
from validate_daily.sandbox.faults import Faults


def test_a_fault_lets_calls_pass_before_it_applies_and_is_then_used_up() -> None:
    fault = Fault(method="Commit", status="UNAVAILABLE", skip=2, times=1)
    faults = Faults([fault])

    assert [faults.take("Commit") for _ in range(4)] == [None, None, fault, None]


def test_calls_of_other_methods_do_not_count_as_passed() -> None:
    fault = Fault(method="Commit", status="UNAVAILABLE", skip=1)
    faults = Faults([fault])

    assert [faults.take(name) for name in ("RunQuery", "Commit", "RunQuery", "Commit")] == [None, None, None, fault]

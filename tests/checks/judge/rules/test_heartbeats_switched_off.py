import pytest

from checks import Verdict, judge

from support.deployed import revision, seen, service, tag
from support.snapshots import only


@pytest.mark.parametrize("value", ["false", "False", " 0 ", "no", "off"])
def test_a_serving_revision_whose_flag_is_off_is_p1(value: str) -> None:
    off = service(revisions=[revision(2, flags={"ENABLE_HEARTBEATS": value})])

    finding = only(seen(off, tags=[tag()]), "heartbeats-switched-off")

    assert (finding.severity, finding.subject) == ("P1", "phase2")


def test_a_flag_that_is_on_or_off_in_a_revision_that_does_not_serve_is_fine() -> None:
    on = service(revisions=[revision(1, flags={"ENABLE_HEARTBEATS": "false"}), revision(2, flags={"ENABLE": "true"})])

    assert judge(seen(on, tags=[tag()])).verdict is Verdict.HEALTHY

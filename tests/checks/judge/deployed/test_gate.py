"""What one look says of a deploy: nothing passes of which a share was not read."""

import pytest

from checks.judge.deployed.gate import Gate, WantedImage, judge_deploy

from support.deployed import NEW, OLD, image, inspected, revision, service

BY_DIGEST = WantedImage(digest=NEW, named="it")
BY_COMMIT = WantedImage(digest=None, named="ce269d67")
UNREAD = service((1, 30), (2, 70), revisions=[revision(2)])
NAMELESS = service((1, 30), (2, 70), revisions=[revision(1, image=image(tag="latest")), revision(2)])


def test_every_share_that_serves_it_passes() -> None:
    gate = judge_deploy(service(), BY_DIGEST, [inspected()], ())

    assert (gate.deployed, gate.level, gate.exit_code) == (True, "bytes", 0)


@pytest.mark.parametrize("served", [UNREAD, NAMELESS])
@pytest.mark.parametrize("wanted", [BY_DIGEST, BY_COMMIT])
def test_a_share_of_which_nothing_is_known_leaves_it_unknown(served: object, wanted: WantedImage) -> None:
    gate: Gate = judge_deploy(served, wanted, [inspected()], ())  # type: ignore[arg-type] - a service

    assert (gate.deployed, gate.exit_code) == (None, 3)
    assert gate.reason == "which digest serves could not be read: phase2-00001-abc"


def test_a_child_of_the_wanted_index_passes_and_another_digest_does_not() -> None:
    of_index = WantedImage(digest="sha256:" + "2" * 64, children=(NEW,), named="it")

    assert judge_deploy(service(), of_index, (), ()).deployed is True
    assert judge_deploy(service((1, 1), (2, 99)), of_index, (), ()).deployed is False
    assert judge_deploy(service(), WantedImage(digest=OLD, named="it"), (), ()).deployed is False


def test_no_traffic_is_not_deployed() -> None:
    gate = judge_deploy(service(shares=()), BY_DIGEST, (), ())

    assert (gate.deployed, gate.reason) == (False, "no revision gets traffic")


def test_files_that_were_not_read_leave_it_unknown() -> None:
    gate = judge_deploy(service(), BY_DIGEST, [inspected(unread="no answer")], ())

    assert (gate.deployed, gate.level) == (None, "bytes")

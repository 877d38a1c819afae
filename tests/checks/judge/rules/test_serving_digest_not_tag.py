from checks import Verdict, judge
from checks.evidence.deployments import Tag

from support.deployed import NEW, image, seen, service, settings, tag
from support.snapshots import only, told


def test_a_tag_that_moved_and_was_not_deployed_is_p1_with_both_digests() -> None:
    moved = "sha256:" + "2" * 64

    finding = only(seen(service(), tags=[tag(moved)]), "serving-digest-not-tag")

    assert (finding.severity, finding.subject) == ("P1", "phase2")
    assert [fact.subject for fact in finding.evidence] == [moved, NEW]
    assert finding.next_step.startswith("NOT DEPLOYED")


def test_a_service_that_was_deployed_by_digest_is_held_to_the_tag_that_the_settings_name() -> None:
    pinned, moved = service(image=image(NEW)), "sha256:" + "2" * 64
    wanted = settings(services=[{"name": "phase2", "tag": "stable"}])

    report = judge(seen(pinned, tags=[tag(moved, "stable")], pipeline=wanted))

    assert told(report) == [("serving-digest-not-tag", "P1", "phase2")]
    assert told(judge(seen(pinned, tags=[tag(moved, "stable")]))) == []


def test_an_index_whose_child_serves_is_what_serves() -> None:
    index = Tag(repository=image().repository, tag="latest", digest="sha256:" + "9" * 64, children=(NEW,))

    assert judge(seen(service(), tags=[index])).verdict is Verdict.HEALTHY


def test_a_tag_that_is_gone_is_p2() -> None:
    assert only(seen(service(), tags=[tag(None)]), "serving-digest-not-tag").severity == "P2"

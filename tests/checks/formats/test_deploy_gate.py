from checks.evidence.snapshot import Level
from checks.formats.deploy_gate import render_gate
from checks.judge.deployed.gate import Gate, ServedShare, WantedImage

OLD, NEW = "sha256:" + "0" * 64, "sha256:" + "1" * 64


def test_what_serves_instead_stands_below_what_was_wanted() -> None:
    gate = Gate(
        service="phase2",
        deployed=False,
        level=Level.DIGEST,
        wanted=WantedImage(digest=NEW, named="the tag v2\x1b"),
        reason="another serves",
        next_step="route the traffic",
        shares=(ServedShare(revision="phase2-1", percent=100, digest=OLD, wanted=False),),
        practice=True,
    )

    assert render_gate(gate).splitlines() == [
        "PRACTICE: this says nothing about production",
        "NOT DEPLOYED: phase2: another serves (level: digest)",
        rf"wanted    the tag v2\x1b: {NEW}",
        f"serves    100 % by phase2-1, {OLD}: another",
        "next      route the traffic",
    ]


def test_a_deployed_service_needs_no_next_step() -> None:
    gate = Gate(service="phase2", deployed=True, level=Level.DIGEST, wanted=None, reason="it serves", next_step="none")

    assert render_gate(gate) == "DEPLOYED: phase2: it serves (level: digest)\n"

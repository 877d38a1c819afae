"""The gate after a deploy, for a person: deployed or not, then what was wanted and what serves."""

from checks.formats.practice import practice_line
from checks.judge.deployed.gate import Gate
from checks.text.show import show


def render_gate(gate: Gate) -> str:
    """The answer as plain lines."""
    head = {True: "DEPLOYED", False: "NOT DEPLOYED", None: "unknown"}[gate.deployed]
    lines = [practice_line()] if gate.practice else []
    lines.append(f"{head}: {gate.service}: {show(gate.reason)} (level: {gate.level})")
    if gate.wanted:
        meant = gate.wanted.digest or "no image of the repository is tagged so"
        lines.append(f"wanted    {show(gate.wanted.named)}: {meant}")
    for share in gate.shares:
        same = {True: "it is", False: "another", None: "not compared"}[share.wanted]
        lines.append(f"serves    {share.percent} % by {share.revision}, {share.digest or 'no digest is known'}: {same}")
    if gate.next_step and not gate.deployed:
        lines.append(f"next      {gate.next_step}")
    return "\n".join(lines) + "\n"

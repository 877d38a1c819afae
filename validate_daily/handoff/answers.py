"""Which function answers which check: one table."""

from collections.abc import Callable, Mapping
from typing import Final

from validate_daily.handoff import deployment_answers as of_deployments
from validate_daily.handoff import heartbeat_answers as of_heartbeats
from validate_daily.handoff.claim import Check
from validate_daily.handoff.measurements import Measurement, Measurements

ANSWERS: Final[Mapping[Check, Callable[[Measurements, str, str], Measurement]]] = {
    Check.VERDICT: of_heartbeats.verdict,
    Check.DOCUMENTS: of_heartbeats.documents,
    Check.MALFORMED: of_heartbeats.malformed,
    Check.GROWTH: of_heartbeats.growth,
    Check.HEARTBEAT: of_heartbeats.heartbeat,
    Check.FINDING: of_heartbeats.finding,
    Check.SERVES: of_deployments.serves,
    Check.REVISION: of_deployments.revision,
    Check.COMMIT: of_deployments.commit,
}


def answer(seen: Measurements, check: Check, subject: str, expected: str) -> Measurement:
    """Hold one expectation against what was seen.

    Args:
        seen: one look at everything.
        check: what measures it.
        subject: as a document has it: what is none of the settings' names is told so, and nothing is asked about it.
        expected: as the document has it; what this check cannot expect is told so too.
    """
    return ANSWERS[check](seen, subject, expected)

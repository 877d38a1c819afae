"""Which function answers which check: one table."""

from collections.abc import Callable, Mapping
from typing import Final

from validate_daily.handoff import deployment_answers, heartbeat_answers
from validate_daily.handoff.claim import Check
from validate_daily.handoff.measurements import Measurement, Measurements

ANSWERS: Final[Mapping[Check, Callable[[Measurements, str, str], Measurement]]] = {
    Check.VERDICT: heartbeat_answers.verdict,
    Check.DOCUMENTS: heartbeat_answers.documents,
    Check.MALFORMED: heartbeat_answers.malformed,
    Check.GROWTH: heartbeat_answers.growth,
    Check.HEARTBEAT: heartbeat_answers.heartbeat,
    Check.FINDING: heartbeat_answers.finding,
    Check.SERVES: deployment_answers.serves,
    Check.REVISION: deployment_answers.revision,
    Check.COMMIT: deployment_answers.commit,
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

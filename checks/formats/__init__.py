"""Reports as text, for a person at a terminal or for a program: one format, one file, listed here.

May import ask, judge, evidence, settings and text; this list itself loads none of the writers.
"""

from typing import TYPE_CHECKING, Final

from checks.formats.format import Format

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.judge.comparison import Since
    from checks.judge.deployed.code import ProbeReport
    from checks.judge.deployed.gate import Gate
    from checks.judge.examination import Examination
    from checks.judge.report import Report
    from checks.sources.git_history import Provenance
    from validate_daily.source_code.report import CodeReport

FORMATS: Final["tuple[Format[[Report, Since | None]], ...]"] = (
    Format("terminal", "for people", "text/plain", "checks.formats.terminal:render_terminal"),
    Format("json", "for programs", "application/json", "checks.formats.json:render_json"),
    Format("log", "as one structured entry of Cloud Logging", "application/json", "checks.formats.log:render_log"),
)
"""Of a check's report. The first is the default.

Each tells every finding's subject, what changed where ``since`` is given, and, through ``practice``, that a report is
of practice. Only fields typed ``Untrusted`` still need ``show``: summaries, reasons and next steps are safe already.
"""

DEPLOYED_CODE_FORMATS: Final["tuple[Format[[ProbeReport, Mapping[str, Provenance]]], ...]"] = (
    Format("terminal", "for people", "text/plain", "checks.formats.deployed_code:render_probe"),
    Format("json", "for programs", "application/json", "checks.formats.deployed_code:render_probe_json"),
)

DEPLOY_GATE_FORMATS: Final["tuple[Format[[Gate]], ...]"] = (
    Format("terminal", "for people", "text/plain", "checks.formats.deploy_gate:render_gate"),
    Format("json", "for programs", "application/json", "checks.formats.json:render_evidence"),
)

EXAMINATION_FORMATS: Final["tuple[Format[[Examination]], ...]"] = (
    Format("terminal", "for people", "text/plain", "checks.formats.examination:render_examination"),
    Format("json", "for programs", "application/json", "checks.formats.json:render_evidence"),
)

SOURCE_CODE_FORMATS: Final["tuple[Format[[CodeReport]], ...]"] = (
    Format("terminal", "for people", "text/plain", "checks.formats.source_code:render_source_terminal"),
    Format("json", "for programs", "application/json", "checks.formats.source_code:render_source_json"),
    Format("sarif", "for code scanning", "application/sarif+json", "checks.formats.sarif:render_sarif"),
)

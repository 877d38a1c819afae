"""Small trees of source code, and what is found in them."""

from collections.abc import Mapping
from pathlib import Path

from validate_daily.source_code.report import CodeReport, check_tree
from validate_daily.source_code.tree import read_tree


def looked_at(root: Path, files: Mapping[str, str]) -> CodeReport:
    """Write files below a directory, and judge it."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return check_tree(read_tree(root))


def places(report: CodeReport) -> set[tuple[str, str, int]]:
    """Rule, file and line of each finding."""
    return {(each.rule, each.path, each.line) for each in report.findings}

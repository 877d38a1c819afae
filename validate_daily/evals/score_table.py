"""The table of scores: for people, for programs, and as Markdown to compare runs by."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from checks.text.show import show
from validate_daily.evals.score import Dimension, Score

_WHY = 100


def table(scores: Sequence[Score]) -> Table:
    """Every case and how it was answered."""
    told = Table(box=None, pad_edge=False)
    told.add_column("case", no_wrap=True)
    for dimension in Dimension:
        told.add_column(dimension.value)
    for name in ("calls", "tokens", "$"):
        told.add_column(name, justify="right")
    for each in scores:
        marks = [Text("no", style="bold red") if one in each.failed else Text("yes", "green") for one in Dimension]
        cost = "" if each.dollars is None else f"{each.dollars:.4f}"
        told.add_row(each.case, *marks, _number(each.calls), _number(each.tokens), cost)
    return told


def render(scores: Sequence[Score], who: str) -> None:
    """Print the table, why something failed, and the sums."""
    console = Console()
    console.print(table(scores))
    for each in scores:
        for dimension, why in each.failed.items():
            console.print(Text(f"{each.case}: {dimension}: {show(why, limit=_WHY)}"), soft_wrap=True, highlight=False)
    console.print(Text(f"{who}: {sums(scores)}"), soft_wrap=True, highlight=False)


def sums(scores: Sequence[Score]) -> str:
    """How many cases were right in each dimension."""
    return ", ".join(f"{one} {sum(one not in each.failed for each in scores)}/{len(scores)}" for one in Dimension)


def markdown(rows: Sequence[tuple[str, Sequence[Score]]]) -> str:
    """A table to compare runs by: one row for each."""
    heads = ["answered by", "cases", *(one.value for one in Dimension), "calls", "tokens", "$"]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for who, scores in rows:
        count = len(scores)
        rates = [f"{100 * sum(one not in each.failed for each in scores) / count:.0f} %" for one in Dimension]
        known = [each.dollars for each in scores if each.dollars is not None]
        cost = f"{sum(known):.2f}" if len(known) == count else ""
        spent = [_sum([each.calls for each in scores]), _sum([each.tokens for each in scores])]
        lines.append(f"| {' | '.join([who, str(count), *rates, *spent, cost])} |")
    return "\n".join(lines) + "\n"


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _sum(values: Sequence[int | None]) -> str:
    known = [each for each in values if each is not None]
    return f"{sum(known):,}" if known else ""

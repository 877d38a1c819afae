"""``make bench``: every benchmark in turn.

The tables go to standard output and, with day and machine, into docs/benchmarks.md; all figures into bench.json.
"""

import json
import os
import platform
import sys
from contextlib import redirect_stdout
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Final, TextIO

from bench import census, cleanup, concurrency, image_probe, latency, overhead, startup, walk

_PAGE: Final = Path("docs") / "benchmarks.md"
_HEAD: Final = """\
# Benchmarks

What `make bench` printed on {day}, on a machine of {cores} cores and {memory} GiB with Python {python}. Each
figure stands beside its baseline, measured in the same run: ratios carry over to other machines, seconds do not.

```text
{tables}```
"""


class _Both(StringIO):
    """Keeps what is printed, and prints it."""

    def __init__(self, shown: TextIO) -> None:
        super().__init__()
        self._shown = shown

    def write(self, text: str) -> int:
        """Both."""
        self._shown.write(text)
        self._shown.flush()
        return super().write(text)


def main() -> None:
    """Measure everything, and write it down."""
    printed = _Both(sys.stdout)
    figures: dict[str, object] = {}
    with redirect_stdout(printed):
        for name, bench in _BENCHES.items():
            figures[name] = bench.run()
            print()
    Path("bench.json").write_text(json.dumps(figures, indent=2) + "\n")
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    told = _HEAD.format(
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        cores=os.cpu_count(),
        memory=round(pages * size / 2**30),
        python=platform.python_version(),
        tables=printed.getvalue(),
    )
    _PAGE.write_text(told, "utf-8")


_BENCHES: Final = {
    "startup": startup,
    "overhead": overhead,
    "latency": latency,
    "concurrency": concurrency,
    "census": census,
    "walk": walk,
    "cleanup": cleanup,
    "image probe": image_probe,
}


if __name__ == "__main__":
    main()

"""``make bench``: every benchmark in turn; the tables on standard output, all figures in bench.json."""

import json
from pathlib import Path

from bench import census, latency

if __name__ == "__main__":
    figures = {"latency": latency.run(), "census": census.run()}
    Path("bench.json").write_text(json.dumps(figures, indent=2) + "\n")

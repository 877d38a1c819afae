"""``make bench``: every benchmark in turn; the tables on standard output, all figures in bench.json."""

import json
from pathlib import Path

from bench import census

if __name__ == "__main__":
    Path("bench.json").write_text(json.dumps({"census": census.run()}, indent=2) + "\n")

"""``make bench``: every benchmark in turn; the tables on standard output, all figures in bench.json."""

import json
from pathlib import Path

from bench import census, cleanup, concurrency, image_probe, latency, overhead, startup, walk

if __name__ == "__main__":
    figures = {
        "startup": startup.run(),
        "overhead": overhead.run(),
        "latency": latency.run(),
        "concurrency": concurrency.run(),
        "census": census.run(),
        "walk": walk.run(),
        "cleanup": cleanup.run(),
        "image probe": image_probe.run(),
    }
    Path("bench.json").write_text(json.dumps(figures, indent=2) + "\n")

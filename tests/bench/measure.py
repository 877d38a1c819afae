"""Measures one piece of work in a process of its own, after its imports."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

TESTS = Path(__file__).parents[1]


def measured(work: Callable[[], Mapping[str, int]]) -> None:
    """Run the work once and print what it found and what it cost, as JSON: seconds, and bytes above the imports."""
    resident = psutil.Process().memory_info().rss
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    cost = {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "memory_bytes": max(0, _peak() - resident),
    }
    print(json.dumps({"found": found, "cost": cost}))


def in_its_own_process(module: str, *arguments: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Run a module that calls ``measured``, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=os.environ | {"PYTHONPATH": str(TESTS)} | dict(environment),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def _peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1_024
    return psutil.Process().memory_info().rss

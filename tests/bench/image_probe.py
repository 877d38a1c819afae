"""One file of an image in a real registry: read out of it, against pulling and unpacking the image with real tools."""

import asyncio
import random
import shutil
import statistics
import tarfile
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from checks.evidence.images import Contents
from checks.evidence.snapshot import Target
from checks.sources.budget import Budget
from checks.sources.credentials import Login
from checks.sources.registry.image.files import read_files

from support.layered_images import archive, entry, image, layout
from support.oci_registry import missing_tools, oci_registry, pull, push, unpack

ROUNDS: Final = 3
REPOSITORY: Final = "bench/pipe/proc"
LOOKED_FOR: Final = {
    "file in the newest layer": "app/shared/monitoring/processor_heartbeat.py",
    "file one layer down": "app/processors/module_007.py",
    "file in the 34 MB layer of packages": "usr/lib/python3/site-packages/package_20/file_0100.py",
    "absent, hidden by the newest layer": "app/shared/monitoring/old.py",
    "absent, proved by every layer": "app/shared/nowhere.py",
}
_FIXED: Final = b"def doc_id(self) -> str:\n    return self.processor_name\n"
_MIB: Final = 1024 * 1024


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure each case, in turn with pulling, unpacking and reading, and print a table of medians."""
    if missing := missing_tools():
        print(f"image probe: left out, no {', '.join(missing)} on PATH")
        return {"left_out": missing}
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held)
        with oci_registry(folder / "registry") as address:
            digest, size = _pushed(folder / "made", address)
            return _measured(folder, address, digest, size, rounds)


def _measured(folder: Path, address: str, digest: str, size: int, rounds: int) -> dict[str, Any]:
    seconds: dict[str, list[float]] = {name: [] for name in LOOKED_FOR}
    seen: dict[str, Contents] = {}
    whole: list[float] = []
    asyncio.run(_look(address, digest, "x"))  # loads what is loaded once
    for _ in range(rounds):
        began = time.perf_counter()
        pull(address, REPOSITORY, "v1", folder / "pulled")
        root = unpack(folder / "pulled", "v1", folder / "bundle")
        assert (root / LOOKED_FOR["file in the newest layer"]).read_bytes() == _FIXED
        whole.append(time.perf_counter() - began)
        shutil.rmtree(folder / "pulled")
        shutil.rmtree(folder / "bundle")
        for name, path in LOOKED_FOR.items():
            began = time.perf_counter()
            seen[name] = asyncio.run(_look(address, digest, path))
            seconds[name].append(time.perf_counter() - began)
    return _told(seconds, seen, statistics.median(whole), size)


def _told(seconds: Mapping[str, list[float]], seen: Mapping[str, Contents], whole: float, size: int) -> dict[str, Any]:
    rounds = len(next(iter(seconds.values())))
    print(f"one file of an image of {size / 1e6:.1f} MB in five layers, real registry, medians of {rounds} rounds")
    print(f"{'':<38}{'calls':>6}{'layers':>8}{'bytes read':>13}{'wall, s':>9}{'of pull + unpack':>18}")
    figures: dict[str, Any] = {"image_bytes": size, "pull_unpack_read_s": whole}
    for name, contents in seen.items():
        wall = statistics.median(seconds[name])
        print(
            f"{name:<38}{contents.requests:>6}{contents.layers_read:>8}{contents.bytes_read:>13,}{wall:>9.3f}"
            f"{wall / whole:>17.1%}"
        )
        figures[name] = {"bytes": contents.bytes_read, "wall_s": wall, "ratio": wall / whole}
    print(f"{'skopeo copy, umoci unpack, read':<38}{'':>6}{5:>8}{size:>13,}{whole:>9.3f}{1:>17.1%}")
    return figures


async def _look(address: str, digest: str, path: str) -> Contents:
    target = Target(source="registry", address=address, resource="images", practice=True)
    read = await read_files(REPOSITORY, digest, [path], target=target, budget=Budget(120), login=Login())
    return read.contents


def _pushed(folder: Path, address: str) -> tuple[str, int]:
    """Push the image; returns its digest, and the bytes of everything in it."""
    blobs, manifest = image([_base(), _packages(), _data(), _code(), _fix()])
    digest = layout(folder, "v1", blobs, manifest)
    push(folder, "v1", address, REPOSITORY)
    shutil.rmtree(folder)
    return digest, sum(map(len, blobs.held.values()))


def _tree(files: Mapping[str, bytes], *more: tarfile.TarInfo) -> bytes:
    folders = sorted({str(above) for path in files for above in Path(path).parents} - {"."})
    return archive(
        [*(entry(each, tarfile.DIRTYPE) for each in folders), *((entry(p), d) for p, d in files.items()), *more]
    )


def _noise(size: int, seed: int) -> bytes:
    """Bytes of which half cannot be packed, as of libraries."""
    return random.Random(seed).randbytes(size // 2) + bytes(size // 2)  # noqa: S311 - the same each time


def _base() -> bytes:
    return _tree({f"usr/lib/lib{place}.so": _noise(2 * _MIB, place) for place in range(28)})


def _packages() -> bytes:
    return _tree(
        {
            f"usr/lib/python3/site-packages/package_{place % 40}/file_{place:04}.py": _noise(16 * 1024, place)
            for place in range(4_000)
        }
    )


def _data() -> bytes:
    return _tree({f"opt/data/part_{place}.bin": _noise(_MIB, place) for place in range(60)})


def _code() -> bytes:
    return _tree({f"app/processors/module_{place:03}.py": b"VALUE = %d\n" % place * 40 for place in range(200)})


def _fix() -> bytes:
    hidden = entry("app/shared/monitoring/.wh.old.py")
    return _tree({"app/shared/monitoring/processor_heartbeat.py": _FIXED}, hidden)


if __name__ == "__main__":
    run()

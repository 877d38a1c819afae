"""The image reader against a real registry, and against what umoci unpacks."""

import posixpath
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.contents import Presence
from checks.evidence import Target
from checks.sources.image.reader import Read, read_files
from checks.sources.login import Login
from checks.sources.reading import Budget

from support.layered_images import Packing, Random, image, layout
from support.oci_registry import need_tools, oci_registry, pull, push, unpack


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    need_tools()
    with oci_registry(tmp_path_factory.mktemp("registry")) as found:
        yield found


async def look(address: str, repository: str, digest: str, paths: set[str]) -> Read:
    target = Target(source="registry", address=address, resource="images", practice=True)
    return await read_files(repository, digest, sorted(paths), target=target, budget=Budget(30), login=Login())


def held(root: Path, path: str) -> bytes | None:
    """The bytes of the file that a path leads to in an unpacked image, links followed as if it were the root."""
    where, rest, hops = "", path.split("/"), 0
    while rest:
        part, *rest = rest
        if part in {"", "."}:
            continue
        if part == "..":
            where = posixpath.dirname(where)
            continue
        step = posixpath.join(where, part)
        real = root / step
        if real.is_symlink():
            hops += 1
            if hops > 40:
                return None
            link = str(real.readlink())
            where = "" if link.startswith("/") else where
            rest = [*link.split("/"), *rest]
        elif real.is_dir() or (real.exists() and not rest):
            where = step
        else:
            return None
    real = root / where
    return real.read_bytes() if real.is_file() else None


async def differences(address: str, folder: Path, seed: int, packing: Packing = "gzip") -> tuple[int, list[str]]:
    """How many paths were compared of one random image, and which are not as umoci has them."""
    layers = Random(random.Random(seed))  # noqa: S311 - the same image each time
    archives = [layers.layer() for _ in range(layers.random.randint(1, 6))]
    digest = layout(folder / "made", "v1", *image(archives))
    push(folder / "made", "v1", address, f"random/{seed}")
    pull(address, f"random/{seed}", "v1", folder / "pulled")
    root = unpack(folder / "pulled", "v1", folder / "bundle")
    if packing != "gzip":
        digest = layout(folder / "packed", "v1", *image(archives, packing))
        push(folder / "packed", "v1", address, f"random/{seed}")

    read = await look(address, f"random/{seed}", digest, layers.seen)

    found = {file.path: file for file in read.contents.files}
    different: list[str] = []
    for path in sorted(layers.seen):
        expected, file = held(root, path), found[path]
        if file.presence is Presence.INCONCLUSIVE and _loops(root, path):
            continue
        if (file.presence is Presence.PRESENT) != (expected is not None) or read.texts.get(path) != expected:
            different.append(f"image {seed}: {path}: {file} where umoci has {expected!r}")
    return len(layers.seen), different


def _loops(root: Path, path: str) -> bool:
    """Whether links lead in a circle: then there is nothing to be had, and that is what is said."""
    try:
        (root / path).resolve(strict=True)
    except (OSError, RuntimeError) as error:
        return "loop" in str(error).lower() or "too many" in str(error).lower()
    return False


@pytest.mark.parametrize("packing", ["gzip", "zstd", "none"])
async def test_images_at_random_are_read_as_umoci_unpacks_them(address: str, tmp_path: Path, packing: Packing) -> None:
    compared = 0
    for seed in range(8):
        count, different = await differences(address, tmp_path / str(seed), seed, packing)
        assert not different, "\n".join(different)
        compared += count

    assert compared > 100


@pytest.mark.long
async def test_two_hundred_images_at_random_are_read_as_umoci_unpacks_them(address: str, tmp_path: Path) -> None:
    compared, different = 0, list[str]()
    for seed in range(1_000, 1_200):
        count, more = await differences(address, tmp_path / str(seed), seed)
        compared += count
        different += more

    print(f"200 images, {compared:,} paths compared with umoci, {len(different)} differences")
    assert not different, "\n".join(different)

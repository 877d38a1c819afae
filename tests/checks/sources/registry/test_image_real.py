"""The image reader against a real registry, and against what umoci unpacks."""

import asyncio
import posixpath
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.evidence.images import Presence
from checks.evidence.snapshot import Target
from checks.sources.budget import Budget
from checks.sources.credentials import Login
from checks.sources.registry.image.files import Read, read_files
from validate_daily.sandbox import Sandbox
from validate_daily.sandbox.images import HEARTBEAT
from validate_daily.sandbox.registry.images import LAYER, Built, Content

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


@pytest.mark.long
async def test_the_practice_registry_gives_the_same_images_out_to_real_tools_and_to_the_reader(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    need_tools()
    repository = sandbox.world.pipeline.repository("nba-phase2-raw-processors")
    path = repository.partition("/")[2]
    await asyncio.to_thread(pull, sandbox.registry_address, path, "latest", tmp_path / "pulled")
    root = unpack(tmp_path / "pulled", "latest", tmp_path / "bundle")
    files = {str(each.relative_to(root)) for each in root.rglob("*") if each.is_file()}

    read = await look(sandbox.registry_address, repository, str(sandbox.world.registry.resolve(path, "latest")), files)

    assert HEARTBEAT in files
    assert read.texts == {each: (root / each).read_bytes() for each in files}


@pytest.mark.parametrize("seed", range(4))
async def test_images_at_random_are_read_out_of_the_practice_registry_too(
    address: str, sandbox: Sandbox, seed: int, tmp_path: Path
) -> None:
    layers = Random(random.Random(seed))  # noqa: S311 - the same image each time
    blobs, manifest = image([layers.layer() for _ in range(4)])
    layout(tmp_path / "made", "v1", blobs, manifest)
    push(tmp_path / "made", "v1", address, f"both/{seed}")
    content = [Content(str(manifest["mediaType"]), blobs.held[str(manifest["digest"])])]
    held = Built(content, [Content(LAYER, data) for data in blobs.held.values()])
    digest = sandbox.world.registry.push(f"both/{seed}", held, "v1")

    real = await look(address, f"both/{seed}", digest, layers.seen)
    practice = await look(sandbox.registry_address, f"x.pkg.dev/both/{seed}", digest, layers.seen)

    assert practice.contents.files == real.contents.files
    assert practice.texts == real.texts
    assert practice.contents.bytes_read == real.contents.bytes_read

"""What a registry, an image or an archive may do to whoever reads it: nothing is believed, and nothing grows."""

import asyncio
import gzip
import io
import json
import resource
import struct
import subprocess
import sys
import tarfile

import pytest
import zstandard

from checks.evidence.images import Presence
from checks.sources.registry.image.limits import ImageLimits

from support.image_world import ImageWorld, Instead, look, practice
from support.layered_images import CONFIG, LAYER, MANIFEST, Blobs, archive, entry, image
from support.paths import TESTS
from support.registry_world import INDEX, Asked, Reply, child, index

TEXT = b"print('v2')\n"
NEW = archive([entry("app", tarfile.DIRTYPE), (entry("app/main.py"), TEXT)])


def layered(*layers: bytes, size: int | None = None) -> tuple[ImageWorld, str]:
    """An image whose layers are these bytes, whatever they are; ``size`` is what the manifest says of each."""
    blobs = Blobs()
    told = [blobs.add(LAYER, each) | ({} if size is None else {"size": size}) for each in layers]
    config = blobs.add(CONFIG, b"{}")
    manifest = {"schemaVersion": 2, "config": config, "layers": told}
    return ImageWorld(blobs), str(blobs.add(MANIFEST, json.dumps(manifest).encode())["digest"])


async def reason(world: ImageWorld, digest: object, *, limits: ImageLimits | None = None, seconds: float = 20.0) -> str:
    """Why a look is inconclusive."""
    read = await look(world, digest, limits=limits, seconds=seconds)
    (file,) = read.contents.files
    assert file.presence is Presence.INCONCLUSIVE
    assert file.next_step
    assert read.texts == {}
    return str(file.reason)


def header(name: bytes, kind: bytes = b"0", size: bytes = b"00000000000\0", link: bytes = b"") -> bytes:
    """A header with a right checksum, and whatever else is said."""
    block = bytearray(512)
    block[0 : len(name)] = name
    block[124:136] = size
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[157 : 157 + len(link)] = link
    block[257:265] = b"ustar\x0000"
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def octal(size: int) -> bytes:
    return b"%011o\0" % size


ARCHIVES = {
    "ends in a header": (NEW[:300], "ends in the middle of a header"),
    "ends in a file": (archive([(entry("x"), b"y" * 5_000)])[:2_000], "ends before its end"),
    "is no archive": (b"not a tar archive at all" * 100, "no tar archive"),
    "a wrong checksum": (NEW[:200] + b"!" + NEW[201:], "no tar archive"),
    "a negative size": (header(b"x", size=b"\xff" * 12), "impossible number"),
    "an absurd size": (header(b"x", size=b"\x80" + b"\xff" * 11), "impossible number"),
    "ten gigabytes that do not come": (header(b"x", size=octal(8**11 - 1)), "ends before its end"),
    "a pax header of eight gigabytes": (
        header(b"x", b"x", octal(8**11 - 1)),
        "an extended header of 8,589,934,591 bytes",
    ),
    "a GNU name of eight gigabytes": (
        header(b"x", b"L", octal(8**11 - 1)),
        "an extended header of 8,589,934,591 bytes",
    ),
    "a pax header that is none": (header(b"x", b"x", octal(5)) + b"99999".ljust(512, b"\0"), "cannot be read"),
    "a pax record beyond its header": (header(b"x", b"x", octal(9)) + b"99 path=x".ljust(512, b"\0"), "cannot be read"),
    "a pax size that is none": (
        header(b"x", b"x", octal(11)) + b"11 size=-1\n".ljust(512, b"\0") + header(b"x"),
        "impossible size",
    ),
    "a name of 5,000 characters": (archive([entry("x" * 5_000)]), "a name of more than 4,096 characters"),
    "damaged gzip": (gzip.compress(NEW)[:20] + b"!" * 200, "gzip is damaged"),
    "gzip that ends": (gzip.compress(NEW)[:60], "gzip ends before its end"),
    "damaged zstd": (zstandard.compress(NEW)[:10] + b"!" * 200, "zstd is damaged"),
    "a window of two gigabytes": (
        b"\x28\xb5\x2f\xfd" + bytes([0x00, (31 - 10) << 3]) + b"\x01\0\0" * 10,
        "needs too much memory",
    ),
}


@pytest.mark.parametrize("case", ARCHIVES)
async def test_an_archive_that_lies_is_inconclusive_and_says_why(case: str) -> None:
    layer, expected = ARCHIVES[case]
    world, digest = layered(layer)

    assert expected in await reason(world, digest)


def pax(*records: bytes) -> bytes:
    told = b"".join(records)
    return header(b"x", b"x", octal(len(told))) + told + bytes(-len(told) % 512)


async def test_extended_headers_without_a_member_are_not_collected() -> None:
    pieces = [
        pax(*(b"17 %06d=%06d\n" % (place, place) for place in range(many, many + 5_000)))
        for many in range(0, 500_000, 5_000)
    ]
    world, digest = layered(gzip.compress(b"".join(pieces), compresslevel=1))

    read = await look(world, digest, limits=ImageLimits(names=10))

    assert read.failure is None
    assert read.contents.files[0].presence is Presence.ABSENT


async def test_an_extended_header_of_many_records_is_read_in_one_pass() -> None:
    many = pax(*([b"5 a=\n"] * 50_000))
    world, digest = layered(gzip.compress(many * 20 + NEW))

    read = await look(world, digest, seconds=10)

    assert read.texts == {"app/main.py": TEXT}


async def test_the_same_name_again_and_again_takes_no_memory() -> None:
    world, digest = layered(gzip.compress(header(b"nowhere/main.py") * 50_000 + NEW))

    read = await look(world, digest, limits=ImageLimits(names=5))

    assert read.texts == {"app/main.py": TEXT}
    assert len(read.layers.read[0].twisted) == 1


async def test_names_in_too_many_places_are_inconclusive() -> None:
    places = b"".join(header(b"place%03d/main.py" % place) for place in range(101))
    world, digest = layered(NEW, places)

    assert "in more than 100 places" in await reason(world, digest)


async def test_directories_in_each_other_have_an_end() -> None:
    world, digest = layered(archive([entry("a/" * 300 + "x")]))

    assert "more than 256 directories in each other" in await reason(world, digest)


async def test_a_sparse_map_without_end_takes_no_memory() -> None:
    old = bytearray(header(b"app/main.py", b"S", octal(0)))
    old[482] = 1
    old[148:156] = b" " * 8
    old[148:156] = b"%06o\0 " % sum(old)
    world, digest = layered(gzip.compress(bytes(old) + b"\1" * (64 * 1024 * 1024)))

    assert "ends before its end" in await reason(world, digest)


async def test_a_sparse_file_is_there_and_is_not_read() -> None:
    told = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n31 GNU.sparse.name=app/main.py\n"
    layer = header(b"x", b"x", octal(len(told))) + told.ljust(512, b"\0") + header(b"GNUSparse/x") + b"\0" * 1024
    world, digest = layered(layer)

    assert await reason(world, digest) == "a sparse file is there, which is not read"


async def test_bytes_that_are_not_those_of_the_digest_prove_nothing() -> None:
    blobs, manifest = image([NEW])
    layer = next(iter(blobs.held))
    blobs.held[layer] = gzip.compress(NEW.replace(b"v2", b"v3"), compresslevel=1, mtime=0)

    assert f"the bytes that came are not those of {layer}" in await reason(ImageWorld(blobs), manifest["digest"])


@pytest.mark.parametrize("place", [1, 2])
async def test_a_manifest_or_configuration_of_another_digest_proves_nothing(place: int) -> None:
    blobs, manifest = image([NEW])
    digest = list(blobs.held)[place]
    blobs.held[digest] += b" "

    assert await reason(ImageWorld(blobs), manifest["digest"]) == f"the bytes that came are not those of {digest}"


async def test_a_layer_of_more_bytes_than_its_manifest_says_is_not_read_on() -> None:
    world, digest = layered(NEW, size=100)

    assert "has more bytes than its manifest says (100)" in await reason(world, digest)


async def test_a_layer_that_is_cut_off_is_inconclusive() -> None:
    blobs, manifest = image([NEW])
    layer = next(iter(blobs.held))

    def cut(asked: Asked) -> Reply | None:
        data = blobs.held[layer]
        return Reply(200, {"Content-Length": str(len(data))}, data[:50]) if layer in asked.path else None

    world = ImageWorld(blobs, cut)

    assert "UNAVAILABLE" in await reason(world, manifest["digest"])
    assert world.layers_asked().count(layer) == 1


async def test_a_layer_that_does_not_exist_is_inconclusive_and_says_so() -> None:
    blobs, manifest = image([NEW])
    del blobs.held[next(iter(blobs.held))]

    assert "NOT_FOUND" in await reason(ImageWorld(blobs), manifest["digest"])


async def test_a_registry_that_hangs_in_a_layer_ends_with_the_time_given() -> None:
    blobs, manifest = image([NEW])
    layer = next(iter(blobs.held))

    class Hanging(ImageWorld):
        async def __call__(self, asked: Asked) -> Reply:
            if layer in asked.path:
                await asyncio.Event().wait()
            return await ImageWorld.__call__(self, asked)

    assert "no answer within" in await reason(Hanging(blobs), manifest["digest"], seconds=1.0)


BOUNDS = {
    "documents": (ImageLimits(document=200), "has more than 200 bytes"),
    "layers": (ImageLimits(layers=1), "more than 1 layers"),
    "compressed bytes": (ImageLimits(read=10), "have more than 10 bytes"),
    "unpacked bytes": (ImageLimits(unpacked=600), "unpacks to more than 600 bytes"),
    "names": (ImageLimits(names=1), "more than 1 names"),
    "kept bytes": (ImageLimits(kept=5), "hold more than 5 bytes"),
}


@pytest.mark.parametrize("bound", BOUNDS)
async def test_every_bound_ends_as_inconclusive_and_never_as_absent(bound: str) -> None:
    limits, expected = BOUNDS[bound]
    blobs, manifest = image([NEW, NEW])

    assert expected in await reason(ImageWorld(blobs), manifest["digest"], limits=limits)


async def test_an_index_of_indexes_has_an_end() -> None:
    blobs, _ = image([NEW])
    digest = "sha256:" + "a" * 64
    for _ in range(6):
        digest = str(blobs.add(INDEX, index(child(digest)))["digest"])

    assert "names no configuration" in await reason(ImageWorld(blobs), digest)


@pytest.mark.parametrize(
    "manifest",
    [b"[]", b"{}", b"{" * 10_000, b'{"config": {}, "layers": []}', b'{"config": {"digest": 1}, "layers": [1]}'],
)
async def test_a_manifest_that_is_none_is_inconclusive(manifest: bytes) -> None:
    blobs = Blobs()

    assert await reason(ImageWorld(blobs), blobs.add(MANIFEST, manifest)["digest"])


def redirect(where: str, of: str = "/blobs/") -> Instead:
    return lambda asked: Reply(307, {"Location": where}) if of in asked.path else None


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("http://storage.example/x", "not over https (http://storage.example/x)"),
        ("https://169.254.169.254/computeMetadata/v1/", "an address that is not public"),
        ("https://10.0.0.1/x", "an address that is not public"),
        ("https://[::1]/x", "an address that is not public"),
        ("https://[fd00::1]/x?signature=secret", "not public (https://[fd00::1]/x)"),
        ("https://localhost/x", "an address that is not public"),
        ("ftp://127.0.0.1/x", "not over https"),
        ("https://storage.example:port/x", "names no address"),
    ],
)
async def test_a_redirect_leads_to_public_addresses_over_https_alone(where: str, expected: str) -> None:
    blobs, manifest = image([NEW])

    assert expected in await reason(ImageWorld(blobs, redirect(where)), manifest["digest"])


async def test_a_redirect_is_followed_three_times_and_no_more() -> None:
    blobs, manifest = image([NEW])

    def again(asked: Asked) -> Reply | None:
        if "/blobs/" not in asked.path:
            return None
        path, _, count = asked.path.partition("?")
        return Reply(307, {"Location": f"{path}?{int(count or 0) + 1}"}) if int(count or 0) < most else None

    for most, presence in ((3, Presence.PRESENT), (4, Presence.INCONCLUSIVE)):  # noqa: B007 - ``again`` reads it
        world = ImageWorld(blobs, again)
        world.blobs = Blobs({**blobs.held, **{f"{digest}?3": data for digest, data in blobs.held.items()}})
        read = await look(world, manifest["digest"])
        assert read.contents.files[0].presence is presence


async def test_a_token_is_fetched_where_the_registry_says_and_is_not_taken_to_another_place() -> None:
    blobs, manifest = image([NEW])
    storage = ImageWorld(blobs)

    async with practice(storage) as elsewhere:

        def guarded(asked: Asked) -> Reply | None:
            if asked.path.startswith("/token"):
                return Reply(200, {}, json.dumps({"token": "t0ken"}).encode())
            if asked.headers.get("authorization") != "Bearer t0ken":
                realm = f'Bearer realm="http://{asked.headers["host"]}/token",service="registry",scope="pull"'
                return Reply(401, {"WWW-Authenticate": realm})
            return redirect(f"http://{elsewhere.address}{asked.path}")(asked)

        world = ImageWorld(blobs, guarded)
        read = await look(world, manifest["digest"])

    assert read.texts == {"app/main.py": TEXT}
    tokens = [asked for asked in world.asked if asked.path.startswith("/token")]
    assert [asked.path for asked in tokens] == ["/token?service=registry&scope=pull"]
    assert storage.asked
    assert not any("authorization" in asked.headers for asked in storage.asked)


@pytest.mark.parametrize(
    ("challenge", "expected"),
    [
        ('Bearer realm="https://tokens.example/token"', "https://tokens.example/token, which is another host"),
        ('Bearer realm="http://10.0.0.1/token"', "another host"),
        ('Basic realm="practice"', "UNAUTHENTICATED"),
        ("Bearer", "UNAUTHENTICATED"),
    ],
)
async def test_a_token_is_fetched_from_no_other_host(challenge: str, expected: str) -> None:
    blobs, manifest = image([NEW])
    world = ImageWorld(blobs, lambda _: Reply(401, {"WWW-Authenticate": challenge}))

    assert expected in await reason(world, manifest["digest"])


@pytest.mark.parametrize("body", [b"", b"[]", b'{"token": 1}', b'{"token": "a b"}', b"x" * 100_000])
async def test_a_token_that_is_none_is_inconclusive(body: bytes) -> None:
    blobs, manifest = image([NEW])

    def guarded(asked: Asked) -> Reply:
        if asked.path.startswith("/token"):
            return Reply(200, {}, body)
        return Reply(401, {"WWW-Authenticate": f'Bearer realm="http://{asked.headers["host"]}/token"'})

    assert "token" in await reason(ImageWorld(blobs, guarded), manifest["digest"])


def bomb(size: int) -> bytes:
    """A layer of one file of zeros, made without holding it."""
    held = io.BytesIO()
    with gzip.GzipFile(fileobj=held, mode="wb", compresslevel=1, mtime=0) as packed:
        packed.write(header(b"app/main.py", size=octal(size)))
        for _ in range(size // (1024 * 1024)):
            packed.write(bytes(1024 * 1024))
        packed.write(bytes(1024))
    return held.getvalue()


def zstd_bomb(size: int) -> bytes:
    """The same in zstd: blocks that each say one byte 128 KiB times."""
    start = zstandard.ZstdCompressor().compress(header(b"app/main.py", size=octal(size)))
    block = struct.pack("<I", (128 * 1024) << 3 | 1 << 1)[:3] + b"\0"
    frame = b"\x28\xb5\x2f\xfd" + bytes([0x00, (21 - 10) << 3]) + block * (size // (128 * 1024)) + b"\x01\0\0"
    return start + frame + zstandard.ZstdCompressor().compress(bytes(1024))


if __name__ == "__main__":  # in a process of its own, whose memory is measured
    KIND = {"gzip": bomb, "zstd": zstd_bomb}[sys.argv[1]]
    WORLD, DIGEST = layered(KIND(int(sys.argv[2])))
    asyncio.run(look(*layered(zstandard.compress(NEW))))  # so that everything is imported
    BEFORE = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    READ = asyncio.run(look(WORLD, DIGEST, seconds=60))
    AFTER = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([READ.contents.files[0].reason, AFTER - BEFORE]))


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_bomb_takes_no_memory_to_speak_of(kind: str) -> None:
    size = 2 * 1024**3 - 1024**2

    told = subprocess.run(
        [sys.executable, __file__, kind, str(size)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        env={"PYTHONPATH": str(TESTS)},
    )

    why, kib = json.loads(told.stdout)
    assert why == "it has more than 4,194,304 bytes"
    assert kib < 100 * 1024

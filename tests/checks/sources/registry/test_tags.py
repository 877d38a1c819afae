import asyncio
import socket
from collections.abc import Iterable

import pytest

from checks.evidence.deployments import Tag
from checks.evidence.snapshot import Gap, Target
from checks.sources.addresses import GOOGLE_REGISTRIES
from checks.sources.budget import Budget
from checks.sources.errors import SourceError
from checks.sources.image_references import parse_image
from checks.sources.registry.addresses import manifest_address
from checks.sources.registry.tags import MAX_INDEX, read_tags

from support.registry_world import (
    INDEX,
    MANIFEST,
    MANIFEST_LIST,
    Asked,
    Handler,
    RegistryWorld,
    Reply,
    child,
    digest_of,
    index,
    registry,
)
from support.run_world import digest

HOST = "us-west2-docker.pkg.dev"
PATH = "demo-nba/pipe/scrapers"
IMAGE = f"{HOST}/{PATH}:latest"
HTTP = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    418: "HTTP 418",
}
Looked = tuple[tuple[Tag, ...], tuple[Gap, ...]]


async def look(handler: Handler, images: Iterable[str] = (IMAGE,), *, seconds: float = 20.0) -> Looked:
    async with registry(handler) as address:
        target = Target(source="registry", address=address, resource="tags", practice=True)
        return await read_tags(map(parse_image, images), target, Budget(seconds))


def _world(body: bytes, kind: str) -> RegistryWorld:
    return RegistryWorld({(PATH, "latest"): (body, kind)})


async def test_a_tag_is_told_by_one_head_request() -> None:
    world = _world(b"{}", MANIFEST)

    tags, gaps = await look(world)

    assert gaps == ()
    assert tags == (Tag(repository=f"{HOST}/{PATH}", tag="latest", digest=digest_of(b"{}")),)
    assert [(asked.method, asked.path) for asked in world.asked] == [("HEAD", f"/v2/{PATH}/manifests/latest")]


async def test_a_practice_registry_gets_no_credentials_and_every_manifest_type_is_accepted() -> None:
    world = _world(b"{}", MANIFEST)

    await look(world)

    assert "authorization" not in world.asked[0].headers
    assert world.asked[0].headers["accept"].count("application/vnd.") == 4


@pytest.mark.parametrize("kind", [INDEX, MANIFEST_LIST, f"{INDEX}; charset=utf-8"])
async def test_an_index_is_told_with_the_manifests_that_can_run(kind: str) -> None:
    body = index(
        child(digest("a")),
        child(digest("b"), "unknown"),
        child(digest("c"), annotations={"vnd.docker.reference.type": "attestation-manifest"}),
        child("no digest"),
        child(digest("d")),
        child(digest("a")),
        {"digest": digest("e")},
        5,
    )
    world = _world(body, kind)

    tags, gaps = await look(world)

    assert gaps == ()
    assert tags[0].children == (digest("a"), digest("d"), digest("e"))
    assert tags[0].points_at(digest("d"))
    assert [(asked.method, asked.path.rpartition("/")[2]) for asked in world.asked] == [
        ("HEAD", "latest"),
        ("GET", digest_of(body)),
    ]


async def test_a_tag_that_the_registry_does_not_have_is_no_gap() -> None:
    assert await look(RegistryWorld()) == (
        (Tag(repository=f"{HOST}/{PATH}", tag="latest", digest=None),),
        (),
    )


async def test_each_tag_is_asked_once_and_an_image_by_digest_not_at_all() -> None:
    world = _world(b"{}", MANIFEST)

    tags, _ = await look(world, [IMAGE, IMAGE, f"{HOST}/{PATH}", f"{HOST}/{PATH}@{digest('a')}"])

    assert len(tags) == len(world.asked) == 1


async def test_nothing_to_ask_opens_no_connection() -> None:
    target = Target(source="registry", address=GOOGLE_REGISTRIES, resource="tags", practice=False)

    assert await read_tags([], target, Budget(1.0)) == ((), ())


@pytest.mark.parametrize(("status", "word"), HTTP.items())
async def test_a_registry_that_keeps_failing_is_a_gap_and_the_rest_is_kept(status: int, word: str) -> None:
    world = RegistryWorld({("other/image", "v1"): (b"{}", MANIFEST)})

    async def answer(asked: Asked) -> Reply:
        return await world(asked) if "other" in asked.path else Reply(status)

    tags, gaps = await look(answer, [IMAGE, "gcr.io/other/image:v1"])

    assert [tag.repository for tag in tags] == ["gcr.io/other/image"]
    assert [gap.source for gap in gaps] == ["registry"]
    assert gaps[0].reason.startswith(f"tag {IMAGE}: ")
    assert word in gaps[0].reason
    assert gaps[0].next_step


async def test_a_denied_tag_names_the_role() -> None:
    async def deny(asked: Asked) -> Reply:
        return Reply(403)

    assert "roles/artifactregistry.reader" in (await look(deny))[1][0].next_step


async def test_a_passing_fault_is_retried_and_leaves_no_gap() -> None:
    world, left = _world(b"{}", MANIFEST), [2]

    async def unsteady(asked: Asked) -> Reply:
        left[0] -= 1
        return Reply(503) if left[0] >= 0 else await world(asked)

    tags, gaps = await look(unsteady)

    assert gaps == ()
    assert tags[0].digest


GOOD = {"Docker-Content-Digest": digest("a")}
LIES: dict[str, tuple[Reply, str]] = {
    "no digest": (Reply(200), "no digest"),
    "no such digest": (Reply(200, {"Docker-Content-Digest": "sha256:x"}), "no digest"),
    "a redirect": (Reply(307, {"Location": "http://169.254.169.254/x"}), "no redirect is followed"),
    "an index of other bytes": (Reply(200, GOOD | {"Content-Type": INDEX}, b"{}"), "are not those of"),
    "an index without end": (
        Reply(200, GOOD | {"Content-Type": INDEX}, b" " * (MAX_INDEX + 1)),
        "more than 4,194,304 bytes",
    ),
    "an index cut short": (Reply(200, GOOD | {"Content-Type": INDEX, "Content-Length": "999"}, b"{}"), "UNAVAILABLE"),
    "no HTTP header": (Reply(200, {"a b\x01": "c"}), "UNAVAILABLE"),
}
BODIES = {"no JSON": b"{", "a list": b"[]", "no manifests": b"{}", "deep": b"[" * 100_000, "not UTF-8": b"\xff\xff"}


@pytest.mark.parametrize(("reply", "why"), LIES.values(), ids=LIES)
async def test_a_registry_that_lies_is_a_gap(reply: Reply, why: str) -> None:
    async def lie(asked: Asked) -> Reply:
        return reply

    tags, gaps = await look(lie)

    assert tags == ()
    assert [gap.source for gap in gaps] == ["registry"]
    assert why in gaps[0].reason


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_an_index_that_cannot_be_read_is_a_gap(body: bytes) -> None:
    tags, gaps = await look(_world(body, INDEX))

    assert tags == ()
    assert "the index" in gaps[0].reason


@pytest.mark.parametrize("method", ["HEAD", "GET"])
async def test_a_registry_that_hangs_is_a_gap_within_the_budget(method: str) -> None:
    world = _world(index(child(digest("a"))), INDEX)

    async def hang(asked: Asked) -> Reply:
        if asked.method == method:
            await asyncio.Event().wait()
        return await world(asked)

    started = asyncio.get_running_loop().time()
    tags, gaps = await look(hang, seconds=1.0)

    assert asyncio.get_running_loop().time() - started < 4
    assert tags == ()
    assert "no answer within" in gaps[0].reason


async def test_a_dead_registry_is_a_gap_at_once() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        target = Target(source="registry", address=address, resource="tags", practice=True)
        tags, gaps = await read_tags([parse_image(IMAGE)], target, Budget(10.0))

    assert tags == ()
    assert "UNAVAILABLE" in gaps[0].reason


PRACTICE = Target(source="registry", address="127.0.0.1:5000", resource="tags", practice=True)
GOOGLE = PRACTICE.model_copy(update={"address": GOOGLE_REGISTRIES, "practice": False})
MIRROR = GOOGLE.model_copy(update={"address": "mirror-docker.pkg.dev"})


@pytest.mark.parametrize(
    ("target", "repository", "address"),
    [
        (PRACTICE, "gcr.io/p/x", "http://127.0.0.1:5000/v2/p/x/manifests/v1"),
        (PRACTICE, "localhost/p/x", "http://127.0.0.1:5000/v2/p/x/manifests/v1"),
        (PRACTICE, "nginx", "http://127.0.0.1:5000/v2/nginx/manifests/v1"),
        (GOOGLE, "gcr.io/p/x", "https://gcr.io/v2/p/x/manifests/v1"),
        (GOOGLE, "eu.gcr.io/example.com:p/x", "https://eu.gcr.io/v2/example.com:p/x/manifests/v1"),
        (GOOGLE, f"{HOST}/p/r/x", f"https://{HOST}/v2/p/r/x/manifests/v1"),
        (MIRROR, f"{HOST}/p/r/x", "https://mirror-docker.pkg.dev/v2/p/r/x/manifests/v1"),
    ],
)
def test_the_path_is_kept_and_the_host_is_who_is_asked(target: Target, repository: str, address: str) -> None:
    assert manifest_address(target, repository, "v1") == address


@pytest.mark.parametrize(
    "repository",
    [
        *("evil.example/p/x", "gcr.io.evil.example/p/x", "evilgcr.io/p/x", "evil.example:443/gcr.io/x", "nginx"),
        *("gcr.io@evil.example/x", "pkg.dev/p/x", "GCR.IO/p/x", "gcr.io:8443/p/x", "user:pw@gcr.io/p/x"),
    ],
)
def test_no_credentials_go_beyond_googles_registries(repository: str) -> None:
    with pytest.raises(SourceError, match=r"no registry of Google's|no image reference"):
        manifest_address(GOOGLE, repository, "v1")


@pytest.mark.parametrize(
    "path", ["../x", "a/../b", "a//b", "a?b", "a#b", "a b", "", "a/.", "A", "a%2e", "a" * 256, "a\n"]
)
@pytest.mark.parametrize("target", [PRACTICE, GOOGLE], ids=["practice", "Google"])
def test_nothing_of_a_reference_becomes_syntax_of_a_url(target: Target, path: str) -> None:
    with pytest.raises(SourceError, match="no image reference"):
        manifest_address(target, f"gcr.io/{path}", "v1")


@pytest.mark.parametrize("tag", ["", "../x", "a/b", "a?b", "a b", "-a", "a" * 129, "sha256:xyz", "a\n"])
def test_nothing_of_a_tag_becomes_syntax_of_a_url(tag: str) -> None:
    with pytest.raises(SourceError, match="no image reference"):
        manifest_address(PRACTICE, "gcr.io/p/x", tag)


@pytest.mark.parametrize(
    ("reference", "repository", "tag", "digested"),
    [
        ("gcr.io/p/x:v1", "gcr.io/p/x", "v1", False),
        (f"gcr.io/p/x@{digest('a')}", "gcr.io/p/x", None, True),
        (f"gcr.io/p/x:v1@{digest('a')}", "gcr.io/p/x", "v1", True),
        ("127.0.0.1:5000/p/x", "127.0.0.1:5000/p/x", "latest", False),
        ("127.0.0.1:5000/p/x:v1", "127.0.0.1:5000/p/x", "v1", False),
        ("nginx", "nginx", "latest", False),
        ("gcr.io/p/x@sha256:short", "gcr.io/p/x", None, False),
        ("", "", None, False),
    ],
)
def test_a_reference_is_taken_apart(reference: str, repository: str, tag: str | None, digested: bool) -> None:  # noqa: FBT001 - a column of the table
    image = parse_image(reference)

    assert (image.reference, image.repository, image.tag) == (reference, repository, tag)
    assert image.digest == (digest("a") if digested else None)

"""References to images are taken apart as whoever pulls them takes them apart."""

import pytest

from checks.sources.image_references import parse_image

DIGEST = "sha256:" + "d" * 64
HOME = "us-west2-docker.pkg.dev/shop/apps/orders"


@pytest.mark.parametrize(
    ("reference", "repository", "tag", "digest", "by_tag"),
    [
        (HOME, HOME, "latest", None, "latest"),
        (f"{HOME}:v1", HOME, "v1", None, "v1"),
        (f"{HOME}:", HOME, "latest", None, "latest"),
        (f"{HOME}@{DIGEST}", HOME, None, DIGEST, None),
        (f"{HOME}:v1@{DIGEST}", HOME, "v1", DIGEST, None),
        ("registry:5000/x", "registry:5000/x", "latest", None, "latest"),
        ("registry:5000/x:v1", "registry:5000/x", "v1", None, "v1"),
        (f"registry:5000/a/x@{DIGEST}", "registry:5000/a/x", None, DIGEST, None),
        ("nginx", "nginx", "latest", None, "latest"),
        (f"{HOME}@sha256:short", HOME, None, None, None),
        ("", "", None, None, None),
    ],
)
def test_a_reference_is_taken_apart(
    reference: str, repository: str, tag: str | None, digest: str | None, by_tag: str | None
) -> None:
    image = parse_image(reference)

    assert (image.reference, image.repository, image.tag, image.digest) == (reference, repository, tag, digest)
    assert image.by_tag == by_tag

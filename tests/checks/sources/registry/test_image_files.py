"""What is read of an image, in how many calls, and what its answers rest on."""

import hashlib
import tarfile

import pytest

from checks.evidence.images import Presence
from checks.sources.registry.image.files import git_blob
from checks.sources.registry.image.limits import ImageLimits

from support.image_world import ImageWorld, look
from support.layered_images import Blobs, archive, entry, image
from support.registry_world import INDEX, child, index

TEXT = b"print('v2')\n"
BASE = archive([entry("etc", tarfile.DIRTYPE), (entry("etc/os-release"), b"ID=debian\n")])
OLD = archive([entry("app", tarfile.DIRTYPE), (entry("app/main.py"), b"print('v1')\n"), (entry("app/old.py"), b"x")])
NEW = archive([entry("app", tarfile.DIRTYPE), (entry("app/main.py"), TEXT), entry("app/.wh.old.py")])


def made(*archives: bytes, **config: object) -> tuple[ImageWorld, str]:
    blobs, manifest = image(archives, config=config)
    return ImageWorld(blobs), str(manifest["digest"])


async def test_a_file_in_the_newest_layer_is_read_without_the_layers_below() -> None:
    world, digest = made(BASE, OLD, NEW)

    read = await look(world, digest)

    (file,) = read.contents.files
    assert (file.presence, file.size, file.created_by) == (Presence.PRESENT, len(TEXT), "layer 2")
    assert file.sha256 == hashlib.sha256(TEXT).hexdigest()
    assert read.texts == {"app/main.py": TEXT}
    assert len(world.asked) == read.contents.requests == 3  # manifest, configuration, one layer
    assert (read.contents.layers, read.contents.layers_read) == (3, 1)


async def test_the_bytes_that_are_told_are_the_bytes_that_came() -> None:
    world, digest = made(BASE, OLD, NEW)

    read = await look(world, digest, ["nowhere"])

    assert read.contents.bytes_read == sum(len(data) for data in world.blobs.held.values())


async def test_git_names_a_file_as_it_is_named_here() -> None:
    assert git_blob(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert git_blob(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"


async def test_absence_is_proved_by_every_layer_once() -> None:
    world, digest = made(BASE, OLD, NEW)

    read = await look(world, digest, ["app/nowhere.py"])

    (file,) = read.contents.files
    assert (file.presence, file.layer) == (Presence.ABSENT, None)
    assert file.reason == "every layer was read, and none has it"
    assert sorted(set(world.layers_asked())) == sorted(world.layers_asked())
    assert len(world.layers_asked()) == 4


async def test_a_file_that_the_newest_layer_hides_is_absent_without_reading_on() -> None:
    world, digest = made(BASE, OLD, NEW)

    read = await look(world, digest, ["/app/old.py"])

    (file,) = read.contents.files
    assert (file.presence, file.created_by) == (Presence.ABSENT, "layer 2")
    assert file.reason == "a layer hides or replaces what was there"
    assert read.contents.layers_read == 1


async def test_several_files_share_one_pass() -> None:
    world, digest = made(BASE, OLD, NEW)

    read = await look(world, digest, ["app/main.py", "etc/os-release", "app/old.py", "app"])

    told = {file.path: file.presence.value for file in read.contents.files}
    assert told == {
        "app/main.py": "present",
        "etc/os-release": "present",
        "app/old.py": "absent",
        "app": "absent",  # a directory is no file
    }
    assert read.contents.requests == 5


async def test_the_child_that_cloud_run_runs_is_read_and_attestations_are_not() -> None:
    blobs, manifest = image([NEW])
    other, arm = image([OLD])
    told = index(
        child("sha256:" + "e" * 64, "unknown"),
        {"digest": arm["digest"], "platform": {"os": "linux", "architecture": "arm64"}},
        child(str(manifest["digest"])),
    )
    both = Blobs({**other.held, **blobs.held})

    read = await look(ImageWorld(both), both.add(INDEX, told)["digest"])

    assert read.contents.files[0].presence is Presence.PRESENT
    assert read.contents.manifest == manifest["digest"]
    assert read.contents.digest != read.contents.manifest


async def test_an_index_of_other_platforms_alone_is_inconclusive() -> None:
    blobs, manifest = image([NEW])
    arm, ppc = ({"digest": manifest["digest"], "platform": {"os": "linux", "architecture": each}} for each in "ab")

    read = await look(ImageWorld(blobs), blobs.add(INDEX, index(arm, ppc))["digest"])

    assert read.contents.files[0].presence is Presence.INCONCLUSIVE
    assert read.contents.files[0].reason == "the index has no manifest for linux/amd64, but linux/a, linux/b"


async def test_what_an_image_says_of_itself_is_told() -> None:
    labels = {"org.opencontainers.image.revision": "068c05d5"}
    world, digest = made(NEW, Labels=labels, Entrypoint=["gunicorn"], Cmd=["main:app"], WorkingDir="/app")

    contents = (await look(world, digest)).contents

    assert (contents.commit, contents.working_directory) == ("068c05d5", "/app")
    assert contents.command == ("gunicorn", "main:app")


async def test_a_link_into_a_layer_that_was_read_is_followed_by_reading_that_layer_again() -> None:
    world, digest = made(
        archive([entry("app", tarfile.SYMTYPE, "/srv/code")]),
        archive([entry("srv", tarfile.DIRTYPE), entry("srv/code", tarfile.DIRTYPE), (entry("srv/code/x.py"), TEXT)]),
    )

    read = await look(world, digest, ["app/x.py"])

    assert read.texts == {"app/x.py": TEXT}
    assert len(world.layers_asked()) == 4  # the configuration, both layers, and one of them again


async def test_a_hard_link_to_a_file_that_went_by_unread_is_followed() -> None:
    world, digest = made(archive([(entry("b"), TEXT), entry("a", tarfile.LNKTYPE, "b"), (entry("b"), b"later")]))

    read = await look(world, digest, ["a", "b"])

    assert read.texts == {"a": TEXT, "b": b"later"}


async def test_a_hard_link_into_a_layer_below_is_followed() -> None:
    world, digest = made(archive([(entry("b"), TEXT)]), archive([entry("a", tarfile.LNKTYPE, "b"), entry(".wh.b")]))

    read = await look(world, digest, ["a", "b"])

    assert read.texts == {"a": TEXT}


async def test_links_in_a_circle_are_inconclusive() -> None:
    world, digest = made(archive([entry("a", tarfile.SYMTYPE, "b"), entry("b", tarfile.SYMTYPE, "a")]))

    read = await look(world, digest, ["a"])

    assert read.contents.files[0].presence is Presence.INCONCLUSIVE
    assert read.contents.files[0].reason == "more than 40 links lead on from there"


async def test_what_a_layer_may_have_written_through_a_link_below_it_is_inconclusive() -> None:
    world, digest = made(
        archive([entry("usr", tarfile.DIRTYPE), entry("usr/lib", tarfile.DIRTYPE), (entry("usr/lib/x.py"), b"old")]),
        archive([entry("lib", tarfile.SYMTYPE, "usr/lib")]),
        archive([(entry("lib/x.py"), TEXT)]),
    )

    read = await look(world, digest, ["usr/lib/x.py", "lib/x.py"])

    beyond, through = read.contents.files
    assert beyond.presence is Presence.INCONCLUSIVE
    assert "writes through a symbolic link" in str(beyond.reason)
    assert through.presence is Presence.PRESENT
    assert read.texts == {"lib/x.py": TEXT}


async def test_a_layer_without_directories_of_its_own_is_believed_where_nothing_below_it_is_a_link() -> None:
    world, digest = made(BASE, archive([(entry("app/main.py"), TEXT)]))

    read = await look(world, digest)

    assert read.texts == {"app/main.py": TEXT}
    assert read.contents.layers_read == 1


async def test_a_file_of_more_bytes_than_are_read_is_inconclusive_and_named() -> None:
    world, digest = made(archive([(entry("app/main.py"), b"x" * 1_001)]))

    read = await look(world, digest, limits=ImageLimits(file=1_000))

    assert read.contents.files[0].reason == "it has more than 1,000 bytes"


@pytest.mark.parametrize("path", ["../../app/main.py", "/app/./main.py", "app//main.py", "./app/x/../main.py"])
async def test_a_path_does_not_lead_out_of_the_image_whichever_way_it_is_written(path: str) -> None:
    world, digest = made(archive([(entry(path), TEXT)]))

    read = await look(world, digest, ["app/main.py"])

    assert read.texts == {"app/main.py": TEXT}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
async def test_long_names_are_read_in_every_form_of_archive(
    form: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = "/".join(["directory-of-a-long-name"] * 5) + "/" + "module" * 12 + ".py"
    held = tmp_path_factory.mktemp("tar") / "layer.tar"
    with tarfile.open(held, "w", format=form) as written:
        source = held.with_name("source")
        source.write_bytes(TEXT)
        written.add(source, path)
    world, digest = made(held.read_bytes())

    read = await look(world, digest, [path])

    assert read.texts == {path: TEXT}

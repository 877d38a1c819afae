"""A stranger's checkout is asked for its history: nothing that it names is run, and nothing is fetched."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from checks.settings.errors import UsageError
from checks.sources.git_history import Provenance, provenance
from validate_daily.sandbox import running

from support.commands import example, run
from support.commands import told as answered

FILE = "shared/monitoring/processor_heartbeat.py"
KEYS = {
    "core.fsmonitor": "{evil}",
    "core.sshCommand": "{evil}",
    "core.gitProxy": "{evil}",
    "core.pager": "{evil}",
    "core.editor": "{evil}",
    "core.askPass": "{evil}",
    "core.alternateRefsCommand": "{evil}",
    "core.hooksPath": "{folder}",
    "gpg.program": "{evil}",
    "gpg.ssh.program": "{evil}",
    "gpg.x509.program": "{evil}",
    "log.showSignature": "true",
    "log.mailmap": "true",
    "diff.external": "{evil}",
    "diff.evil.command": "{evil}",
    "diff.evil.textconv": "{evil}",
    "filter.evil.clean": "{evil}",
    "filter.evil.smudge": "{evil}",
    "filter.evil.process": "{evil}",
    "credential.helper": "!{evil}",
    "pager.log": "{evil}",
    "pager.rev-list": "{evil}",
    "alias.log": "!{evil}",
    "alias.rev-list": "!{evil}",
    "alias.diff-tree": "!{evil}",
    "trailer.evil.command": "{evil}",
    "uploadpack.packObjectsHook": "{evil}",
    "protocol.ext.allow": "always",
    "protocol.allow": "always",
    "url.ext::{evil} .insteadOf": "https://",
    "include.path": "{folder}/more",
    "includeIf.gitdir:/.path": "{folder}/more",
}


def git(checkout: Path, *arguments: str, told: str | None = None) -> str:
    who = ["-c", "user.name=Ana", "-c", "user.email=ana@example.com", "-c", "commit.gpgsign=false"]
    plain = {"PATH": os.environ["PATH"], "HOME": str(checkout), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *who, "-C", checkout, *arguments], env=plain, input=told, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def blob(text: str) -> str:
    return hashlib.sha1(f"blob {len(text)}\0{text}".encode(), usedforsecurity=False).hexdigest()


def commit(checkout: Path, text: str | None, message: str) -> str:
    file = checkout / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    git(checkout, "add", "-A")
    git(checkout, "commit", "-qm", message)
    return git(checkout, "rev-parse", "HEAD")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Three commits of the file: old, then the fix, then old again."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for text, message in (("old\n", "the first"), ("new\n", "the fix"), ("old\n", "back")):
        commit(folder, text, message)
    return folder


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    """A program that says that it ran."""
    script = tmp_path / "evil.sh"
    script.write_text(f'#!/bin/sh\necho "$0 $*" >> {tmp_path / "ran"}\nexit 1\n')
    script.chmod(0o755)
    return script


def ran(evil: Path) -> list[str]:
    mark = evil.with_name("ran")
    return mark.read_text().splitlines() if mark.exists() else []


def subjects(told: Provenance) -> list[str]:
    return [each.subject for each in told.commits]


def signed(checkout: Path) -> str:
    """The newest commit once more, with a signature."""
    plain = git(checkout, "cat-file", "commit", "HEAD")
    head, _, body = plain.partition("\n\n")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----"
    made = git(checkout, "hash-object", "-t", "commit", "-w", "--stdin", told=f"{head}\n{signature}\n\n{body}\n")
    git(checkout, "update-ref", "refs/heads/main", made)
    return made


def test_a_plain_checkout_names_its_commits(checkout: Path) -> None:
    fix = git(checkout, "rev-parse", "HEAD~1")

    told = provenance(checkout, FILE, blob("old\n"), fix[:8])

    assert (subjects(told), told.searched, told.complete) == (["back", "the first"], 3, True)
    assert told.contains_fix is None, "the fix is among the ancestors of one, and not of the other"
    assert provenance(checkout, FILE, blob("new\n"), fix).contains_fix is True
    assert provenance(checkout, FILE, blob("else\n"), fix).commits == ()


@pytest.mark.parametrize("deep", [False, True])
def test_no_program_of_a_configuration_runs(checkout: Path, evil: Path, *, deep: bool) -> None:
    made = signed(checkout)
    (evil.parent / "more").write_text(f'[gpg]\nprogram = "{evil}"\n')
    for name in ("post-index-change", "reference-transaction", "post-checkout"):
        shutil.copy(evil, evil.with_name(name))
        shutil.copy(evil, checkout / ".git" / "hooks" / name)
    (checkout / ".gitattributes").write_text("* diff=evil filter=evil\n")
    for key, value in KEYS.items():
        where = key.format(evil=evil)
        git(checkout, "config", "--add", where, value.format(evil=evil, folder=evil.parent))
    evil.with_name("ran").unlink(missing_ok=True)

    told = provenance(checkout / "shared" if deep else checkout, FILE, blob("old\n"), None)

    assert ran(evil) == []
    assert told.commits[0].sha == made


@pytest.mark.parametrize("where", ["config", "config.worktree"])
def test_a_signature_is_not_shown_by_a_program_of_the_checkout(checkout: Path, evil: Path, where: str) -> None:
    made = signed(checkout)
    git(checkout, "config", "extensions.worktreeConfig", "true")
    for key, value in (("log.showSignature", "true"), ("gpg.program", str(evil))):
        git(checkout, "config", "--file", str(checkout / ".git" / where), key, value)

    told = provenance(checkout, FILE, blob("old\n"), None)

    assert ran(evil) == []
    assert told.commits[0].sha == made


def lacking(checkout: Path, folder: Path, evil: Path, what: str, address: str) -> Path:
    """A partial clone that lacks trees or blobs, whose origin is a program."""
    git(checkout, "config", "uploadpack.allowFilter", "true")
    clone = folder / "clone"
    git(folder, "clone", "-q", "--bare", f"--filter={what}", f"file://{checkout}", str(clone))
    git(clone, "config", "remote.origin.url", address)
    for key in ("uploadpack", "receivepack", "vcs"):
        git(clone, "config", f"remote.origin.{key}", str(evil))
    if not address.startswith("other"):
        git(clone, "config", "--unset", "remote.origin.vcs")
    git(clone, "config", "core.sshCommand", str(evil))
    git(clone, "config", "protocol.ext.allow", "always")
    return clone


ADDRESSES: dict[str, Callable[[Path, Path], str]] = {
    "a path": lambda checkout, _: str(checkout),
    "file": lambda checkout, _: f"file://{checkout}",
    "ssh": lambda _, __: "ssh://nobody@host.invalid/x",
    "ext": lambda _, evil: f"ext::{evil}",
}


@pytest.mark.parametrize("how", ADDRESSES)
def test_trees_that_are_missing_are_not_fetched_and_leave_it_unknown(
    checkout: Path, tmp_path: Path, evil: Path, how: str
) -> None:
    clone = lacking(checkout, tmp_path, evil, "tree:0", ADDRESSES[how](checkout, evil))

    told = provenance(clone, FILE, blob("old\n"), git(checkout, "rev-parse", "HEAD~1"))

    assert ran(evil) == []
    assert (told.commits, told.complete, told.contains_fix) == ((), False, None)
    assert told.reason
    assert told.next_step
    assert "whole" in told.next_step


@pytest.mark.parametrize("how", ADDRESSES)
def test_contents_that_are_missing_are_not_needed(checkout: Path, tmp_path: Path, evil: Path, how: str) -> None:
    """The trees name them: that is all that is asked."""
    clone = lacking(checkout, tmp_path, evil, "blob:none", ADDRESSES[how](checkout, evil))

    told = provenance(clone, FILE, blob("old\n"), None)

    assert ran(evil) == []
    assert (subjects(told), told.complete, told.reason) == (["back", "the first"], True, None)


def test_the_command_tells_what_it_could_not_read_and_what_would(checkout: Path, tmp_path: Path, evil: Path) -> None:
    clone = lacking(checkout, tmp_path, evil, "tree:0", str(checkout))
    asked = ("probe", "nba-phase2-raw-processors", "--config", example(tmp_path), "--repository", str(clone))
    with running("healthy") as cloud:
        people = run(cloud, *asked).stdout
        programs = list(answered(cloud, *asked, code=0)["provenance"].values())

    assert ran(evil) == []
    assert "unknown: git cannot read its history" in people
    assert "next: nothing is fetched here: name a whole clone" in people
    assert "none of the" not in people
    assert programs
    assert all(each["reason"] and each["next_step"] and not each["complete"] for each in programs)


def test_a_missing_commit_leaves_it_unknown(checkout: Path) -> None:
    lost = git(checkout, "rev-parse", "HEAD~1")
    (checkout / ".git" / "objects" / lost[:2] / lost[2:]).unlink()

    told = provenance(checkout, FILE, blob("old\n"), None)

    assert (told.commits, told.complete) == ((), False)
    assert told.reason


def test_a_history_that_was_cut_never_says_that_the_fix_is_no_ancestor(checkout: Path, tmp_path: Path) -> None:
    fix = git(checkout, "rev-parse", "HEAD~1")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{checkout}", str(tmp_path / "clone"))

    told = provenance(tmp_path / "clone", FILE, blob("old\n"), fix)

    assert (subjects(told), told.complete, told.contains_fix) == (["back"], False, None)


def test_worktrees_packed_references_loose_heads_and_borrowed_objects_are_read(checkout: Path, tmp_path: Path) -> None:
    side = tmp_path / "side"
    git(checkout, "worktree", "add", "-q", "--detach", str(side))
    loose = commit(side, "side\n", "on no branch")
    git(checkout, "pack-refs", "--all")
    git(tmp_path, "clone", "-q", "--shared", str(checkout), str(tmp_path / "borrowing"))
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", str(checkout), str(bare))

    assert [each.sha for each in provenance(side, FILE, blob("side\n"), None).commits] == [loose]
    for each in (checkout, tmp_path / "borrowing", bare):
        assert subjects(provenance(each, FILE, blob("new\n"), None)) == ["the fix"]


def test_a_merge_and_a_removal_are_told_by_what_they_left(checkout: Path) -> None:
    git(checkout, "checkout", "-q", "-b", "side", "HEAD~1")
    commit(checkout, "side\n", "on the side")
    git(checkout, "checkout", "-q", "main")
    git(checkout, "merge", "-q", "--no-commit", "-s", "ours", "side")
    merged = commit(checkout, "both\n", "the merge")
    commit(checkout, None, "gone")

    assert [each.sha for each in provenance(checkout, FILE, blob("both\n"), None).commits] == [merged]


def test_a_name_is_no_pattern_and_a_directory_is_no_file(checkout: Path) -> None:
    for name in (":(glob)**/*.py", "shared/*", "shared", "shared/monitoring"):
        assert provenance(checkout, name, blob("old\n"), None).commits == (), name


@pytest.mark.parametrize("entry", [".", "", "{checkout}"])
def test_git_is_never_taken_from_the_open_directory(
    checkout: Path, evil: Path, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(evil, checkout / "git")
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("PATH", os.pathsep.join((entry.format(checkout=checkout), os.environ["PATH"])))

    told = provenance(Path(), FILE, blob("new\n"), None)

    assert ran(evil) == []
    assert subjects(told) == ["the fix"]


def test_what_leads_git_elsewhere_is_not_handed_on(
    checkout: Path, tmp_path: Path, evil: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    variables = {
        "GIT_DIR": str(other / ".git"),
        "GIT_EXTERNAL_DIFF": str(evil),
        "GIT_EXEC_PATH": str(tmp_path),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "log.showSignature",
        "GIT_CONFIG_VALUE_0": "true",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert subjects(provenance(checkout, FILE, blob("new\n"), None)) == ["the fix"]
    assert ran(evil) == []


def test_a_repository_of_another_kind_is_refused_with_the_reason(checkout: Path, tmp_path: Path) -> None:
    longer = tmp_path / "longer"
    longer.mkdir()
    git(longer, "init", "-q", "--object-format=sha256")
    (checkout / ".git" / "reftable").mkdir()

    with pytest.raises(UsageError, match="sha256"):
        provenance(longer, FILE, blob("old\n"), None)
    with pytest.raises(UsageError, match="reftable"):
        provenance(checkout, FILE, blob("old\n"), None)


@pytest.mark.parametrize("broken", ["gitdir: /nowhere/at/all", "no such thing", "gitdir: " + "x" * 10_000, ""])
def test_a_git_file_that_leads_nowhere_is_said(tmp_path: Path, broken: str) -> None:
    (tmp_path / ".git").write_text(broken)

    with pytest.raises(UsageError, match="name a checkout with --repository"):
        provenance(tmp_path, FILE, blob("old\n"), None)


def test_nothing_is_written_into_a_checkout(checkout: Path) -> None:
    def all_files() -> dict[str, int]:
        return {str(each): each.lstat().st_mtime_ns for each in sorted(checkout.rglob("*"))}

    before = all_files()
    provenance(checkout, FILE, blob("old\n"), None)

    assert all_files() == before

import os
import re
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validate_daily.repairs.plans.errors import RepairError, TokenError
from validate_daily.repairs.plans.plan import CleanupPlan, Plan, Principal, RestorePlan
from validate_daily.repairs.plans.seal import KEY_VARIABLE, Binding, Seal, key_file, plan_key

from support.plans import ANA, PLAN, T

KEY = b"k" * 32
OURS = Binding("p", "(default)", "c", ANA)
TOKEN = Seal(KEY).seal(PLAN)


def test_a_sealed_plan_opens_as_it_was_at_whoever_shares_the_key() -> None:
    assert Seal(KEY).open(TOKEN, CleanupPlan, OURS) == PLAN
    assert re.fullmatch(r"[A-Za-z0-9._-]+", TOKEN)


FOREIGN = {
    "another key": (Seal(b"x" * 32).seal(PLAN), OURS, "changed, or sealed with another key"),
    "another project": (TOKEN, Binding("q", "(default)", "c", ANA), "for the project 'p', not 'q'"),
    "another database": (TOKEN, Binding("p", "other", "c", ANA), "for the database '.default.', not 'other'"),
    "another collection": (TOKEN, Binding("p", "(default)", "d", ANA), "for the collection 'c', not 'd'"),
    "another principal": (
        TOKEN,
        Binding("p", "(default)", "c", Principal(name="bob")),
        "made for 'ana'.*not for 'bob'",
    ),
    "the same name, verified": (
        TOKEN,
        Binding("p", "(default)", "c", Principal(name="ana", verified=True)),
        r"made for 'ana' \(local user, unverified\), not for 'ana' \(verified\)",
    ),
    "an unknown version": ("vd2" + TOKEN[3:], OURS, "version is unknown"),
    "nothing": ("", OURS, "this is no plan"),
    "something else": ("ya29.secret", OURS, "this is no plan"),
    "without its signature": (TOKEN.rpartition(".")[0], OURS, "cut off or garbled"),
    "cut in its signature": (TOKEN[:-4], OURS, "cut off or garbled"),
    "with a strange character": (TOKEN[:-1] + "*", OURS, "cut off or garbled"),
    "far too long": (TOKEN + "A" * 100_000, OURS, "this is no plan"),
}


@pytest.mark.parametrize(("token", "binding", "message"), FOREIGN.values(), ids=FOREIGN)
def test_what_is_no_plan_for_this_is_refused_with_its_reason(token: str, binding: Binding, message: str) -> None:
    with pytest.raises(TokenError, match=f"(?s){message}.*; next: ") as caught:
        Seal(KEY).open(token, CleanupPlan, binding)
    assert "secret" not in str(caught.value)


def test_a_cleanup_is_no_restore() -> None:
    with pytest.raises(TokenError, match="a plan of a cleanup; next: use validate-daily cleanup"):
        Seal(KEY).open(TOKEN, RestorePlan, OURS)


@given(st.integers(4, len(TOKEN) - 1), st.sampled_from("ABab01-_"))
def test_no_changed_character_goes_unnoticed(place: int, character: str) -> None:
    changed = TOKEN[:place] + character + TOKEN[place + 1 :]
    try:
        opened = Seal(KEY).open(changed, CleanupPlan, OURS)
    except TokenError:
        return
    assert opened == PLAN  # the same bytes, spelled otherwise at the end of a part


@pytest.mark.parametrize(
    ("age", "started", "expired"),
    [
        (timedelta(minutes=10) - timedelta(microseconds=1), False, None),
        (timedelta(minutes=10), False, "has expired since 2026-03-01 12:10:00 UTC; next: plan again"),
        (timedelta(minutes=10), True, None),
        (timedelta(hours=1) - timedelta(microseconds=1), True, None),
        (timedelta(hours=1), True, "can no longer be resumed since 2026-03-01 13:00:00 UTC"),
    ],
)
def test_a_plan_starts_within_ten_minutes_and_resumes_within_the_hour(
    age: timedelta, *, started: bool, expired: str | None
) -> None:
    def check(plan: Plan) -> None:
        plan.check_time(T + age, started=started)

    if expired is None:
        check(PLAN)
    else:
        with pytest.raises(TokenError, match=expired):
            check(PLAN)


def test_the_key_comes_from_the_variable_if_it_is_long_enough() -> None:
    assert plan_key({KEY_VARIABLE: "é" * 16}) == ("é" * 16).encode()
    with pytest.raises(RepairError, match=f"{KEY_VARIABLE} has fewer than 32 bytes; next: "):
        plan_key({KEY_VARIABLE: "x" * 31})


def test_without_the_variable_the_user_has_a_key_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "validate-daily" / "plan.key"

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(plan_key, [dict[str, str]()] * 16))

    assert len(keys) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["plan.key"]


def _shared(path: Path) -> None:
    key_file(path)
    path.chmod(0o640)


def _short(path: Path) -> None:
    path.write_text("short")
    path.chmod(0o600)


def _link(path: Path) -> None:
    key_file(path.with_name("real"))
    path.symlink_to(path.with_name("real"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(_shared, "others may read"), (_short, "fewer than 32 bytes"), (_link, "cannot be used"), (os.mkdir, "cannot be")],
    ids=["readable by others", "short", "a link", "a folder"],
)
def test_a_key_file_that_cannot_be_trusted_is_refused(
    tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "plan.key"
    spoil(path)
    with pytest.raises(RepairError, match=f"plan.key: .*{message}.*; next: "):
        key_file(path)

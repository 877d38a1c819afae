"""Seals a plan into a token: whoever holds the key can tell that it is a plan of ours, unchanged, and for this.

The token is all the state there is, so that any server instance that shares the key can apply it. A seal proves where a
plan came from; it agrees to nothing: applying asks for an approval, and lists again.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
import stat
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from platformdirs import user_config_path
from pydantic import ValidationError

from checks.settings.file import Settings
from validate_daily.repairs.plans.errors import RepairError, TokenError
from validate_daily.repairs.plans.plan import Plan, Principal

KEY_VARIABLE: Final = "VALIDATE_DAILY_PLAN_KEY"
KEY_BYTES: Final = 32
MAX_TOKEN: Final = 64 << 10
_VERSION: Final = "vd1"
_PURPOSE: Final = b"validate-daily/plan/1\0"
_AGAIN: Final = "plan again, and pass the new token as it was printed"

P = TypeVar("P", bound=Plan)


@dataclass(frozen=True, slots=True)
class Binding:
    """What a plan holds for: another project, database, collection or principal cannot use it."""

    project: str
    database: str
    collection: str
    principal: Principal

    @classmethod
    def of(cls, settings: Settings, principal: Principal) -> "Binding":
        """What the settings are about, and who asks."""
        heartbeats = settings.pipeline.heartbeats
        return cls(settings.pipeline.heartbeat_project, heartbeats.database, heartbeats.collection, principal)


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals and opens plans with one key."""

    key: bytes

    def seal(self, plan: Plan) -> str:
        """A plan as a compact token."""
        fields = plan.model_dump(mode="json")
        packed = zlib.compress(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode(), 9)
        return f"{_VERSION}.{_text(packed)}.{_text(self._signature(packed))}"

    def open(self, token: str, kind: type[P], binding: Binding) -> P:
        """The plan in a token. Whether it has expired, ``Plan.check_time`` tells by Firestore's clock.

        Raises:
            TokenError: it is forged, cut off, of another version or kind, or for something or somebody else.
        """
        packed = self._authentic(token)
        fields = json.loads(zlib.decompress(packed))
        if fields.get("kind") != kind.model_fields["kind"].default:
            raise TokenError(f"this is a plan of a {fields.get('kind')}", f"use validate-daily {fields.get('kind')}")
        try:
            plan = kind.model_validate(fields)
        except ValidationError as error:
            raise TokenError("the plan is of another version of validate-daily", _AGAIN) from error
        _check(plan, binding)
        return plan

    def _authentic(self, token: str) -> bytes:
        version, *parts = token.split(".") if len(token) <= MAX_TOKEN else [""]
        if version != _VERSION:
            known = version.startswith("vd") and version[2:].isdigit()
            raise TokenError("the plan's version is unknown here" if known else "this is no plan", _AGAIN)
        try:
            packed, signature = (_bytes(part) for part in parts)
        except (ValueError, binascii.Error):
            raise TokenError("the plan is cut off or garbled", _AGAIN) from None
        if len(signature) != hashlib.sha256().digest_size:
            raise TokenError("the plan is cut off or garbled", _AGAIN)
        if not hmac.compare_digest(signature, self._signature(packed)):
            raise TokenError(
                "the plan was changed, or sealed with another key",
                f"plan again here; servers that work together need the same {KEY_VARIABLE}",
            )
        return packed

    def _signature(self, packed: bytes) -> bytes:
        return hmac.digest(self.key, _PURPOSE + packed, "sha256")


def plan_key(environment: Mapping[str, str] = os.environ) -> bytes:
    """The sealing key: the variable, else the user's own file, which is made where it is not there.

    Raises:
        RepairError: the variable is too short, or the file cannot be used or could be read by others.
    """
    text = environment.get(KEY_VARIABLE)
    if text is not None:
        if len(text.encode()) < KEY_BYTES:
            raise RepairError(
                f"{KEY_VARIABLE} has fewer than {KEY_BYTES} bytes", "set it to a long random text, or unset it"
            )
        return text.encode()
    return key_file(user_config_path("validate-daily") / "plan.key")


def key_file(path: Path) -> bytes:
    """The key in a file of the user's, made there if need be.

    Raises:
        RepairError: it cannot be used, or could be read by others.
    """
    try:
        if not path.exists():
            _make(path)
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            facts = os.fstat(file.fileno())
            key = file.read(4096).strip()
    except OSError as error:
        raise RepairError(f"{path}: cannot be used: {error.strerror}", f"mend it, or set {KEY_VARIABLE}") from error
    if facts.st_uid != os.geteuid() or stat.S_IMODE(facts.st_mode) & 0o077:
        raise RepairError(f"{path}: others may read or change it", f"delete it, or set {KEY_VARIABLE}")
    if len(key) < KEY_BYTES:
        raise RepairError(f"{path}: holds fewer than {KEY_BYTES} bytes", "delete it: a new one is made")
    return key


def _make(path: Path) -> None:
    """Put a whole key there, or leave the one that somebody else has just put."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _check(plan: Plan, binding: Binding) -> None:
    for what in ("project", "database", "collection"):
        theirs, ours = getattr(plan, what), getattr(binding, what)
        if theirs != ours:
            raise TokenError(f"the plan is for the {what} {theirs!r}, not {ours!r}", "plan again for this one")
    if plan.principal != binding.principal:
        raise TokenError(
            f"the plan was made for {plan.principal.name!r} ({plan.principal.identity}), not for "
            f"{binding.principal.name!r} ({binding.principal.identity})",
            "whoever applies a plan makes it: plan again",
        )


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)

"""Resource names: where a document or a collection lives, and what Firestore allows as an id."""

import re
from dataclasses import dataclass
from typing import Final

from heartbeat.document_id import MAX_ID_BYTES
from validate_daily.sandbox.errors import invalid

_DATABASE: Final = re.compile(r"projects/[^/]+/databases/[^/]+")
_DOCUMENTS: Final = re.compile(rf"({_DATABASE.pattern})/documents(?:/(.*))?", re.DOTALL)
_RESERVED: Final = re.compile(r"__.*__", re.DOTALL)


@dataclass(frozen=True, slots=True)
class DocumentPath:
    """A document: its database, the path of its collection below the database's root, its id."""

    database: str
    collection: str
    id: str


def database(name: str) -> str:
    """Check the name of a database: ``projects/{project}/databases/{database}``."""
    if not _DATABASE.fullmatch(name):
        invalid(f'Database name "{name}" does not match projects/{{project}}/databases/{{database}}.')
    return name


def document(name: str) -> DocumentPath:
    """Read the full resource name of a document."""
    where, segments = _split(name, "Document")
    if not segments or len(segments) % 2:
        invalid(f'Document name "{name}" lacks "/" at index {len(name)}.')
    return DocumentPath(where, "/".join(segments[:-1]), segments[-1])


def parent(name: str) -> tuple[str, str]:
    """Read the parent of a collection: the root of a database or a document. Returns database and path, or ''."""
    where, segments = _split(name, "Parent")
    if len(segments) % 2:
        invalid(f'Parent "{name}" is a collection: name the root or a document.')
    return where, "/".join(segments)


def child(path: str, collection_id: str) -> str:
    """The path of a collection below a parent's path."""
    if not collection_id or "/" in collection_id:
        invalid(f'"{collection_id}" is no collection id.')
    return f"{path}/{collection_id}" if path else collection_id


def check_id(text: str, name: str) -> None:
    """Refuse what may not be written as an id."""
    if text in {".", ".."}:
        invalid(f'Document name "{name}" contains a resource id "{text}" at index {len(name) - len(text)}.')
    if _RESERVED.fullmatch(text):
        invalid(f'Resource id "{text}" is invalid because it is reserved.')
    if len(text.encode()) > MAX_ID_BYTES:
        invalid(f"The key path element name is longer than {MAX_ID_BYTES} bytes.")


def _split(name: str, what: str) -> tuple[str, list[str]]:
    match = _DOCUMENTS.fullmatch(name)
    if match is None:
        invalid(f'{what} name "{name}" does not match projects/{{project}}/databases/{{database}}/documents.')
    if match[2] is None:
        return match[1], []
    if name.endswith("/"):
        invalid(f'{what} name "{name}" has invalid trailing "/".')
    segments = match[2].split("/")
    if "" in segments:
        invalid(f'{what} name "{name}" has an empty segment.')
    return match[1], segments

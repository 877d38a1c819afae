"""A Firestore to repair: its documents as raw messages, settings that permit writes, and agreements to plans."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import grpc.aio
from google.cloud.firestore_v1 import types as t
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport

from checks.settings.file import Settings, parse_settings
from checks.sources.progress import Progress, quiet
from validate_daily.repairs.documents.cleanup import apply_cleanup, plan_cleanup
from validate_daily.repairs.documents.session import DocumentSession, open_session
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.outcome import DocumentsOutcome
from validate_daily.repairs.plans.plan import CleanupPlan, Plan, Principal
from validate_daily.repairs.stores.audit_file import FileAudit

from support.plans import ANA

COLLECTION = "processor_heartbeats"
TRASH = f"{COLLECTION}_trash"
Fields = Mapping[str, t.Value]


def run_ids(count: int, name: str = "NbacScheduleProcessor") -> list[str]:
    """Ids as old code made them."""
    return [f"{name}_None_{place:08x}" for place in range(count)]


def settings_for(
    project: str,
    *,
    writes: str = "enabled = true",
    heartbeats: str = "processors = ['Good']",
    audit: str = "",
    named: bool = True,
) -> Settings:
    """Settings of a file that the user named, with writes on."""
    text = (
        f'[pipeline]\nname = "nba"\nproject = "{project}"\n[heartbeats]\n{heartbeats}\n'
        f"[writes]\n{writes}\n[audit]\n{audit}\n"
    )
    return Settings(parse_settings(text, origin="F"), Path("F"), named)


def agreed(plan: Plan) -> Approval:
    """Somebody typed what a terminal asked for."""
    return Approval.given(plan, "terminal", plan.principal, plan.words)


@dataclass(frozen=True)
class Bench:
    """One project's Firestore, in the sandbox or the official emulator, and what a repair of it needs."""

    address: str
    project: str
    gapic: FirestoreAsyncClient
    audit: FileAudit
    settings: Settings

    @property
    def environment(self) -> dict[str, str]:
        return {"FIRESTORE_EMULATOR_HOST": self.address}

    @property
    def database(self) -> str:
        return f"projects/{self.project}/databases/(default)"

    def name(self, document_id: str, collection: str = COLLECTION) -> str:
        return f"{self.database}/documents/{collection}/{document_id}"

    async def put(self, ids: Iterable[str], fields: Fields | None = None, *, collection: str = COLLECTION) -> None:
        """Write documents, over those that are there."""
        given = {"status": t.Value(string_value="running")} if fields is None else fields
        await self.commit(
            t.Write(update=t.Document(name=self.name(each, collection), fields=dict(given))) for each in ids
        )

    async def delete(self, ids: Iterable[str]) -> None:
        await self.commit(t.Write(delete=self.name(each)) for each in ids)

    async def commit(self, writes: Iterable[t.Write]) -> None:
        waiting = list(writes)
        for start in range(0, len(waiting), 400):
            await self._call("commit", t.CommitRequest(database=self.database, writes=waiting[start : start + 400]))

    async def documents(self, collection: str = COLLECTION, at: datetime | None = None) -> dict[str, t.Document]:
        """Everything in a collection, by id; now, or as of a moment."""
        answers = await self._query(collection, at)
        return {each.document.name.rpartition("/")[2]: each.document for each in answers if each.document.name}

    async def now(self) -> datetime:
        """Firestore's own time, for reads that belong together."""
        return cast("datetime", (await self._query("nothing", None))[0].read_time)

    async def _query(self, collection: str, at: datetime | None) -> list[t.RunQueryResponse]:
        query = t.StructuredQuery(from_=[t.StructuredQuery.CollectionSelector(collection_id=collection)])
        request = t.RunQueryRequest(
            parent=f"{self.database}/documents", structured_query=query, read_time=cast("Any", at)
        )
        return [answer async for answer in await self._call("run_query", request)]

    async def trash(self) -> dict[str, t.Document]:
        """Everything in the trash, by the path that it came from."""
        return {each.fields["path"].string_value: each for each in (await self.documents(TRASH)).values()}

    @asynccontextmanager
    async def session(
        self,
        *,
        writing: bool = False,
        settings: Settings | None = None,
        principal: Principal = ANA,
        progress: Progress = quiet,
        seconds: float = 60,
    ) -> AsyncGenerator[DocumentSession]:
        async with open_session(
            settings or self.settings,
            principal,
            writing=writing,
            timeout=seconds,
            progress=progress,
            environment=self.environment,
        ) as session:
            yield session

    async def plan(self, *, settings: Settings | None = None, most: int | None = None) -> CleanupPlan:
        """A plan of everything run-scoped, however new it is."""
        async with self.session(settings=settings) as session:
            return await plan_cleanup(session, even_if_growing=True, max_documents=most)

    async def apply(
        self, plan: CleanupPlan, *, progress: Progress = quiet, settings: Settings | None = None, seconds: float = 60
    ) -> DocumentsOutcome:
        async with self.session(writing=True, progress=progress, settings=settings, seconds=seconds) as session:
            return await apply_cleanup(session, plan, agreed(plan), self.audit)

    async def _call(self, method: str, request: object) -> Any:
        metadata = [("authorization", "Bearer owner"), ("google-cloud-resource-prefix", self.database)]
        call: Any = getattr(self.gapic, method)
        return await call(request=request, metadata=metadata, retry=None, timeout=20)


@asynccontextmanager
async def bench(address: str, project: str, folder: Path) -> AsyncGenerator[Bench]:
    """Open one at an address."""
    async with grpc.aio.insecure_channel(address) as channel:
        api = FirestoreAsyncClient(transport=FirestoreGrpcAsyncIOTransport(channel=channel))
        audit = FileAudit(folder / "audit" / "audit.jsonl")
        yield Bench(address, project, api, audit, settings_for(project))


def plain(fields: Mapping[str, t.Value]) -> bytes:
    """Fields as bytes: equal only if every type and every bit is."""
    message: Any = t.Document.pb(t.Document(fields=dict(fields)))
    return bytes(message.SerializeToString(deterministic=True))

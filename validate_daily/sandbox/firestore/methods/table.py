"""The methods of ``google.firestore.v1.Firestore`` that the practice cloud answers, in one list."""

from collections.abc import Callable
from typing import Final, TypeVar

from validate_daily.sandbox.calls import Call
from validate_daily.sandbox.firestore import messages as m
from validate_daily.sandbox.firestore.documents import DocumentStore
from validate_daily.sandbox.firestore.methods import query, read, write
from validate_daily.sandbox.rpc import Single, Stream, Table

FIRESTORE: Final = "google.firestore.v1.Firestore"

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


def firestore_methods(store: DocumentStore) -> Table:
    """All methods, over one store. Whatever else Google's service has is unimplemented."""

    def over(
        parse: Callable[[bytes], _Request], answer: Callable[[DocumentStore, _Request, Call], _Response]
    ) -> Callable[[bytes, Call], _Response]:
        def handle(request: bytes, call: Call) -> _Response:
            with store.lock:
                return answer(store, parse(request), call)

        return handle

    return {
        "RunQuery": Stream(over(m.RunQueryRequest.FromString, query.run_query)),
        "RunAggregationQuery": Stream(over(m.RunAggregationQueryRequest.FromString, query.run_aggregation_query)),
        "BatchGetDocuments": Stream(over(m.BatchGetDocumentsRequest.FromString, read.batch_get_documents)),
        "GetDocument": Single(over(m.GetDocumentRequest.FromString, read.get_document)),
        "ListDocuments": Single(over(m.ListDocumentsRequest.FromString, query.list_documents)),
        "ListCollectionIds": Single(over(m.ListCollectionIdsRequest.FromString, read.list_collection_ids)),
        "Commit": Single(over(m.CommitRequest.FromString, write.commit)),
        "BatchWrite": Single(over(m.BatchWriteRequest.FromString, write.batch_write)),
        "CreateDocument": Single(over(m.CreateDocumentRequest.FromString, write.create_document)),
        "UpdateDocument": Single(over(m.UpdateDocumentRequest.FromString, write.update_document)),
        "DeleteDocument": Single(over(m.DeleteDocumentRequest.FromString, write.delete_document)),
    }

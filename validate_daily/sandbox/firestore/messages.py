"""Firestore's messages as plain protobuf classes, a tenth of the cost of their proto-plus wrappers.

The classes are made at run time, so that no type checker can see them: the stub beside this file says what they are.
"""

from typing import Any

from google.cloud.firestore_v1 import types
from google.protobuf.timestamp_pb2 import Timestamp as Timestamp  # noqa: PLC0414 - part of this file's surface
from google.rpc.status_pb2 import Status as Status  # noqa: PLC0414 - part of this file's surface

_types: Any = types

Value = _types.Value.pb()
ArrayValue = _types.ArrayValue.pb()
MapValue = _types.MapValue.pb()
Document = _types.Document.pb()
DocumentMask = _types.DocumentMask.pb()
FieldTransform = _types.DocumentTransform.FieldTransform.pb()
Precondition = _types.Precondition.pb()
Write = _types.Write.pb()
WriteResult = _types.WriteResult.pb()
Cursor = _types.Cursor.pb()
StructuredQuery = _types.StructuredQuery.pb()
Filter = _types.StructuredQuery.Filter.pb()
FieldFilter = _types.StructuredQuery.FieldFilter.pb()
UnaryFilter = _types.StructuredQuery.UnaryFilter.pb()
Order = _types.StructuredQuery.Order.pb()
RunQueryRequest = _types.RunQueryRequest.pb()
RunQueryResponse = _types.RunQueryResponse.pb()
RunAggregationQueryRequest = _types.RunAggregationQueryRequest.pb()
RunAggregationQueryResponse = _types.RunAggregationQueryResponse.pb()
GetDocumentRequest = _types.GetDocumentRequest.pb()
BatchGetDocumentsRequest = _types.BatchGetDocumentsRequest.pb()
BatchGetDocumentsResponse = _types.BatchGetDocumentsResponse.pb()
ListDocumentsRequest = _types.ListDocumentsRequest.pb()
ListDocumentsResponse = _types.ListDocumentsResponse.pb()
ListCollectionIdsRequest = _types.ListCollectionIdsRequest.pb()
ListCollectionIdsResponse = _types.ListCollectionIdsResponse.pb()
CommitRequest = _types.CommitRequest.pb()
CommitResponse = _types.CommitResponse.pb()
BatchWriteRequest = _types.BatchWriteRequest.pb()
BatchWriteResponse = _types.BatchWriteResponse.pb()
CreateDocumentRequest = _types.CreateDocumentRequest.pb()
UpdateDocumentRequest = _types.UpdateDocumentRequest.pb()
DeleteDocumentRequest = _types.DeleteDocumentRequest.pb()

"""Paging: many documents of a collection, in calls that each keep their deadline."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from models.database import Collection, Document

IDS_PER_CALL = 1000
PAGE_SIZE = 500


async def find_by_ids(
    collection: Collection, ids: Sequence[int], query: Document, fields: Sequence[str] | None = None
) -> list[Document]:
    """The documents with these ids that match, in any order."""
    documents: list[Document] = []
    for start in range(0, len(ids), IDS_PER_CALL):
        page: Document = {"_id": {"$in": list(ids[start : start + IDS_PER_CALL])}, **query}
        documents += await collection.find(page, sort="", limit=0, fields=fields)
    return documents


async def pages_of(collection: Collection) -> AsyncIterator[list[Document]]:
    """Every document by ascending _id."""
    query: Document = {}
    while page := await collection.find(query, sort="_id", limit=PAGE_SIZE):
        yield page
        query = {"_id": {"$gt": page[-1]["_id"]}}

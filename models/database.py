"""MongoDB through motor: only this file and driver_errors.py know the driver.

Every call has a total deadline and raises DatabaseUnavailable if the server does not respond in time; a violated unique
index raises DuplicateKey. To replace motor, change the constructor of `Database` and the awaits in `Collection`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pymongo
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from motor.frameworks.asyncio import run_on_executor
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pymongo import CursorType, IndexModel, ReadPreference, ReturnDocument, UpdateOne, WriteConcern
from pymongo.errors import BulkWriteError, CollectionInvalid, OperationFailure, PyMongoError
from pymongo.monitoring import CommandListener

from models import errors
from models.batcher import Batchers
from models.driver_errors import OPERATION_TIMEOUT_S, DriverErrors, DuplicateKey
from models.index import Index

Document = dict[str, Any]
Change = tuple[Document, Document | list[Document]]
"""What to update, and how."""

INDEX_TIMEOUT_S = 3600.0
"""Of one index: a build reads the whole collection, and in a replica set every member has to follow."""
TAIL_WAIT_MS = 1000
"""How long MongoDB waits for a new document; the rest of OPERATION_TIMEOUT_S is for a machine that is busy."""
PAGE_SIZE = 500
MAX_ID = 2**53 - 1
"""The largest integer that JSON readers with double precision represent exactly."""

INDEX_CONFLICTS = (85, 86)
# MongoDB's IndexOptionsConflict and IndexKeySpecsConflict: the same keys with other options.

IN_MEMORY = WriteConcern(w=1, j=False)
JOURNALED = WriteConcern(w="majority", j=True)
"""In the journals of a majority of the members of a replica set; a standalone server is its own majority."""


class InvalidUri(ValueError):
    """The driver cannot use a URI; the message says why, without the URI."""


class Database:
    """One MongoDB database. Acknowledged writes are journaled, in a replica set by the majority of its members.

    Reads go to the primary, whatever the URI prefers: they must see the writes before them.
    listeners: the driver's, told of every call. Raises InvalidUri.
    """

    def __init__(self, uri: str, name: str, *, listeners: Sequence[CommandListener] = ()) -> None:
        self._errors = DriverErrors()
        self.batchers = Batchers()
        try:
            self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
                uri,
                io_loop=asyncio.get_running_loop(),
                serverSelectionTimeoutMS=int(OPERATION_TIMEOUT_S * 1000) - 1000,
                connectTimeoutMS=2000,
                timeoutMS=int(OPERATION_TIMEOUT_S * 1000),
                heartbeatFrequencyMS=2000,
                maxPoolSize=32,
                tz_aware=True,
                event_listeners=listeners,
            )
        except (PyMongoError, ValueError) as error:
            raise InvalidUri(str(error)) from error
        self._database = self._client.get_database(
            name,
            codec_options=CodecOptions(tz_aware=True),
            read_preference=ReadPreference.PRIMARY,
            write_concern=JOURNALED,
        )

    def collection(self, name: str, *, journaled: bool = True) -> Collection:
        """A collection by name; journaled=False for records that a crash may lose (leases, events)."""
        concern = JOURNALED if journaled else IN_MEMORY
        return Collection(self._database.get_collection(name, write_concern=concern), self._errors)

    def count_failures(self, count: Callable[[], object]) -> None:
        """Call `count` for each call from now on that fails because the database is unavailable."""
        self._errors.on_failure = count

    async def ping(self) -> None:
        """Raise DatabaseUnavailable unless the server responds."""
        async with self._errors.guard():
            await self._database.command("ping")

    async def create_indexes(self, indexes: Mapping[str, Sequence[Index]]) -> None:
        """Create missing indexes, and rebuild those that an earlier version created with other options."""
        await asyncio.gather(*(self._create_indexes(name, wanted) for name, wanted in indexes.items()))

    async def _create_indexes(self, collection: str, indexes: Sequence[Index]) -> None:
        """All indexes of a collection in one call: they are built by reading it once."""
        models = [IndexModel(index.pairs(), **index.options()) for index in indexes]
        with pymongo.timeout(INDEX_TIMEOUT_S):
            async with self._errors.guard(INDEX_TIMEOUT_S):
                try:
                    await self._database[collection].create_indexes(models)
                except OperationFailure as error:
                    if error.code not in INDEX_CONFLICTS:  # pragma: no cover - no known reason
                        raise
                    for index in indexes:
                        await self._create_index(collection, index)

    async def _create_index(self, collection: str, index: Index) -> None:
        try:
            await self._database[collection].create_index(index.pairs(), **index.options())
        except OperationFailure as error:
            if error.code not in INDEX_CONFLICTS:  # pragma: no cover - no known reason
                raise
            await self._database[collection].drop_index(index.pairs())
            await self._database[collection].create_index(index.pairs(), **index.options())

    async def drop_indexes(self, indexes: Mapping[str, Sequence[Index]]) -> None:
        """Drop those of these indexes that exist."""
        await asyncio.gather(*(self._drop_indexes(name, unneeded) for name, unneeded in indexes.items()))

    async def _drop_indexes(self, collection: str, indexes: Sequence[Index]) -> None:
        async with self._errors.guard():
            existing = await self._database[collection].index_information()
            for name in {index.name for index in indexes} & existing.keys():
                await self._database[collection].drop_index(name)

    async def create_capped(self, name: str, *, size_bytes: int) -> None:
        """Create a collection that drops its oldest documents, unless it exists."""
        async with self._errors.guard():
            try:
                await self._database.create_collection(name, capped=True, size=size_bytes)
            except CollectionInvalid:
                return

    async def tail(self, name: str) -> AsyncIterator[Document | None]:
        """The documents of a capped collection, oldest first, then None, then every document inserted from then on.

        Raises DatabaseUnavailable when the connection or the cursor ends.
        """
        with self._errors.translate():
            unread = await self._database[name].estimated_document_count()
            cursor = self._database[name].find(cursor_type=CursorType.TAILABLE_AWAIT).max_await_time_ms(TAIL_WAIT_MS)
            alive = True
            while alive:
                async for document in cursor:
                    yield document
                    unread -= 1
                    if unread == 0:
                        yield None
                alive = bool(getattr(cursor, "alive", False))  # a property that motor's stubs take for a method
        raise errors.DatabaseUnavailable()

    async def collection_names(self) -> list[str]:
        """The existing collections, sorted."""
        async with self._errors.guard():
            return sorted(await self._database.list_collection_names())

    async def dump(self, name: str) -> AsyncIterator[bytes]:
        """Every document of a collection, as BSON."""
        raw = self._database.get_collection(name, codec_options=CodecOptions(document_class=RawBSONDocument))
        with self._errors.translate():
            async for document in raw.find().batch_size(PAGE_SIZE):
                yield document.raw

    async def restore(self, name: str, documents: Sequence[bytes]) -> None:
        """Insert documents that `dump` returned. Raises DuplicateKey."""
        async with self._errors.guard():
            await self._database[name].insert_many([RawBSONDocument(document) for document in documents])

    def close(self) -> None:
        self._client.close()


class Collection:
    """PyMongo's calls that we use, each with a deadline and with translated errors."""

    def __init__(self, collection: AsyncIOMotorCollection[Document], driver_errors: DriverErrors) -> None:
        self._collection, self._errors = collection, driver_errors

    async def insert_one(self, document: Document) -> None:
        """Raises DuplicateKey."""
        await self.insert_many([document])  # unlike insert_one, it tells whether the duplicate has reached a majority

    async def insert_many(self, documents: Sequence[Document]) -> None:
        """Insert in this order, in one call; stops at the first duplicate. Raises DuplicateKey."""
        async with self._errors.guard():
            await self._collection.insert_many(documents)

    async def insert_each(self, documents: Sequence[Document]) -> list[DuplicateKey | None]:
        """Insert in one call; for each document why a unique index has rejected it, or None."""
        async with self._errors.guard():
            try:
                await self._collection.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                duplicates = self._errors.duplicates(error)
                if duplicates is None:
                    raise
                return [duplicates.get(index) for index in range(len(documents))]
        return [None] * len(documents)

    async def insert_with_id(self, document: Document) -> int:
        """Insert under a new id, which is returned. Raises DuplicateKey for any other unique index."""
        while True:
            document_id = new_id()
            try:
                await self.insert_one({"_id": document_id, **document})
            except DuplicateKey as error:
                if error.fields != {"_id"}:
                    raise
            else:
                return document_id

    async def find_one(self, query: Document, fields: Sequence[str] | None = None) -> Document | None:
        async with self._errors.guard():
            return await self._collection.find_one(query, projection=fields)

    async def find(
        self, query: Document, *, sort: str, limit: int, fields: Sequence[str] | None = None
    ) -> list[Document]:
        """At most `limit` documents (0: all). sort: keys as in Index, "" for any order."""
        find = self._collection.delegate.find
        return await self._read_all(partial(find, query, projection=fields, sort=Index(sort).pairs(), limit=limit))

    async def iterate(self, query: Document, *, size: int = 500) -> AsyncIterator[Document]:
        """Every matching document by ascending _id, read in pages of `size`."""
        after: Document = {}
        while page := await self.find({"$and": [query, after]} if after else query, sort="_id", limit=size):
            for document in page:
                yield document
            after = {"_id": {"$gt": page[-1]["_id"]}}

    async def update_one(self, query: Document, change: Document, *, upsert: bool = False) -> bool:
        """Returns whether a document matched or was inserted."""
        async with self._errors.guard():
            result = await self._collection.update_one(query, change, upsert=upsert)
        return result.matched_count > 0 or result.upserted_id is not None

    async def update_many(self, query: Document, change: Document | list[Document]) -> int:
        """Returns the number of modified documents."""
        async with self._errors.guard():
            return int((await self._collection.update_many(query, change)).modified_count)

    async def bulk_update(self, changes: Sequence[Change], *, upsert_in_order: bool = False) -> int:
        """Update one document for each (query, change), in one call; returns how many queries matched."""
        async with self._errors.guard():
            operations = [UpdateOne(query, change, upsert=upsert_in_order) for query, change in changes]
            return int((await self._collection.bulk_write(operations, ordered=upsert_in_order)).matched_count)

    async def find_one_and_update(
        self, query: Document, change: Document | list[Document], *, sort: str = "_id", upsert: bool = False
    ) -> Document | None:
        """Update the first matching document atomically; returns it as it is afterwards, or None."""
        async with self._errors.guard():
            return await self._collection.find_one_and_update(
                query, change, sort=Index(sort).pairs(), upsert=upsert, return_document=ReturnDocument.AFTER
            )

    async def find_one_and_delete(self, query: Document) -> Document | None:
        """Delete the first matching document; returns it as it was, or None."""
        async with self._errors.guard():
            return await self._collection.find_one_and_delete(query)

    async def delete_one(self, query: Document) -> bool:
        async with self._errors.guard():
            return bool((await self._collection.delete_one(query)).deleted_count)

    async def delete_many(self, query: Document) -> int:
        async with self._errors.guard():
            return int((await self._collection.delete_many(query)).deleted_count)

    async def count_documents(self, query: Document, *, limit: int = 0) -> int:
        """The number of matching documents; counting stops at `limit` (0: no limit)."""
        async with self._errors.guard():
            options: dict[str, Any] = {"limit": limit} if limit else {}
            return int(await self._collection.count_documents(query, **options))

    async def aggregate(self, pipeline: Sequence[Document]) -> list[Document]:
        return await self._read_all(partial(self._collection.delegate.aggregate, list(pipeline)))

    async def _read_all(self, make_cursor: Callable[[], Any]) -> list[Document]:
        """All documents of PyMongo's cursor, in one turn of a driver thread; motor's `to_list` costs the loop two."""
        loop = asyncio.get_running_loop()
        async with self._errors.guard():
            documents: list[Document] = await run_on_executor(loop, lambda: list(make_cursor()))  # type: ignore[no-untyped-call]
        return documents


def new_id() -> int:
    """A random id, 1 to MAX_ID.

    Unique by the index on _id alone, without a shared counter; an id reveals nothing about other ids.
    """
    return secrets.randbelow(MAX_ID) + 1

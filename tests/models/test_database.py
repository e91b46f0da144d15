"""MongoDB through one file: ids, unique indexes, deadlines, translated errors."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from pymongo import MongoClient

from models import errors
from models.database import MAX_ID, Database, Document
from models.driver_errors import DuplicateKey
from models.index import Index
from models.store import REPLACED, Store
from tests.support.waiting import LIMIT_S

CLOSED_PORT = "mongodb://127.0.0.1:9/?directConnection=true"


@pytest.mark.gen_test
async def test_a_thousand_concurrent_ids_are_unique_and_exact_in_json(database: Database) -> None:
    things = database.collection("things")

    ids = await asyncio.gather(*(things.insert_with_id({"value": 1}) for _ in range(1000)))

    assert len(set(ids)) == 1000
    assert all(1 <= number <= MAX_ID and int(float(number)) == number for number in ids)
    assert await things.count_documents({}) == 1000


@pytest.mark.gen_test
async def test_a_duplicate_key_names_the_fields_of_the_index(database: Database) -> None:
    await database.create_indexes({"things": [Index("name place", unique=True)]})
    things = database.collection("things")
    await things.insert_with_id({"name": "a", "place": 1})

    with pytest.raises(DuplicateKey) as rejected:
        await things.insert_with_id({"name": "a", "place": 1})

    assert rejected.value.fields == {"name", "place"}


@pytest.mark.gen_test
async def test_creating_indexes_twice_changes_nothing(database: Database) -> None:
    for _ in range(2):
        await database.create_indexes({"things": [Index("-created -_id"), Index("expires", expire_after_s=0)]})


@pytest.mark.gen_test
async def test_an_index_with_other_options_is_rebuilt(database: Database) -> None:
    things = database.collection("things")
    await database.create_indexes({"things": [Index("name", partial_filter={"name": {"$type": "string"}})]})

    await database.create_indexes({"things": [Index("name", unique=True, partial_filter={"name": {"$gt": ""}})]})

    await things.insert_one({"_id": 1, "name": "a"})
    with pytest.raises(DuplicateKey):
        await things.insert_one({"_id": 2, "name": "a"})


@pytest.mark.gen_test
async def test_indexes_that_others_have_replaced_are_dropped_from_an_old_database(database: Database) -> None:
    await database.create_indexes(REPLACED)

    for _ in range(2):
        await Store.of(database, "one").create_indexes()

    access: Document = {"$indexStats": {}}
    for collection, replaced in REPLACED.items():
        names = {index["name"] for index in await database.collection(collection).aggregate([access])}
        assert len(names) > 2
        assert names.isdisjoint(index.name for index in replaced)


@pytest.mark.gen_test
async def test_iterate_returns_every_document_once_in_order(database: Database) -> None:
    things = database.collection("things")
    for number in range(25):
        await things.insert_one({"_id": number, "even": number % 2 == 0})

    ids = [document["_id"] async for document in things.iterate({"even": True}, size=4)]

    assert ids == list(range(0, 25, 2))


@pytest.mark.gen_test
async def test_a_tail_yields_stored_documents_then_none_then_new_ones(database: Database) -> None:
    await database.create_capped("log", size_bytes=100_000)
    await database.create_capped("log", size_bytes=100_000)
    log = database.collection("log", journaled=False)
    await log.insert_many([{"text": "one"}, {"text": "two"}])

    async with asyncio.timeout(LIMIT_S), aclosing(database.tail("log")) as tail:
        stored = [await anext(tail) for _ in range(3)]
        await log.insert_one({"text": "three"})
        fresh = await anext(tail)

    assert [document and document["text"] for document in stored] == ["one", "two", None]
    assert fresh
    assert fresh["text"] == "three"


@pytest.mark.gen_test
async def test_an_unreachable_server_raises_in_time() -> None:
    database = Database(CLOSED_PORT, "nowhere")

    async with asyncio.timeout(LIMIT_S):
        with pytest.raises(errors.DatabaseUnavailable):
            await database.ping()
        database.close()


@pytest.mark.parametrize("value", [2**63, "\ud800", {"\0": 1}])
@pytest.mark.gen_test
async def test_a_value_that_cannot_be_stored_is_a_bad_parameter(database: Database, value: object) -> None:
    with pytest.raises(errors.BadParameter):
        await database.collection("things").insert_one({"value": value})


@pytest.mark.gen_test
async def test_documents_that_are_refused_for_another_reason_than_their_key_are_no_duplicates(
    database: Database, mongodb_uri: str, database_name: str
) -> None:
    """The database refuses what a rule of its operator forbids; no record of ours has one."""
    with MongoClient[Document](mongodb_uri) as client:
        client[database_name].create_collection("things", validator={"value": {"$type": "int"}})
    things = database.collection("things")
    await things.insert_one({"_id": 1, "value": 1})

    for insert in (things.insert_many, things.insert_each):
        with pytest.raises(errors.DatabaseUnavailable):
            await insert([{"_id": 2, "value": "text"}, {"_id": 1, "value": 1}])
    rejected = await things.insert_each([{"_id": 1, "value": 2}, {"_id": 3, "value": 3}])

    assert [error and error.fields for error in rejected] == [{"_id"}, None]

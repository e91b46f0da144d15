"""Features of images: what photomosaics match pictures by, measured once for each image and read for whole pools.

They say nothing about who may see an image: callers ask `Images` first which ones a user may use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.database import Change, Database
from models.paging import find_by_ids

PAGE_SIZE = 1000


class ImageFeatures:
    """The collection `features`: {_id: id of the image, version, data}.

    data: opaque bytes, empty if the image could not be decoded. version: of their meaning; others are not read.
    """

    def __init__(self, database: Database) -> None:
        self._features = database.collection("features")

    async def of(self, image_ids: Sequence[int], version: int) -> dict[int, bytes]:
        """By id; images that were not measured yet are missing. Reads in pages, by the index of the ids."""
        documents = await find_by_ids(self._features, image_ids, {"version": version}, ["data"])
        return {document["_id"]: bytes(document["data"]) for document in documents}

    async def save(self, features: Mapping[int, bytes], version: int) -> None:
        """Record features by id of the image, also of such as have been measured."""
        changes: list[Change] = [
            ({"_id": image_id}, {"$set": {"version": version, "data": data}}) for image_id, data in features.items()
        ]
        for start in range(0, len(changes), PAGE_SIZE):
            await self._features.bulk_update(changes[start : start + PAGE_SIZE], upsert_in_order=True)

    async def delete(self, image_id: int) -> None:
        """Nothing happens if there are none."""
        await self._features.delete_one({"_id": image_id})

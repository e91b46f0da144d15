"""Withdrawn pictures: photomosaics are marked when the owner of one of their pictures deletes it or makes it private.

Only pictures of others count: what people do with their own pictures does not end their own mosaics.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from models.database import Collection, Document
from models.images.image import Image, ImageKind, to_image
from models.index import Index

DEFAULT_GRACE = timedelta(days=14)
PHOTOMOSAICS: Document = {"style": "photomosaic"}
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Withdrawals:
    """The marks in the collection `images`: `withdrawn`, ids of pictures, and `ends`, when the photomosaic is deleted.

    grace: how long it is kept.
    """

    indexes = (
        Index("recipe.tiles", partial_filter=PHOTOMOSAICS),
        Index("ends", partial_filter={"ends": {"$gt": BEGINNING}}),
    )

    def __init__(self, images: Collection, grace: timedelta) -> None:
        self._images, self._grace = images, grace

    async def mark(self, image_ids: Sequence[int], owner_id: int | None) -> None:
        """Mark the photomosaics of others that these images of one owner are in. A second time changes nothing."""
        made_by_others = {"owner_id": {"$ne": owner_id}, "kind": str(ImageKind.RESULT)}
        query: Document = {**PHOTOMOSAICS, "recipe.tiles": {"$in": list(image_ids)}, **made_by_others}
        tiles: Document = {"$setIntersection": ["$recipe.tiles", list(image_ids)]}
        withdrawn: Document = {"$setUnion": [{"$ifNull": ["$withdrawn", []]}, tiles]}
        ends: Document = {"$ifNull": ["$ends", datetime.now(UTC) + self._grace]}
        await self._images.update_many(query, [{"$set": {"withdrawn": withdrawn, "ends": ends}}])

    async def unmark(self, image_ids: Sequence[int]) -> None:
        """These images may be used again."""
        ids = list(image_ids)
        query: Document = {**PHOTOMOSAICS, "recipe.tiles": {"$in": ids}, "withdrawn": {"$in": ids}}
        rest: Document = {"$setDifference": ["$withdrawn", ids]}
        ends: Document = {"$cond": [{"$eq": ["$withdrawn", []]}, None, "$ends"]}
        await self._images.update_many(query, [{"$set": {"withdrawn": rest}}, {"$set": {"ends": ends}}])

    async def due(self, now: datetime) -> list[Image]:
        """The photomosaics whose time has ended."""
        query: Document = {"ends": {"$gt": BEGINNING, "$lte": now}, "kind": str(ImageKind.RESULT)}
        return [to_image(document) for document in await self._images.find(query, sort="ends", limit=0)]

"""Images, sources and results: one record for each (bucket key, owner).

An image is deleted in two steps: `hide` makes it invisible at once, `purge` deletes its record after its objects.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import fields
from datetime import timedelta

from models import errors
from models.database import Database, Document, new_id
from models.driver_errors import DuplicateKey
from models.images.features import ImageFeatures
from models.images.image import (
    Image,
    ImageDetails,
    ImageKind,
    NewImage,
    image_or_raise,
    to_document,
    to_image,
    to_image_or_none,
)
from models.images.visibility import OPEN, Viewer, Visibility
from models.images.withdrawals import DEFAULT_GRACE, Withdrawals
from models.index import Index
from models.paging import find_by_ids, pages_of

VISIBLE: Document = {"kind": {"$ne": str(ImageKind.HIDDEN)}}
HIDE: Document = {"$set": {"kind": str(ImageKind.HIDDEN)}, "$unset": {"dedup_key": ""}}
"""Without its dedup_key it is no longer reused as a result."""
RESULTS_SPACING_S = 0.2
"""Between two calls that record results of tasks which can wait for each other; their ends are published at once."""
MIGRATION_STEP = 1000
"""Records changed by one call, which has a deadline."""


class Images:
    """The collection `images`. withdrawal_grace: how long photomosaics with withdrawn pictures are kept."""

    # Partial by comparison and not by type: only then does MongoDB use them for a query that names the value.
    indexes = (
        Index("key owner_id", unique=True, partial_filter={"key": {"$gt": ""}}),
        Index("key created", partial_filter={"key": {"$gt": ""}}),
        Index("url owner_id", unique=True, partial_filter={"key": None}),
        Index("dedup_key", partial_filter={"dedup_key": {"$gt": ""}}),
        Index("kind visibility -created -_id"),
        Index("owner_id kind filesize"),
        Index("owner_id kind -created -_id"),
        Index("owner_id kind visibility -created -_id"),
        Index("owner_id batch -created -_id", partial_filter={"batch": {"$gt": ""}}),
        Index("owner_id _id"),
        Index("kind _id", partial_filter={"kind": str(ImageKind.HIDDEN)}),
        *Withdrawals.indexes,
    )

    def __init__(self, database: Database, withdrawal_grace: timedelta = DEFAULT_GRACE) -> None:
        self._images = database.collection("images")
        self.withdrawals = Withdrawals(self._images, withdrawal_grace)
        self.features = ImageFeatures(database)
        self._adding = database.batchers.make(self._add_all, spacing_s=RESULTS_SPACING_S)
        self._results = database.batchers.make(self._find_results)
        self._finding = database.batchers.make(self._find_all)
        self._opened = database.batchers.make(self._find_open)

    # --- reading ------------------------------------------------------------------------------------------------

    async def by_id(self, image_id: int, viewer: Viewer) -> Image:
        """Raises NotFound, also for an image that this viewer may not see."""
        image = image_or_raise(await self._finding.submit(image_id), image_id)
        if not viewer.can_see(image):
            raise errors.NotFound(what="image", which=image_id)
        return image

    async def owned(self, image_id: int, user_id: int | None) -> Image:
        """The image if this user owns it. Raises NotFound, PermissionDenied."""
        image = await self.by_id(image_id, Viewer(user_id))
        image.owner.require(user_id)
        return image

    async def by_key(self, key: str, viewer: Viewer) -> Image | None:
        """A record of an object in our bucket: the viewer's own, or else the oldest that this viewer may see."""
        if viewer.user_id is not None:
            own = await self._images.find_one({"key": key, "owner_id": viewer.user_id, **VISIBLE})
            if own is not None:
                return to_image(own)
        query: Document = {"key": key, **VISIBLE, **viewer.query()}
        documents = await self._images.find(query, sort="created", limit=1)
        return to_image(documents[0]) if documents else None

    async def is_open(self, key: str) -> bool:
        """Whether everyone who has the key of an object may read it: a record of it is not private."""
        return await self._opened.submit(key)

    async def shown_source(self, image: Image) -> Image | None:
        """The source of a result, if its owner shows it to all who see the result, and it still exists."""
        if image.source_id is None or not image.show_source:
            return None
        return to_image_or_none(await self._finding.submit(image.source_id))

    async def usable_as_tiles(self, image_ids: list[int], owner_id: int | None) -> dict[int, str]:
        """id -> bucket key of those images that this user may use as tiles: own images, and results in view."""
        own: Document = {"owner_id": owner_id, **Viewer(owner_id).query()}
        results: Document = {"kind": str(ImageKind.RESULT), **Viewer(owner_id).query()}
        query: Document = {"key": {"$gt": ""}, "$and": [{"$or": [own, results]}, VISIBLE]}
        documents = await find_by_ids(self._images, image_ids, query, ["key"])
        return {document["_id"]: document["key"] for document in documents}

    async def tiles_of(self, mosaic: Image, viewer: Viewer) -> list[Image | None]:
        """The pictures in a photomosaic's recipe, in its order; None for each that this viewer may not know of.

        Its owner knows the ids and sees what the visibility allows; others may not learn ids from a photomosaic.
        """
        ids = mosaic.recipe.get("tiles") or []
        documents = await find_by_ids(self._images, ids, VISIBLE)
        may_show = viewer.can_see if viewer.owns(mosaic) else viewer.can_find
        images = {document["_id"]: to_image(document) for document in documents}
        return [image if (image := images.get(image_id)) and may_show(image) else None for image_id in ids]

    async def find_result(self, dedup_key: str) -> Image | None:
        """A result with this dedup_key, of any owner."""
        return await self._results.submit(dedup_key)

    async def dedup_keys_of_results(self, dedup_keys: Collection[str]) -> set[str]:
        """Those of these dedup_keys that have a result."""
        query: Document = {"dedup_key": {"$in": list(dedup_keys)}}
        documents = await self._images.find(query, sort="", limit=0, fields=["dedup_key"])
        return {document["dedup_key"] for document in documents}

    async def iterate_by_owner(self, owner_id: int) -> AsyncIterator[Image]:
        """Every visible image of a user, by ascending id."""
        async for document in self._images.iterate({"owner_id": owner_id, **VISIBLE}):
            yield to_image(document)

    async def unmeasured(self, version: int) -> AsyncIterator[Image]:
        """Every visible image in our bucket without features of this version, by ascending id."""
        async for documents in pages_of(self._images):
            images = [to_image(document) for document in documents if document["key"]]
            features = await self.features.of([image.id for image in images], version)
            for image in images:
                if image.id not in features and image.kind is not ImageKind.HIDDEN:
                    yield image

    async def hidden(self, owner_id: int | None = None) -> AsyncIterator[Image]:
        """Images that are hidden and not purged yet, of one user or of all."""
        query: Document = {"kind": str(ImageKind.HIDDEN)} | ({} if owner_id is None else {"owner_id": owner_id})
        async for document in self._images.iterate(query):
            yield to_image(document)

    async def is_shared(self, image: Image) -> bool:
        """Whether another record has the same object in our bucket."""
        return await self._images.find_one({"key": image.key, "_id": {"$ne": image.id}}, ["_id"]) is not None

    async def registered_keys(self, keys: list[str]) -> set[str]:
        """Those of these keys that have a record."""
        groups = await self._images.aggregate([{"$match": {"key": {"$in": keys}}}, {"$group": {"_id": "$key"}}])
        return {group["_id"] for group in groups}

    async def has_content(self, key: str, etag: str) -> bool:
        """Whether a record has an object with this key and this content."""
        query: Document = {"key": key, "etag": {"$in": [etag, ""]}, **VISIBLE}
        return await self._images.find_one(query, ["_id"]) is not None

    # --- writing ------------------------------------------------------------------------------------------------

    async def add(self, new: NewImage, *, patient: bool = False) -> Image:
        """Register an image. A second call for the same object and owner returns the existing record.

        patient: for at most RESULTS_SPACING_S, so that results of other tasks share the call.
        """
        return await self._adding.submit(new, patient=patient)

    async def set_appearance(self, key: str, *, width: int, height: int, placeholder: str) -> None:
        """Set size (pixels, upright) and mean colour in every record of an object."""
        change: Document = {"$set": {"width": width, "height": height, "placeholder": placeholder}}
        await self._images.update_many({"key": key}, change)

    async def update_details(self, image_id: int, owner_id: int | None, details: ImageDetails) -> Image:
        """Raises NotFound unless the owner has such an image."""
        values = {each.name: getattr(details, each.name) for each in fields(details)}
        changes = {name: value for name, value in values.items() if value is not None}
        query: Document = {"_id": image_id, "owner_id": owner_id}
        document = await self._images.find_one_and_update(query, {"$set": changes})
        return image_or_raise(document, image_id)

    async def set_visibility(self, image_ids: Sequence[int], owner_id: int | None, visibility: Visibility) -> list[int]:
        """Change who sees these images of one owner. Returns the ids of those that the owner has."""
        query: Document = {"_id": {"$in": list(image_ids)}, "owner_id": owner_id, **VISIBLE}
        documents = await self._images.find(query, sort="_id", limit=len(image_ids), fields=["_id"])
        ids = [document["_id"] for document in documents]
        if visibility is Visibility.PRIVATE:  # first, so that no crash leaves a withdrawn picture unnoticed
            await self.withdrawals.mark(ids, owner_id)
        await self._images.update_many(query, {"$set": {"visibility": str(visibility)}})
        if visibility in OPEN:
            await self.withdrawals.unmark(ids)
        return ids

    async def choose_again(self, image: Image, visibility: Visibility, batch: str | None) -> Image:
        """The owner has made an existing image once more: it gets the new visibility, and the batch if there is one."""
        if visibility is Visibility.PRIVATE:
            await self.withdrawals.mark([image.id], image.owner.id)
        change = {"visibility": str(visibility)} | ({} if batch is None else {"batch": batch})
        document = await self._images.find_one_and_update({"_id": image.id, **VISIBLE}, {"$set": change})
        return image if document is None else to_image(document)

    async def set_param(self, image_id: int, owner_id: int | None, param: str) -> None:
        """What the client of the contract stores with an image."""
        await self._images.update_many({"_id": image_id, "owner_id": owner_id}, {"$set": {"param": param}})

    async def state_visibility(self) -> None:
        """Give records of an earlier version the visibility that they had: results public, sources by link."""
        for kind, visibility in ((ImageKind.RESULT, Visibility.PUBLIC), (ImageKind.SOURCE, Visibility.LINK)):
            query: Document = {"kind": str(kind), "visibility": None}
            while documents := await self._images.find(query, sort="", limit=MIGRATION_STEP, fields=["_id"]):
                ids = [document["_id"] for document in documents]
                await self._images.update_many({"_id": {"$in": ids}}, {"$set": {"visibility": str(visibility)}})

    async def delete(self, image_id: int, owner_id: int | None) -> bool:
        """Delete a record. Returns whether no other record has its object, which can then be deleted too.

        Raises NotFound unless the owner has such an image.
        """
        document = await self._images.find_one_and_delete({"_id": image_id, "owner_id": owner_id})
        image = image_or_raise(document, image_id)
        await self.features.delete(image_id)
        return image.key is not None and await self._images.find_one({"key": image.key}, ["_id"]) is None

    async def hide(self, image_id: int, owner_id: int | None) -> Image:
        """Make an image invisible to all users. Raises NotFound unless the owner has such an image."""
        query: Document = {"_id": image_id, "owner_id": owner_id, **VISIBLE}
        image = image_or_raise(await self._images.find_one_and_update(query, HIDE), image_id)
        await self.withdrawals.mark([image_id], owner_id)
        return image

    async def hide_all(self, owner_id: int) -> None:
        """Hide all images of a user."""
        await self._images.update_many({"owner_id": owner_id, **VISIBLE}, HIDE)

    async def purge(self, image: Image) -> None:
        """Delete the record of a hidden image. Whatever hid it, it is withdrawn from photomosaics before."""
        await self.withdrawals.mark([image.id], image.owner.id)
        await self.features.delete(image.id)
        await self._images.delete_one({"_id": image.id, "kind": str(ImageKind.HIDDEN)})

    # --- batches ------------------------------------------------------------------------------------------------

    async def _find_all(self, image_ids: list[int]) -> list[Document | None]:
        documents = await self._images.find({"_id": {"$in": image_ids}, **VISIBLE}, sort="", limit=0)
        by_id = {image["_id"]: image for image in documents}
        return [by_id.get(image_id) for image_id in image_ids]

    async def _find_open(self, keys: list[str]) -> list[bool]:
        query: Document = {"key": {"$in": keys}, "visibility": {"$in": [str(each) for each in OPEN]}, **VISIBLE}
        documents = await self._images.find(query, sort="", limit=0, fields=["key"])
        opened = {document["key"] for document in documents}
        return [key in opened for key in keys]

    async def _add_all(self, batch: list[NewImage]) -> list[Image]:
        images = [new.with_id(new_id()) for new in batch]
        try:
            await self._images.insert_many([to_document(image) for image in images])
        except DuplicateKey:
            if len(images) > 1:
                raise
            return [await self._existing(images[0])]  # pragma: no cover - two servers add it at once
        return images

    async def _find_results(self, dedup_keys: list[str]) -> list[Image | None]:
        grouping: Document = {"_id": "$dedup_key", "image": {"$first": "$$ROOT"}}
        groups = await self._images.aggregate([{"$match": {"dedup_key": {"$in": dedup_keys}}}, {"$group": grouping}])
        by_key = {group["_id"]: to_image(group["image"]) for group in groups}
        return [by_key.get(dedup_key) for dedup_key in dedup_keys]

    async def _existing(self, image: Image) -> Image:
        query: Document = {"key": image.key, "owner_id": image.owner.id}
        if image.key is None:
            query["url"] = image.url
        return image_or_raise(await self._images.find_one(query), image.key or image.url)

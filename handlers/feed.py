"""The gallery: pages of pictures, newest first."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from handlers.base import ApiHandler, JsonDict
from handlers.documents import image_document
from handlers.users import Username
from models import errors
from models.bucket import Bucket
from models.follows import Follows
from models.images import ImageKind, Images
from models.users import Users


class FeedParams(BaseModel):
    """kind: what was made, or in one's own view also what was uploaded for it."""

    model_config = ConfigDict(frozen=True)

    view: Literal["newest", "following", "mine", "user"] = "newest"
    username: Username | None = None
    kind: Literal["result", "source"] = "result"
    cursor: Annotated[str, Field(max_length=60)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 30


class FeedHandler(ApiHandler):
    """Mosaics of everybody, of those one follows, of one person, or one's own."""

    parameters = FeedParams
    methods = ("GET",)
    images: Images
    users: Users
    follows: Follows
    bucket: Bucket

    async def reply(self, asked: FeedParams) -> JsonDict:
        if asked.kind == "source" and asked.view != "mine":
            raise errors.BadParameter(field="kind", value=asked.kind, allowed="result, where view is not mine")
        owners = await self._owners(asked)
        page = await self.images.latest(
            kind=ImageKind(asked.kind), owner_ids=owners, cursor=asked.cursor, limit=asked.limit
        )
        own = asked.view == "mine"
        return {"images": [image_document(image, self.bucket, own=own) for image in page.images], "cursor": page.cursor}

    async def _owners(self, asked: FeedParams) -> list[int] | None:
        """Whose pictures; None: everybody's. Raises NotAuthenticated, NotFound, BadParameter."""
        if asked.view == "newest":
            return None
        if asked.view == "user":
            if asked.username is None:
                raise errors.BadParameter(field="username", value="nothing", allowed="the name of a user")
            return [(await self.users.by_name(asked.username)).id]
        person = await self.require_user()
        return [person.id] if asked.view == "mine" else await self.follows.ids_followed_by(person.id)

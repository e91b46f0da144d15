"""What the page asks first: who is signed in here, and what this server allows."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.base import ApiHandler, JsonDict, NoParams
from models.users import Users


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """What a page may count on. formats: media types of pictures that can be read."""

    max_upload_mb: int
    max_megapixels: int
    formats: tuple[str, ...] = ("image/jpeg", "image/png", "image/webp", "image/gif")
    upload_part_mb: int = 4


class SessionHandler(ApiHandler):
    """Who is signed in, and the limits."""

    methods = ("GET",)
    users: Users
    client_config: ClientConfig

    async def reply(self, asked: NoParams) -> JsonDict:
        return {
            "user": await self._me(),
            "access": "open" if self.authentication.open_access else "session",
            "max_upload_mb": self.client_config.max_upload_mb,
            "max_megapixels": self.client_config.max_megapixels,
            "formats": list(self.client_config.formats),
            "upload_part_mb": self.client_config.upload_part_mb,
        }

    async def _me(self) -> JsonDict | None:
        person = await self.user()
        if person is None:
            return None
        user = await self.users.by_id(person.id)
        return {"id": user.id, "username": user.username, "email": user.email, "developer": person.developer}

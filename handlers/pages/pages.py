"""The pages: the document of `handlers/pages/shell.py` with title and preview of what the address names."""

from __future__ import annotations

import asyncio
from typing import Any

import tornado.web
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher

from handlers.auth import Authentication
from handlers.base import RequestIdHandler, language_of
from handlers.pages.shell import SITE, PageMeta, PageShell
from models import errors
from models.accounts.users import Users
from models.database import MAX_ID
from models.errors import Language
from models.images.image import Image
from models.images.images import Images
from models.images.visibility import Viewer, Visibility
from processing import mosaic_lazy as mosaic
from processing.images.thumbnail_render import thumbnail_size

LOOK_UP_TIMEOUT_S = 5.0
OG_WIDTH = 1280
SECTIONS = {
    "": "studio",
    "photomosaic": "studio",
    "i": "image",
    "u": "profile",
    "gallery": "gallery",
    "account": "account",
    "tasks": "tasks",
}
"""The section of the document by the first part of the path."""
NOT_FOUND = "not-found"


class PageHandler(RequestIdHandler):
    """The shell; its JavaScript modules render the page that the address names."""

    def __init__(
        self,
        application: tornado.web.Application,
        request: HTTPServerRequest,
        *,
        page_shell: PageShell,
        **dependencies: Any,
    ) -> None:
        self.page_shell = page_shell
        super().__init__(application, request, **dependencies)

    async def get(self, **path: str) -> None:
        """The page works without its title: a failed look-up changes only the status."""
        meta = None
        try:
            async with asyncio.timeout(LOOK_UP_TIMEOUT_S):
                meta = await self.page_meta(**path)
        except errors.NotFound:
            self.set_status(404)
        except (errors.Unavailable, TimeoutError):
            self.set_status(503)
        self._send_shell(meta)

    head = get

    async def page_meta(self, **path: str) -> PageMeta | None:
        """None: the title and description of the shell. Raises NotFound, DatabaseUnavailable."""
        return None

    def language(self) -> Language:
        """The language that the user has chosen on the page, else that of the browser."""
        match self.get_cookie("language"):
            case "zh":
                return "zh"
            case "en":
                return "en"
        return language_of(self.request)

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """No username contains U+FFFD: one that is not UTF-8 is not found."""
        return value.decode("utf-8", "replace") if name in ("id", "username") else super().decode_argument(value, name)

    def write_error(self, status_code: int, **_: Any) -> None:
        self._send_shell(None)

    def _send_shell(self, meta: PageMeta | None) -> None:
        self.set_header("Content-Security-Policy", self.page_shell.content_security_policy())
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Vary", "Accept-Language, Cookie")
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        first = self.request.path.split("/")[1]
        section = NOT_FOUND if self.get_status() == 404 else SECTIONS.get(first, NOT_FOUND)
        waits = {
            "restoring": section == "studio" and self.get_cookie("studio") == "open",
            "signed-in": self.get_cookie("account") == "yes",
        }
        self.finish(self.page_shell.render(section, meta, self.language(), [name for name in waits if waits[name]]))


class ImagePageHandler(PageHandler):
    """The page of one image. A private one has no preview, also for its owner; only public ones are indexed."""

    def initialize(self, images: Images, authentication: Authentication) -> None:
        self.images, self.authentication = images, authentication

    async def page_meta(self, **path: str) -> PageMeta | None:
        if len(path["id"]) > len(str(MAX_ID)):
            raise errors.NotFound(what="image", which=path["id"])
        user = await self.authentication.user(self)
        image = await self.images.by_id(int(path["id"]), Viewer(user.id if user else None))
        if image.visibility is not Visibility.PUBLIC:
            self.set_header("X-Robots-Tag", "noindex")
        if image.visibility is Visibility.PRIVATE:
            return None
        return image_meta(image, self.language(), self.page_shell.public_url)


class ProfilePageHandler(PageHandler):
    """The page of one user."""

    def initialize(self, users: Users) -> None:
        self.users = users

    async def page_meta(self, **path: str) -> PageMeta | None:
        name = (await self.users.by_name(path["username"])).username
        descriptions = {
            "en": f"Mosaics by {name}, made with {SITE}.",
            "zh": f"{name} 用 {SITE} 制作的马赛克。",
        }
        return PageMeta(title=name, description=descriptions[self.language()])


class AcceptsHtml(Matcher):
    """Matches the navigation of a browser: a GET or HEAD that accepts HTML, outside of /api/ and /static/."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        navigation = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", "")
        return {} if navigation and not request.path.startswith(("/api/", "/static/")) else None


class NotFoundPageHandler(PageHandler):
    """The page for an address that no route matches."""

    async def page_meta(self, **path: str) -> PageMeta | None:
        raise errors.NotFound(what="page", which=self.request.path[:60])


def image_meta(image: Image, language: Language, public_url: str) -> PageMeta:
    """Title and preview of one image; the owner's own words win."""
    username = image.owner.username
    style = _style_name(image, language)
    if language == "zh":
        title = f"{username} 的{style}" if username else style
        description = f"用 {SITE} 制作的{style}。"
    else:
        title = f"{style} by {username}" if username else style
        description = f"{style}, made with {SITE}."
    return PageMeta(
        title=image.title or title,
        description=image.alt or description,
        url=f"{public_url}/i/{image.id}",
        image=f"{public_url}/thumbnail/{image.id}/{OG_WIDTH}",
        image_size=thumbnail_size(image.width, image.height, OG_WIDTH) if image.width else None,
        image_alt=image.alt,
    )


def _style_name(image: Image, language: Language) -> str:
    style = mosaic.STYLES.get(image.style)
    if style is None:
        return "照片" if language == "zh" else "Photo"
    return style.zh if language == "zh" else style.en

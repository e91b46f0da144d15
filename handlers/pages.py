"""The WebAPP: one shell for every page, with the title and the preview of what the address names; and its files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tornado.web
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher

from handlers.base import language_of
from handlers.identified import RequestIdHandler
from handlers.params import LARGEST_ID
from handlers.shell import SITE, PageMeta, render_shell
from models import errors
from models.images import Image, Images
from models.users import Users
from processing import mosaic
from processing.images.thumbnails import thumbnail_size

PAGE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
LOOK_UP_TIMEOUT_S = 5.0
OG_WIDTH = 1280


def content_security_policy(*, pictures: str, uploads: str) -> str:
    """What a page may load: our own files, pictures of the bucket, uploads to it; nothing inline."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' blob: data: {pictures}".rstrip(),
            f"connect-src 'self' {uploads} {pictures}".rstrip(),
            "font-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "object-src 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        )
    )


class PageHandler(RequestIdHandler):
    """The shell; its modules draw the page that the address names."""

    def initialize(self, static: Path, policy: Callable[[], str], public_url: str, **parts: object) -> None:
        self._shell = static / "index.html"
        self._policy = policy
        self.public_url = public_url
        for name, part in parts.items():
            setattr(self, name, part)

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.clear_header("Server")
        for name, value in PAGE_HEADERS.items():
            self.set_header(name, value)

    async def get(self, **path: str) -> None:
        """The page works without its head: what cannot be looked up changes only the status."""
        head = None
        try:
            async with asyncio.timeout(LOOK_UP_TIMEOUT_S):
                head = await self.page_meta(**path)
        except errors.NotFound:
            self.set_status(404)
        except (errors.Unavailable, TimeoutError):
            self.set_status(503)
        self._show(head)

    async def head(self, **path: str) -> None:
        await self.get(**path)

    async def page_meta(self, **path: str) -> PageMeta | None:
        """What the shell's head says; None: what stands in it. Raises NotFound, DatabaseUnavailable."""
        return None

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """A name that is not UTF-8 is nobody's."""
        return value.decode("utf-8", "replace") if name in ("id", "username") else super().decode_argument(value, name)

    def write_error(self, status_code: int, **_: Any) -> None:
        self._show(None)

    def _show(self, head: PageMeta | None) -> None:
        self.set_header("Content-Security-Policy", self._policy())
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Vary", "Accept-Language")
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.finish(render_shell(self._shell.read_text(), head, language_of(self.request)))


class AcceptsHtml(Matcher):
    """A browser on its way to an address that nothing serves: it gets our page, which says so."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        wanted = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", "")
        return {} if wanted and not request.path.startswith(("/api/", "/static/")) else None


class NotFoundPageHandler(PageHandler):
    """The page for an address that nothing serves."""

    async def page_meta(self, **path: str) -> PageMeta | None:
        raise errors.NotFound(what="page", which=self.request.path[:60])


class ImagePageHandler(PageHandler):
    """The page of one picture."""

    images: Images

    async def page_meta(self, **path: str) -> PageMeta | None:
        if len(path["id"]) > len(str(LARGEST_ID)):
            raise errors.NotFound(what="image", which=path["id"])
        image = await self.images.by_id(int(path["id"]))
        return image_meta(image, language_of(self.request), self.public_url)


class ProfilePageHandler(PageHandler):
    """The page of one person."""

    users: Users

    async def page_meta(self, **path: str) -> PageMeta | None:
        name = (await self.users.by_name(path["username"])).username
        said = {
            "en": f"Mosaics by {name}, made with {SITE}.",
            "zh": f"{name} 用 {SITE} 制作的马赛克。",
        }
        return PageMeta(title=name, description=said[language_of(self.request)])


class StaticHandler(RequestIdHandler, tornado.web.StaticFileHandler):
    """A file of `static/`."""

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.clear_header("Server")
        for name, value in PAGE_HEADERS.items():
            self.set_header(name, value)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """What can be no file's name is not there."""
        try:
            return super().validate_absolute_path(root, absolute_path)
        except ValueError as error:
            raise tornado.web.HTTPError(404) from error

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        return value.decode("utf-8", "replace") if name is None else super().decode_argument(value, name)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """What somebody looks for in vain is a line of the access log, not a warning."""
        if not isinstance(value, tornado.web.HTTPError):
            super().log_exception(typ, value, tb)

    def write_error(self, status_code: int, **_: Any) -> None:
        """What leads out of the folder is not there either."""
        status = 404 if status_code == 403 else status_code
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(f"{status}\n")


def image_meta(image: Image, language: errors.Language, public_url: str) -> PageMeta:
    """Title and preview of one picture: its own words where it has some."""
    by = image.owner.username
    style = _style_name(image, language)
    if language == "zh":
        title = f"{by} 的{style}" if by else style
        description = f"用 {SITE} 制作的{style}。"
    else:
        title = f"{style} by {by}" if by else style
        description = f"{style}, made with {SITE}."
    return PageMeta(
        title=image.title or title,
        description=image.alt or description,
        url=f"{public_url}/i/{image.id}",
        picture=f"{public_url}/thumbnail/{image.id}/{OG_WIDTH}",
        picture_size=thumbnail_size(image.width, image.height, OG_WIDTH) if image.width else None,
        picture_alt=image.alt,
    )


def _style_name(image: Image, language: errors.Language) -> str:
    style = mosaic.STYLES.get(image.style)
    if style is None:
        return "照片" if language == "zh" else "Photo"
    return style.zh if language == "zh" else style.en

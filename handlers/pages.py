"""The web app: one HTML shell for every page, with the title and preview of what the address names; and its files.

The shell works as it is. `render_shell` replaces its <html lang>, <title> and description, which must be in the file
once each, and adds Open Graph (ogp.me) and Twitter Card elements.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import tornado.web
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher

from handlers.base import RequestIdHandler, language_of
from models import errors
from models.bucket import Bucket
from models.database import MAX_ID
from models.errors import Language
from models.images import Image, Images
from models.users import Users
from processing import mosaic
from processing.images.thumbnails import thumbnail_size

STATIC = Path(__file__).resolve().parent.parent / "static"
LOOK_UP_TIMEOUT_S = 5.0
OG_WIDTH = 1280
SITE = "Tessera"
MAX_DESCRIPTION_LENGTH = 300
LANG = re.compile(r'(<html\b[^>]*\blang=")[^"]*(")')
TITLE = re.compile(r"<title>[^<]*</title>")
DESCRIPTION = re.compile(r'<meta name="description" content="[^"]*">')
LANGUAGE_TAGS = {"en": "en", "zh": "zh-Hans"}
LOCALES = {"en": "en_US", "zh": "zh_CN"}


@dataclass(frozen=True, slots=True)
class PageMeta:
    """Title and preview of one page, as plain text. url, image: absolute addresses. image_size: pixels."""

    title: str
    description: str
    url: str = ""
    image: str = ""
    image_size: tuple[int, int] | None = None
    image_alt: str = ""


class PageShell:
    """`static/index.html`, read once at start, and the Content-Security-Policy that it needs.

    public_url: our origin. image_origin: where the bucket serves images.
    """

    def __init__(self, bucket: Bucket, *, public_url: str, image_origin: str) -> None:
        self.public_url = public_url
        self._bucket, self._image_origin = bucket, image_origin
        self._html = (STATIC / "index.html").read_text()

    def render(self, meta: PageMeta | None, language: Language) -> str:
        return render_shell(self._html, meta, language)

    def content_security_policy(self) -> str:
        """Our own files, images from the bucket, uploads to it; nothing inline.

        Built for each page, because Kodo's upload host becomes known only after the start.
        """
        uploads, images = self._bucket.upload_origin(), self._image_origin
        return "; ".join(
            (
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                f"img-src 'self' blob: data: {images}".rstrip(),
                f"connect-src 'self' {uploads} {images}".rstrip(),
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

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """No username contains U+FFFD: one that is not UTF-8 is not found."""
        return value.decode("utf-8", "replace") if name in ("id", "username") else super().decode_argument(value, name)

    def write_error(self, status_code: int, **_: Any) -> None:
        self._send_shell(None)

    def _send_shell(self, meta: PageMeta | None) -> None:
        self.set_header("Content-Security-Policy", self.page_shell.content_security_policy())
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Vary", "Accept-Language")
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.finish(self.page_shell.render(meta, language_of(self.request)))


class ImagePageHandler(PageHandler):
    """The page of one image."""

    def initialize(self, images: Images) -> None:
        self.images = images

    async def page_meta(self, **path: str) -> PageMeta | None:
        if len(path["id"]) > len(str(MAX_ID)):
            raise errors.NotFound(what="image", which=path["id"])
        image = await self.images.by_id(int(path["id"]))
        return image_meta(image, language_of(self.request), self.page_shell.public_url)


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
        return PageMeta(title=name, description=descriptions[language_of(self.request)])


class AcceptsHtml(Matcher):
    """Matches the navigation of a browser: a GET or HEAD that accepts HTML, outside of /api/ and /static/."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        navigation = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", "")
        return {} if navigation and not request.path.startswith(("/api/", "/static/")) else None


class NotFoundPageHandler(PageHandler):
    """The page for an address that no route matches."""

    async def page_meta(self, **path: str) -> PageMeta | None:
        raise errors.NotFound(what="page", which=self.request.path[:60])


class StaticHandler(RequestIdHandler, tornado.web.StaticFileHandler):
    """A file of `static/`."""

    def __init__(self, application: tornado.web.Application, request: HTTPServerRequest) -> None:
        super().__init__(application, request, path=str(STATIC))

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """404 for what cannot be a file name, such as one with a NUL."""
        try:
            return super().validate_absolute_path(root, absolute_path)
        except ValueError as error:
            raise tornado.web.HTTPError(404) from error

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        return value.decode("utf-8", "replace") if name is None else super().decode_argument(value, name)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """A missing file needs no warning: the access log has its line."""
        if not isinstance(value, tornado.web.HTTPError):  # pragma: no cover - a bug of ours
            super().log_exception(typ, value, tb)

    def write_error(self, status_code: int, **_: Any) -> None:
        """404 also for a path out of the folder."""
        status = 404 if status_code == 403 else status_code
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(f"{status}\n")


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


def render_shell(html: str, meta: PageMeta | None, language: Language) -> str:
    """The shell in this language; with `meta`, title and description are replaced and a preview is added."""
    html = LANG.sub(lambda match: match[1] + LANGUAGE_TAGS[language] + match[2], html, count=1)
    if meta is None:
        return html
    title = f"<title>{escape(meta.title)} · {SITE}</title>"
    html = TITLE.sub(lambda _: title, html, count=1)
    elements = "\n".join(_meta_elements(meta, language))
    return DESCRIPTION.sub(lambda _: elements, html, count=1)


def _meta_elements(meta: PageMeta, language: Language) -> Iterator[str]:
    description = meta.description[:MAX_DESCRIPTION_LENGTH]
    yield _meta_element("name", "description", description)
    yield _meta_element("property", "og:site_name", SITE)
    yield _meta_element("property", "og:type", "website")
    yield _meta_element("property", "og:locale", LOCALES[language])
    yield _meta_element("property", "og:title", meta.title)
    yield _meta_element("property", "og:description", description)
    if meta.url:
        yield _meta_element("property", "og:url", meta.url)
        yield f'<link rel="canonical" href="{escape(meta.url)}">'
    yield _meta_element("name", "twitter:card", "summary_large_image" if meta.image else "summary")
    if meta.image:
        yield _meta_element("property", "og:image", meta.image)
        yield _meta_element("property", "og:image:type", "image/webp")
    if meta.image_size is not None:
        yield _meta_element("property", "og:image:width", str(meta.image_size[0]))
        yield _meta_element("property", "og:image:height", str(meta.image_size[1]))
    if meta.image_alt:
        yield _meta_element("property", "og:image:alt", meta.image_alt)


def _meta_element(kind: str, name: str, content: str) -> str:
    return f'<meta {kind}="{name}" content="{escape(content)}">'

"""The one HTML document of every page: `static/index.html` with its words, its files, and the title of what is shown.

The document shows its words before any script has run: `PageShell` writes those of `static/i18n/` in the language of
the request and shows the section of the page. Each page has its <title> and description, which must be in the document
once each, and Open Graph (ogp.me) and Twitter Card elements.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from urllib.parse import urlsplit

from handlers.pages.static_files import StaticFiles
from models.bucket import Bucket
from models.errors import Language

SITE = "Tessera"
MAX_DESCRIPTION_LENGTH = 300
LANG = re.compile(r'(<html\b[^>]*\blang=")[^"]*(")')
TITLE = re.compile(r"<title>[^<]*</title>")
DESCRIPTION = re.compile(r'<meta name="description" content="[^"]*">')
LANGUAGE_TAGS = {"en": "en", "zh": "zh-Hans"}
LOCALES = {"en": "en_US", "zh": "zh_CN"}
STRING = re.compile(r'^  ("[^"]+"): (".*"),$', re.MULTILINE)
TEXT = re.compile(r'(<[a-z][^<>]*\bdata-t="([^"]+)"[^<>]*>)(?=<)')
ATTRIBUTE = re.compile(r'\bdata-t-(label|title|alt|placeholder)="([^"]+)"')
ATTRIBUTES = {"label": "aria-label", "title": "title", "alt": "alt", "placeholder": "placeholder"}
ADDRESS = re.compile(r'\b(href=|src=)"/')
SECTION = re.compile(r'(<(?:section|article)\b[^>]*\bdata-page="([^"]+)"[^>]*?)( hidden)?>')


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
    """The document, and the Content-Security-Policy that it needs.

    public_url: our origin. image_origin: where the bucket serves images.
    """

    def __init__(self, bucket: Bucket, files: StaticFiles, *, public_url: str, image_origin: str) -> None:
        self.public_url = public_url
        self._bucket, self._image_origin = bucket, image_origin
        base_path = urlsplit(public_url).path.rstrip("/")
        self._html = with_base_path(files.with_versions(files.text("index.html")), base_path)
        self._files = files
        self._document = cache(self._make_document)

    def render(self, page: str, meta: PageMeta | None, language: Language, waits: Sequence[str] = ()) -> str:
        """page: the section that is shown. meta: None: the title and description of the document itself.

        waits: classes of the document whose styles hide what would soon change: "restoring", the welcome where
        pictures are open in the browser; "signed-in", the way to sign in.
        """
        html = self._document(page, language)
        if waits:
            html = html.replace("<html ", f'<html class="{" ".join(waits)}" ', 1)
        return render_meta(html, meta, language)

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

    def _make_document(self, page: str, language: Language) -> str:
        html = LANG.sub(lambda match: match[1] + LANGUAGE_TAGS[language] + match[2], self._html, count=1)
        return localize(show_section(html, page), strings_of(self._files.text(f"i18n/strings.{language}.js")))


@cache
def strings_of(module: str) -> dict[str, str]:
    """The strings of `static/i18n/strings.*.js`: one entry a line."""
    return {json.loads(key): json.loads(text) for key, text in STRING.findall(module)}


def with_base_path(html: str, base_path: str) -> str:
    """The document with every address, and the path for `static/base.js`, below a path of the host."""
    if not base_path:
        return html
    html = html.replace("<html ", f'<html data-base="{base_path}" ', 1)
    return ADDRESS.sub(lambda match: f'{match[1]}"{base_path}/', html)


def localize(html: str, strings: Mapping[str, str]) -> str:
    """Write the strings that elements name, as `static/i18n/i18n.js` does. Raises KeyError for an unknown one."""
    html = TEXT.sub(lambda match: match[1] + escape(strings[match[2]], quote=False), html)
    return ATTRIBUTE.sub(lambda match: f'{match[0]} {ATTRIBUTES[match[1]]}="{escape(strings[match[2]])}"', html)


def show_section(html: str, page: str) -> str:
    """Show the section of one page and hide the others."""
    return SECTION.sub(lambda match: match[1] + ("" if match[2] == page else " hidden") + ">", html)


def render_meta(html: str, meta: PageMeta | None, language: Language) -> str:
    """The document with title and description replaced and a preview added; as it is without `meta`."""
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

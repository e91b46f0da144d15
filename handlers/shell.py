"""The shell `static/index.html` with a title, a description and a preview picture of its own.

The shell works as it is; what is filled in replaces its <html lang>, <title> and description, which the file must have
once each, and adds Open Graph (ogp.me) and Twitter's card after them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from models.errors import Language

SITE = "Tessera"
DESCRIPTION_CHARACTERS = 300
LANG = re.compile(r'(<html\b[^>]*\blang=")[^"]*(")')
TITLE = re.compile(r"<title>[^<]*</title>")
DESCRIPTION = re.compile(r'<meta name="description" content="[^"]*">')
TAGS = {"en": "en", "zh": "zh-Hans"}
LOCALES = {"en": "en_US", "zh": "zh_CN"}


@dataclass(frozen=True, slots=True)
class PageMeta:
    """What one page says of itself, as plain text. url, picture: absolute addresses; picture_size: pixels."""

    title: str
    description: str
    url: str = ""
    picture: str = ""
    picture_size: tuple[int, int] | None = None
    picture_alt: str = ""


def render_shell(shell: str, head: PageMeta | None, language: Language) -> str:
    """The shell in a language, with this head in place of its own."""
    filled = LANG.sub(lambda found: found[1] + TAGS[language] + found[2], shell, count=1)
    if head is None:
        return filled
    title = f"<title>{escape(head.title)} · {SITE}</title>"
    filled = TITLE.sub(lambda _: title, filled, count=1)
    metas = "\n".join(_metas(head, language))
    return DESCRIPTION.sub(lambda _: metas, filled, count=1)


def _metas(head: PageMeta, language: Language) -> Iterator[str]:
    description = head.description[:DESCRIPTION_CHARACTERS]
    yield _meta("name", "description", description)
    yield _meta("property", "og:site_name", SITE)
    yield _meta("property", "og:type", "website")
    yield _meta("property", "og:locale", LOCALES[language])
    yield _meta("property", "og:title", head.title)
    yield _meta("property", "og:description", description)
    if head.url:
        yield _meta("property", "og:url", head.url)
        yield f'<link rel="canonical" href="{escape(head.url)}">'
    yield _meta("name", "twitter:card", "summary_large_image" if head.picture else "summary")
    if head.picture:
        yield _meta("property", "og:image", head.picture)
        yield _meta("property", "og:image:type", "image/webp")
    if head.picture_size is not None:
        yield _meta("property", "og:image:width", str(head.picture_size[0]))
        yield _meta("property", "og:image:height", str(head.picture_size[1]))
    if head.picture_alt:
        yield _meta("property", "og:image:alt", head.picture_alt)


def _meta(kind: str, name: str, content: str) -> str:
    return f'<meta {kind}="{name}" content="{escape(content)}">'

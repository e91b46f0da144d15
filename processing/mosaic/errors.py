"""The engine's own tree of errors: each has a slug and a sentence in English and Chinese.

MosaicError
  BadParameter     a recipe names a style, key or value that does not exist or is out of range
  NotAPicture      not a JPEG, PNG, GIF or WebP, or damaged
  TooManyPixels    more pixels than the limit allows

The same slugs as the house's errors, so that a caller translates class by class and loses nothing.
"""

from __future__ import annotations

from typing import ClassVar, Literal

SHOWN_CHARACTERS = 60


def shorten(value: object) -> str:
    """The value as people may see it: printable, on one line, at most 60 characters."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(letter if letter.isprintable() else "?" for letter in text[: SHOWN_CHARACTERS + 1])
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


class MosaicError(Exception):
    """The root. `facts` fill the sentence."""

    slug: ClassVar[str] = "mosaic_error"
    en: ClassVar[str] = "The mosaic could not be made."
    zh: ClassVar[str] = "无法生成马赛克。"

    def __init__(self, **facts: object) -> None:
        super().__init__(facts)
        self.facts = facts

    def __reduce__(self) -> tuple[object, ...]:
        """A caller may render in another process: pickle must be told that facts are keywords, and ready."""
        return _again, (type(self), self.facts)

    def __str__(self) -> str:
        return self.message("en")

    def message(self, language: Literal["en", "zh"]) -> str:
        """The sentence for people."""
        template = self.zh if language == "zh" else self.en
        return template.format_map(self.facts)


def _again(kind: type[MosaicError], facts: dict[str, object]) -> MosaicError:
    error = kind.__new__(kind)
    MosaicError.__init__(error, **facts)
    return error


class BadParameter(MosaicError):
    """facts: field, value (shortened), allowed."""

    slug = "bad_parameter"
    en = "{field}: {value} is not possible. Allowed: {allowed}."
    zh = "{field}：{value} 不可用。允许的取值：{allowed}。"

    def __init__(self, *, field: str, value: object, allowed: str) -> None:
        super().__init__(field=shorten(field), value=shorten(value), allowed=allowed)


class NotAPicture(MosaicError):
    """facts: reason."""

    slug = "not_a_picture"
    en = "This is not a picture that can be read: {reason}."
    zh = "无法读取该图片：{reason}。"

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)


class TooManyPixels(MosaicError):
    """facts: megapixels (the limit)."""

    slug = "too_many_pixels"
    en = "The picture is too large: at most {megapixels} megapixels are taken."
    zh = "图片过大：最多允许 {megapixels} 百万像素。"

    def __init__(self, megapixels: float) -> None:
        super().__init__(megapixels=f"{megapixels:g}")

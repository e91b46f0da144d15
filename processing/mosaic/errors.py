"""The engine's errors: facts and an English message. Callers translate them class by class.

MosaicError
  BadParameter     a recipe names a style, key or value that does not exist or is out of range
  NotAPicture      not a picture of a supported format, or damaged
  TooManyPixels    more pixels than the limit allows
"""

from __future__ import annotations

from typing import ClassVar

MAX_VALUE_CHARACTERS = 60
DAMAGED = "it is damaged or incomplete"


def shorten(value: object) -> str:
    """The value for a message: printable, on one line, at most 60 characters."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(letter if letter.isprintable() else "?" for letter in text[: MAX_VALUE_CHARACTERS + 1])
    return text if len(text) <= MAX_VALUE_CHARACTERS else text[: MAX_VALUE_CHARACTERS - 1] + "…"


class MosaicError(Exception):
    """Base class. `details` fill the message template."""

    template: ClassVar[str] = "The mosaic could not be rendered."

    def __init__(self, **details: object) -> None:
        super().__init__(details)
        self.details = details

    def __reduce__(self) -> tuple[object, ...]:
        """For rendering in another process: pickle would pass `details` as a positional argument."""
        return _rebuild, (type(self), self.details)

    def __str__(self) -> str:
        return self.template.format_map(self.details)


def _rebuild(kind: type[MosaicError], details: dict[str, object]) -> MosaicError:
    error = kind.__new__(kind)
    MosaicError.__init__(error, **details)
    return error


class BadParameter(MosaicError):
    """details: field, value (both shortened), allowed."""

    template = "{field}: {value} is not possible. Allowed: {allowed}."

    def __init__(self, *, field: str, value: object, allowed: str) -> None:
        super().__init__(field=shorten(field), value=shorten(value), allowed=allowed)


class NotAPicture(MosaicError):
    """details: reason."""

    template = "This is not a picture that can be read: {reason}."

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)


class TooManyPixels(MosaicError):
    """details: megapixels, the limit."""

    template = "The picture is too large: the limit is {megapixels} megapixels."

    def __init__(self, megapixels: float) -> None:
        super().__init__(megapixels=f"{megapixels:g}")

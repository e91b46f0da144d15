"""The engine's errors: facts and an English message, whose pattern and facts callers can put into other languages.

MosaicError
  BadParameter     a recipe names a style, key or value that does not exist or is out of range
  NotAPicture      not a picture of a supported format, or damaged
  TooManyPixels    more pixels than the limit allows
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

MAX_VALUE_CHARACTERS, MAX_WORDS = 60, 40


def shorten(value: object) -> str:
    """The value for a message: printable, on one line, at most 60 characters."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(letter if letter.isprintable() else "?" for letter in text[: MAX_VALUE_CHARACTERS + 1])
    return text if len(text) <= MAX_VALUE_CHARACTERS else text[: MAX_VALUE_CHARACTERS - 1] + "…"


def join_words(words: Sequence[str], comma: str = ", ") -> str:
    """Words joined by commas, at most 40 of them."""
    return comma.join(shorten(word) for word in words[:MAX_WORDS]) + (f"{comma}…" if len(words) > MAX_WORDS else "")


class Message(str):
    """A text in English, which knows the pattern and the facts that it is made of.

    pattern: as str.format takes it. facts: what it names; a tuple of words is listed.
    """

    pattern: str
    facts: dict[str, object]

    def __new__(cls, pattern: str, **facts: object) -> Message:
        listed = {name: join_words(fact) if isinstance(fact, tuple) else fact for name, fact in facts.items()}
        message = super().__new__(cls, pattern.format_map(listed))
        message.pattern, message.facts = pattern, facts
        return message

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_message, (self.pattern, self.facts)


def _rebuild_message(pattern: str, facts: dict[str, object]) -> Message:
    return Message(pattern, **facts)


DAMAGED = Message("it is damaged or incomplete")


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

    def __init__(self, *, field: str, value: object, allowed: Message) -> None:
        short = value if isinstance(value, Message) else shorten(value)
        super().__init__(field=shorten(field), value=short, allowed=allowed)


class NotAPicture(MosaicError):
    """details: reason."""

    template = "This is not a picture that can be read: {reason}."

    def __init__(self, reason: Message) -> None:
        super().__init__(reason=reason)

    @property
    def reason(self) -> Message:
        reason = self.details["reason"]
        assert isinstance(reason, Message)
        return reason


class TooManyPixels(MosaicError):
    """details: megapixels, the limit."""

    template = "The picture is too large: the limit is {megapixels:g} megapixels."

    def __init__(self, megapixels: float) -> None:
        super().__init__(megapixels=megapixels)

    @property
    def megapixels(self) -> object:
        """A whole number where it is one."""
        megapixels = self.details["megapixels"]
        return int(megapixels) if isinstance(megapixels, float) and megapixels.is_integer() else megapixels

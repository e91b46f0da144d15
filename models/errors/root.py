"""The root of the tree, and the way over all of it."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

Language = Literal["en", "zh"]


class TesseraError(Exception):
    """The root. `facts` fill the sentence; they are shown to people, so they never hold a secret."""

    slug: ClassVar[str] = "internal"
    en: ClassVar[str] = "Something went wrong on our side. Please try again."
    zh_words: ClassVar[dict[str, str]] = {}
    """What the facts `what` and `state` may be, in Chinese."""
    zh: ClassVar[str] = "服务器出了点问题，请重试。"

    def __init__(self, **facts: object) -> None:
        super().__init__(facts)
        self.facts = facts

    def __reduce__(self) -> tuple[object, ...]:
        """Errors come home from workers in other processes: pickle must be told that facts are keywords."""
        return partial(type(self), **self.facts), (), self.__dict__

    def __str__(self) -> str:
        return self.message("en")

    def message(self, language: Language) -> str:
        """The sentence for people."""
        if language == "en":
            return self.en.format_map(self.facts)
        named = {fact: self.zh_words.get(str(self.facts[fact])) for fact in ("what", "state") if fact in self.facts}
        return self.zh.format_map(self.facts | {fact: word for fact, word in named.items() if word})


def every_error() -> list[type[TesseraError]]:
    """The whole tree, root first."""
    found: list[type[TesseraError]] = [TesseraError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return found

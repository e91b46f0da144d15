"""An index of a collection, and what a unique one says to a second document of the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Duplicate(Exception):
    """A unique index refused a document. fields: the names in that index."""

    def __init__(self, fields: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(fields)))
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Index:
    """One index. keys: names parted by blanks, `-` before a name for descending.

    only: documents that the index holds (a partial index); expire_after_s: MongoDB deletes what is older.
    """

    keys: str
    unique: bool = False
    expire_after_s: int | None = None
    only: Mapping[str, object] | None = None

    def pairs(self) -> list[tuple[str, int]]:
        return [(name.lstrip("-"), -1 if name.startswith("-") else 1) for name in self.keys.split()]

    def options(self) -> dict[str, Any]:
        chosen: dict[str, Any] = {"unique": True} if self.unique else {}
        if self.expire_after_s is not None:
            chosen["expireAfterSeconds"] = self.expire_after_s
        if self.only is not None:
            chosen["partialFilterExpression"] = dict(self.only)
        return chosen

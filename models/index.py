"""What an index of a collection is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Index:
    """One index. keys: names separated by blanks, `-` before a name for descending order.

    partial_filter: selects the documents in the index. expire_after_s: MongoDB deletes documents older than this.
    """

    keys: str
    unique: bool = False
    expire_after_s: int | None = None
    partial_filter: Mapping[str, object] | None = None

    def pairs(self) -> list[tuple[str, int]]:
        return [(name.lstrip("-"), -1 if name.startswith("-") else 1) for name in self.keys.split()]

    @property
    def name(self) -> str:
        """As MongoDB names it."""
        return "_".join(f"{name}_{direction}" for name, direction in self.pairs())

    def options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"unique": True} if self.unique else {}
        if self.expire_after_s is not None:
            options["expireAfterSeconds"] = self.expire_after_s
        if self.partial_filter is not None:
            options["partialFilterExpression"] = dict(self.partial_filter)
        return options

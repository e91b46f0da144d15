"""Who may see an image: the one policy that every query and every handler asks. What it does not allow is closed.

PRIVATE  its owner alone; its file needs a signed address with an end
LINK     anyone with its id or the address of its file; no list names it
PUBLIC   everybody; the gallery and its owner's page list it
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

Document = dict[str, Any]


class Visibility(StrEnum):
    PRIVATE = "private"
    LINK = "link"
    PUBLIC = "public"


UNSTATED = Visibility.LINK
"""Of what a client uploads or makes without a word about it: the contract serves everyone who has an id or address."""
OPEN = (Visibility.LINK, Visibility.PUBLIC)
"""Seen by everyone who has the id."""


class OwnerId(Protocol):
    @property
    def id(self) -> int | None: ...


class Owned(Protocol):
    @property
    def owner(self) -> OwnerId: ...


class Protected(Owned, Protocol):
    """A record that the policy decides about."""

    @property
    def visibility(self) -> Visibility: ...


def is_owned_by(record: Owned, user_id: int | None) -> bool:
    """What anonymous users make belongs to nobody."""
    return user_id is not None and record.owner.id == user_id


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who wants to see an image.

    user_id: of the session, None for a stranger. is_server: our own work, not a request.
    """

    user_id: int | None = None
    is_server: bool = False

    def can_see(self, record: Protected) -> bool:
        """Whether this viewer, who has the id or the key, may see it. Developers are no exception."""
        return self.is_server or record.visibility in OPEN or self.owns(record)

    def can_find(self, record: Protected) -> bool:
        """Whether this viewer may learn of it without its id: what is seen by link alone, only its owner."""
        return self.is_server or record.visibility is Visibility.PUBLIC or self.owns(record)

    def owns(self, record: Owned) -> bool:
        return is_owned_by(record, self.user_id)

    def query(self) -> Document:
        """Selects the images that this viewer may see."""
        if self.is_server:
            return {}
        opened: Document = {"visibility": {"$in": [str(each) for each in OPEN]}}
        return opened if self.user_id is None else {"$or": [opened, {"owner_id": self.user_id}]}


STRANGER = Viewer()
SERVER = Viewer(is_server=True)
"""For upkeep and for work that a handler has checked already. A handler that uses it needs a reason."""

"""Guest sessions: what strangers may do before they have an account, and what happens to it when they sign up."""

from __future__ import annotations

import tornado.web

from handlers.auth import AuthenticatedUser, Authentication
from models import errors
from models.guests import LIFETIME, Guests
from models.images.image import Owner


class GuestSessions:
    """Opens them and knows their limits. limit: guests at a time, 0 for none. pictures: images of each guest."""

    def __init__(self, guests: Guests, authentication: Authentication, *, limit: int, pictures: int) -> None:
        self._guests, self._authentication = guests, authentication
        self._limit, self._pictures = limit, pictures

    @property
    def are_allowed(self) -> bool:
        """An open server needs none."""
        return self._limit > 0 and not self._authentication.open_access

    async def open(self, handler: tornado.web.RequestHandler) -> None:
        """Make a guest and set the cookie of its session. Raises NotAuthenticated, TooManyRequests."""
        if not self.are_allowed:
            raise errors.NotAuthenticated()
        guest_id = await self._guests.add(limit=self._limit)
        await self._authentication.sign_in(handler, guest_id, None, lifetime=LIFETIME)

    async def check(self, owner: Owner) -> None:
        """Raise GuestLimit if this is a guest who has as many images as a guest may have."""
        if owner.is_guest and owner.id is not None and await self._guests.count_images(owner.id) >= self._pictures:
            raise errors.GuestLimit(limit=self._pictures)

    async def adopt_late(self, owner: Owner) -> bool:
        """Adopt what was uploaded while the user signed up. Returns whether the user has been a guest today."""
        return owner.id is not None and not owner.is_guest and await self._guests.adopt_late(owner)

    async def adopt(self, guest: AuthenticatedUser | None, owner: Owner) -> None:
        """Give the user who signs in what they have made as a guest."""
        if guest is not None and guest.is_guest:
            await self._guests.adopt(guest.id, owner)

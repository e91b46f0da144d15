"""The end of guests: after a day everything of theirs is deleted, except what a user has taken along."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from models import errors
from models.accounts.users import Users
from models.guests import LIFETIME, Guest, Guests
from models.images.image import Owner
from processing.upkeep.account_deletion import AccountDeletions

log = logging.getLogger(__name__)

INTERVAL_S = 600.0


class GuestDeletions:
    """Run `sweep_forever` in the background. Several servers may do so at once."""

    def __init__(self, guests: Guests, users: Users, account_deletions: AccountDeletions) -> None:
        self._guests, self._users, self._account_deletions = guests, users, account_deletions

    async def sweep_forever(self) -> None:
        """Sweep now and every ten minutes, until cancelled."""
        while True:
            try:
                await self.sweep()
            except errors.Unavailable as error:  # pragma: no cover - the database is away at this moment
                log.info("guests: %s; trying again later", error.slug)
            await asyncio.sleep(INTERVAL_S)

    async def sweep(self, *, age: timedelta = LIFETIME) -> int:
        """Begin the deletion of every guest older than `age`; returns their number. Raises DatabaseUnavailable."""
        guests = await self._guests.expired(age)
        for guest in guests:
            await self._adopt_the_rest(guest)
            await self._account_deletions.begin(guest.id)
        return len(guests)

    async def _adopt_the_rest(self, guest: Guest) -> None:
        """What a task registered that was running while the guest signed up."""
        if guest.adopted_by is None:
            return
        try:
            user = await self._users.by_id(guest.adopted_by)
        except errors.NotFound:
            return
        await self._guests.adopt(guest.id, Owner(user.id, user.username))

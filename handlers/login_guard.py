"""Checks passwords: wrong ones are limited, and addresses take turns."""

from __future__ import annotations

from handlers.transport.rate_limit import LoginLimits
from models import errors
from models.accounts.passwords import THREADS, WAITING_LIMIT, Passwords
from models.accounts.users import User, Users
from processing.fair_slots import FairSlots


class LoginGuard:
    """Checks passwords and limits how many wrong ones are accepted.

    Right ones are not limited, so addresses take turns: one hash of each is computed at a time.
    """

    def __init__(self, users: Users, passwords: Passwords, limits: LoginLimits) -> None:
        self._users, self._passwords, self._limits = users, passwords, limits
        self._turns = FairSlots(THREADS, per_client=1, waiting_limit=WAITING_LIMIT, client_limit=WAITING_LIMIT)

    async def hash(self, password: str, *, ip: str) -> str:
        """The hash of a new password. Raises TooManyRequests."""
        async with self._turns.slot(ip):
            return await self._passwords.hash(password)

    async def verify(self, password: str, password_hash: str | None, *, username: str, ip: str) -> bool:
        """Whether the password is right. None as hash (there is no such user) takes as long as a wrong password.

        The attempt counts before it is verified, so that parallel requests do not evade the limit; a right password is
        not counted. Raises TooManyRequests.
        """
        self._limits.count_attempt(username, ip)
        async with self._turns.slot(ip):
            right = await self._passwords.verify(password, password_hash)
        if right:
            self._limits.forgive_attempt(username, ip)
        return right

    async def confirm(self, user_id: int, password: str, *, ip: str) -> User:
        """The user, if this is the current password. Raises WrongPassword, TooManyRequests, NotFound."""
        user = await self._users.by_id(user_id)
        if not await self.verify(password, user.password_hash, username=user.username, ip=ip):
            raise errors.WrongPassword(field="password")
        return user

"""One's own account: another password or e-mail address, and leaving for good."""

from __future__ import annotations

import logging

from pydantic import BaseModel, ConfigDict

from handlers.base import ApiHandler, JsonDict
from handlers.rate_limit import Throttles
from handlers.users import Email, Password
from models import errors
from models.passwords import Passwords
from models.sessions import Sessions
from models.users import User, Users
from processing.upkeep.account_deletion import Departures

log = logging.getLogger(__name__)

DEPARTURE_WAIT_S = 15.0


class AccountHandler(ApiHandler):
    """What the owner alone may do, with the password once more: a session may be a borrowed browser."""

    methods = ("POST",)
    acts = True
    users: Users
    passwords: Passwords
    throttles: Throttles

    async def owner(self, password: str) -> User:
        """Raises NoSession, WrongPassword, TooManyRequests."""
        user = await self.users.by_id((await self.person()).id)
        self.throttles.spend_password(user.username, self.address)
        if not await self.passwords.matches(password, user.password_hash):
            raise errors.WrongPassword(field="password")
        self.throttles.refund_password(user.username, self.address)
        return user


class ChangeUserParameters(BaseModel):
    """password: the current one."""

    model_config = ConfigDict(frozen=True)

    password: Password
    new_password: Password | None = None
    email: Email | None = None


class ChangeUser(AccountHandler):
    """Another password, another e-mail address. A new password ends every other session."""

    parameters = ChangeUserParameters
    sessions: Sessions

    async def reply(self, asked: ChangeUserParameters) -> JsonDict:
        user = await self.owner(asked.password)
        password_hash = await self._new_hash(asked.new_password, user)
        await self.users.change(user.id, email=asked.email, password_hash=password_hash)
        if password_hash is not None:
            await self.sessions.close_all(user.id, but=self.authentication.token(self))
            log.info("user %s: changed the password [%s]", user.id, self.request_id)
        return {}

    async def _new_hash(self, password: str | None, user: User) -> str | None:
        """Raises WeakPassword."""
        if password is None:
            return None
        self.passwords.refuse_weak(password, user.username, field="new_password")
        return await self.passwords.hash(password)


class DeleteUserParameters(BaseModel):
    model_config = ConfigDict(frozen=True)

    password: Password


class DeleteUser(AccountHandler):
    """Leave: everything that was this person's goes. finished: whether all of it is gone already."""

    parameters = DeleteUserParameters
    departures: Departures

    async def reply(self, asked: DeleteUserParameters) -> JsonDict:
        user = await self.owner(asked.password)
        await self.departures.begin(user.id)
        await self.authentication.sign_out(self)
        return {"finished": await self.departures.ended(user.id, within_s=DEPARTURE_WAIT_S)}

"""One's own account: another password or e-mail address, and leaving for good."""

from __future__ import annotations

import logging

from pydantic import BaseModel, ConfigDict

from handlers.base import ApiHandler, JsonDict
from handlers.rate_limit import LoginLimits
from handlers.users import Email, Password
from models import errors
from models.passwords import Passwords
from models.sessions import Sessions
from models.users import User, Users
from processing.upkeep.account_deletion import AccountDeletions

log = logging.getLogger(__name__)

DELETION_WAIT_S = 15.0


class AccountHandler(ApiHandler):
    """What the owner alone may do, with the password once more: a session may be a borrowed browser."""

    methods = ("POST",)
    acts = True
    users: Users
    passwords: Passwords
    login_limits: LoginLimits

    async def confirmed_user(self, password: str) -> User:
        """Raises NotAuthenticated, WrongPassword, TooManyRequests."""
        user = await self.users.by_id((await self.require_user()).id)
        self.login_limits.count_attempt(user.username, self.address)
        if not await self.passwords.verify(password, user.password_hash):
            raise errors.WrongPassword(field="password")
        self.login_limits.forgive_attempt(user.username, self.address)
        return user


class ChangeUserParams(BaseModel):
    """password: the current one."""

    model_config = ConfigDict(frozen=True)

    password: Password
    new_password: Password | None = None
    email: Email | None = None


class ChangeUserHandler(AccountHandler):
    """Another password, another e-mail address. A new password ends every other session."""

    parameters = ChangeUserParams
    sessions: Sessions

    async def reply(self, asked: ChangeUserParams) -> JsonDict:
        user = await self.confirmed_user(asked.password)
        password_hash = await self._new_hash(asked.new_password, user)
        await self.users.update(user.id, email=asked.email, password_hash=password_hash)
        if password_hash is not None:
            await self.sessions.close_all(user.id, except_token=self.authentication.token(self))
            log.info("user %s: changed the password [%s]", user.id, self.request_id)
        return {}

    async def _new_hash(self, password: str | None, user: User) -> str | None:
        """Raises WeakPassword."""
        if password is None:
            return None
        self.passwords.check_strength(password, user.username, field="new_password")
        return await self.passwords.hash(password)


class DeleteUserParams(BaseModel):
    model_config = ConfigDict(frozen=True)

    password: Password


class DeleteUserHandler(AccountHandler):
    """Leave: everything that was this person's goes. finished: whether all of it is gone already."""

    parameters = DeleteUserParams
    account_deletions: AccountDeletions

    async def reply(self, asked: DeleteUserParams) -> JsonDict:
        user = await self.confirmed_user(asked.password)
        await self.account_deletions.begin(user.id)
        await self.authentication.sign_out(self)
        return {"finished": await self.account_deletions.wait(user.id, within_s=DELETION_WAIT_S)}

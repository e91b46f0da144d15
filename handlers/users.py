"""People: sign up, look up and sign in, follow, sign out, and who I am."""

from __future__ import annotations

import logging
import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from handlers.base import ApiHandler, JsonDict, NoParams
from handlers.rate_limit import LoginLimits
from models import errors
from models.follows import Follows
from models.passwords import MAXIMUM_BYTES, Passwords
from models.users import User, Users, username_key

log = logging.getLogger(__name__)

EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")


def _clean_name(name: str) -> str:
    name = name.strip()
    if not username_key(name) or any(
        unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in name
    ):
        raise ValueError("1 to 64 characters, none of them invisible")
    return name


def _clean_email(email: str) -> str:
    if not EMAIL.fullmatch(email.strip()):
        raise ValueError("an address such as name@example.com")
    return email.strip()


Username = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_clean_name)]
Email = Annotated[str, Field(min_length=3, max_length=254), AfterValidator(_clean_email)]
Password = Annotated[str, Field(max_length=MAXIMUM_BYTES)]


class AddUserParams(BaseModel):
    model_config = ConfigDict(frozen=True)

    username: Username
    email: Email
    password: Password


class AddUserHandler(ApiHandler):
    """Sign up."""

    parameters = AddUserParams
    refusal, contract, acts = -2, True, True
    users: Users
    passwords: Passwords
    login_limits: LoginLimits

    async def reply(self, asked: AddUserParams) -> JsonDict:
        self.login_limits.sign_up.acquire(self.address)
        self.passwords.check_strength(asked.password, asked.username)
        password_hash = await self.passwords.hash(asked.password)
        user_id = await self.users.add(username=asked.username, email=asked.email, password_hash=password_hash)
        log.info("user %s: signed up [%s]", user_id, self.request_id)
        return {}


class QueryUserParams(BaseModel):
    model_config = ConfigDict(frozen=True)

    username: Username
    password: Password | None = None


class QueryUserHandler(ApiHandler):
    """Look a user up; with the right password also sign in."""

    parameters = QueryUserParams
    contract = True
    users: Users
    follows: Follows
    passwords: Passwords
    login_limits: LoginLimits

    async def reply(self, asked: QueryUserParams) -> JsonDict:
        if asked.password is not None:
            self.authentication.check_csrf(self)
            self.login_limits.count_attempt(asked.username, self.address)
        user = await self._find(asked)
        followed, followers = await self.follows.followed_and_followers(user.id)
        answer: JsonDict = {
            "username": user.username,
            "email": user.email,
            "login": False,
            "follow_user": followed,
            "followed_user": followers,
        }
        if asked.password is not None and await self.passwords.verify(asked.password, user.password_hash):
            self.login_limits.forgive_attempt(asked.username, self.address)
            if token := await self._sign_in(user, asked.password):
                answer |= {"login": True, "id": user.id, "token": token}
        return answer

    async def _find(self, asked: QueryUserParams) -> User:
        """Raises NotFound, after as much work as a wrong password costs."""
        try:
            return await self.users.by_name(asked.username)
        except errors.NotFound:
            if asked.password is not None:
                await self.passwords.verify(asked.password, None)
            raise

    async def _sign_in(self, user: User, password: str) -> str | None:
        """The token; None where the password was changed, or the account deleted, while this one was looked at.

        Either ends every session: one that is opened first is ended with them, and after that we look again.
        """
        token = await self.authentication.sign_in(self, user.id, user.username)
        if not await self._is_current(user):
            await self.authentication.sign_out(self, token)
            return None
        if self.passwords.needs_rehash(user.password_hash):
            await self.users.update(user.id, password_hash=await self.passwords.hash(password))
        log.info("user %s: signed in [%s]", user.id, self.request_id)
        return token

    async def _is_current(self, user: User) -> bool:
        try:
            return (await self.users.by_id(user.id)).password_hash == user.password_hash
        except errors.NotFound:
            return False


class FollowParams(BaseModel):
    model_config = ConfigDict(frozen=True)

    from_user_name: Username
    to_user_name: Username
    follow_bool: bool


class FollowHandler(ApiHandler):
    """Follow (1) or unfollow (0)."""

    parameters = FollowParams
    contract, acts = True, True
    users: Users
    follows: Follows

    async def reply(self, asked: FollowParams) -> JsonDict:
        follower = await self._acting(asked.from_user_name)
        followed = (await self.users.by_name(asked.to_user_name)).id
        if follower == followed:
            raise errors.BadParameter(field="to_user_name", value=asked.to_user_name, allowed="somebody else")
        if asked.follow_bool:
            await self.follows.follow(follower, followed)
        else:
            await self.follows.unfollow(follower, followed)
        return {}

    async def _acting(self, username: str) -> int:
        """The id of the person who follows. Raises NotAuthenticated, PermissionDenied; NotFound where the server is open."""
        if self.authentication.open_access:
            return (await self.users.by_name(username)).id
        person = await self.require_user()
        if username_key(person.username) != username_key(username):
            raise errors.PermissionDenied()
        return person.id


class SignOutHandler(ApiHandler):
    """End the session."""

    parameters = NoParams
    methods = ("POST",)
    acts = True

    async def reply(self, asked: NoParams) -> JsonDict:
        await self.authentication.sign_out(self)
        return {}

"""People: sign up, look up and sign in, follow, sign out, and who I am."""

from __future__ import annotations

import logging
import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from handlers.base import ApiHandler, JsonDict, NoParameters
from handlers.rate_limit import Throttles
from models import errors
from models.follows import Follows
from models.passwords import MAXIMUM_BYTES, Passwords
from models.users import User, Users, fold

log = logging.getLogger(__name__)

EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")


def _clean_name(name: str) -> str:
    name = name.strip()
    if not fold(name) or any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in name):
        raise ValueError("1 to 64 characters, none of them invisible")
    return name


def _clean_email(email: str) -> str:
    if not EMAIL.fullmatch(email.strip()):
        raise ValueError("an address such as name@example.com")
    return email.strip()


Username = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_clean_name)]
Email = Annotated[str, Field(min_length=3, max_length=254), AfterValidator(_clean_email)]
Password = Annotated[str, Field(max_length=MAXIMUM_BYTES)]


class AddUserParameters(BaseModel):
    model_config = ConfigDict(frozen=True)

    username: Username
    email: Email
    password: Password


class AddUser(ApiHandler):
    """Sign up."""

    parameters = AddUserParameters
    refusal, contract, acts = -2, True, True
    users: Users
    passwords: Passwords
    throttles: Throttles

    async def reply(self, asked: AddUserParameters) -> JsonDict:
        self.throttles.sign_up.spend(self.address)
        self.passwords.refuse_weak(asked.password, asked.username)
        password_hash = await self.passwords.hash(asked.password)
        user_id = await self.users.add(username=asked.username, email=asked.email, password_hash=password_hash)
        log.info("user %s: signed up [%s]", user_id, self.request_id)
        return {}


class QueryUserParameters(BaseModel):
    model_config = ConfigDict(frozen=True)

    username: Username
    password: Password | None = None


class QueryUser(ApiHandler):
    """Look a user up; with the right password also sign in."""

    parameters = QueryUserParameters
    contract = True
    users: Users
    follows: Follows
    passwords: Passwords
    throttles: Throttles

    async def reply(self, asked: QueryUserParameters) -> JsonDict:
        if asked.password is not None:
            self.authentication.refuse_forged(self)
            self.throttles.spend_password(asked.username, self.address)
        user = await self._find(asked)
        followed, followers = await self.follows.around(user.id)
        answer: JsonDict = {
            "username": user.username,
            "email": user.email,
            "login": False,
            "follow_user": followed,
            "followed_user": followers,
        }
        if asked.password is not None and await self.passwords.matches(asked.password, user.password_hash):
            self.throttles.refund_password(asked.username, self.address)
            if token := await self._sign_in(user, asked.password):
                answer |= {"login": True, "id": user.id, "token": token}
        return answer

    async def _find(self, asked: QueryUserParameters) -> User:
        """Raises NotFound, after as much work as a wrong password costs."""
        try:
            return await self.users.by_name(asked.username)
        except errors.NotFound:
            if asked.password is not None:
                await self.passwords.matches(asked.password, None)
            raise

    async def _sign_in(self, user: User, password: str) -> str | None:
        """The token; None where the password was changed, or the account deleted, while this one was looked at.

        Either ends every session: one that is opened first is ended with them, and after that we look again.
        """
        token = await self.authentication.sign_in(self, user.id, user.username)
        if not await self._is_current(user):
            await self.authentication.sign_out(self, token)
            return None
        if self.passwords.outdated(user.password_hash):
            await self.users.change(user.id, password_hash=await self.passwords.hash(password))
        log.info("user %s: signed in [%s]", user.id, self.request_id)
        return token

    async def _is_current(self, user: User) -> bool:
        try:
            return (await self.users.by_id(user.id)).password_hash == user.password_hash
        except errors.NotFound:
            return False


class FollowParameters(BaseModel):
    model_config = ConfigDict(frozen=True)

    from_user_name: Username
    to_user_name: Username
    follow_bool: bool


class FollowUser(ApiHandler):
    """Follow (1) or unfollow (0)."""

    parameters = FollowParameters
    contract, acts = True, True
    users: Users
    follows: Follows

    async def reply(self, asked: FollowParameters) -> JsonDict:
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
        """The id of the person who follows. Raises NoSession, NotYours; NotFound where the server is open."""
        if self.authentication.open_access:
            return (await self.users.by_name(username)).id
        person = await self.person()
        if fold(person.username) != fold(username):
            raise errors.NotYours()
        return person.id


class SignOut(ApiHandler):
    """End the session."""

    parameters = NoParameters
    methods = ("POST",)
    acts = True

    async def reply(self, asked: NoParameters) -> JsonDict:
        await self.authentication.sign_out(self)
        return {}

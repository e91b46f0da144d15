"""Users: sign up, look up and sign in, follow, sign out."""

from __future__ import annotations

import asyncio
import logging

from handlers.auth import AuthenticatedUser, Developers
from handlers.base import ApiHandler
from handlers.endpoint import endpoint
from handlers.guest_sessions import GuestSessions
from handlers.login_guard import LoginGuard
from handlers.params import ContractParams, Email, Password, Username
from handlers.schemas.base import SuccessResponse
from handlers.schemas.users import UserResponse
from handlers.transport.rate_limit import LoginLimits
from models import errors
from models.accounts.follows import Follows, Member
from models.accounts.passwords import Passwords
from models.accounts.users import User, Users
from models.errors import Phrase
from models.images.image import Owner

log = logging.getLogger(__name__)


class AddUserParams(ContractParams):
    username: Username
    email: Email
    password: Password


class AddUserHandler(ApiHandler):
    error_code = -2
    errors_as_200 = True

    def initialize(
        self,
        users: Users,
        passwords: Passwords,
        login_guard: LoginGuard,
        login_limits: LoginLimits,
        developers: Developers,
    ) -> None:
        self.users, self.passwords, self.login_guard = users, passwords, login_guard
        self.login_limits, self.developers = login_limits, developers

    @endpoint(
        errors=(errors.UsernameTaken, errors.EmailTaken, errors.WeakPassword, errors.CsrfError, errors.TooManyRequests),
        csrf_exempt="it acts for nobody, with or without a cookie; the sender is checked by the handler",
    )
    async def post(self, params: AddUserParams) -> SuccessResponse:
        """Sign up."""
        self.authentication.check_sender(self)
        self.login_limits.sign_up.acquire(self.client_ip)
        self.developers.check_not_reserved(params.username)
        self.passwords.check_strength(params.password, params.username)
        password_hash = await self.login_guard.hash(params.password, ip=self.client_ip)
        user_id = await self.users.add(username=params.username, email=params.email, password_hash=password_hash)
        log.info("user %s: signed up [%s]", user_id, self.request_id)
        return SuccessResponse()

    get = post


class QueryUserParams(ContractParams):
    username: Username
    password: Password | None = None


class QueryUserHandler(ApiHandler):
    errors_as_200 = True

    def initialize(
        self,
        users: Users,
        follows: Follows,
        passwords: Passwords,
        login_guard: LoginGuard,
        guest_sessions: GuestSessions,
    ) -> None:
        self.users, self.follows, self.passwords, self.login_guard = users, follows, passwords, login_guard
        self.guests = guest_sessions

    @endpoint(
        errors=(errors.NotFound, errors.CsrfError, errors.TooManyRequests),
        csrf_exempt="a look-up without a password changes nothing; one with a password is checked by the handler",
    )
    async def post(self, params: QueryUserParams) -> UserResponse:
        """Look a user up; with the right password also sign in."""
        if params.password is not None:
            self.authentication.check_sender(self)
        (user, right), current = await asyncio.gather(self._find(params.username, params.password), self.user())
        followed, followers = await self.follows.followed_and_followers(user.id)
        response = UserResponse(
            username=user.username,
            email=user.email if self._may_see_email(user, current) else mask_email(user.email),
            login=False,
            follow_user=followed.names,
            followed_user=followers.names,
            follow_count=followed.count,
            followed_count=followers.count,
        )
        token = await self._sign_in(user, params.password) if params.password is not None and right else None
        if token is None:
            return response
        return response.model_copy(update={"email": user.email, "login": True, "id": user.id, "token": token})

    get = post

    def _may_see_email(self, user: User, current: AuthenticatedUser | None) -> bool:
        return self.authentication.open_access or (current is not None and current.id == user.id)

    async def _find(self, username: str, password: str | None) -> tuple[User, bool]:
        """The user, and whether the password is right.

        Raises NotFound, after as much work as a wrong password costs; TooManyRequests.
        """
        try:
            user = await self.users.by_name(username)
        except errors.NotFound:
            if password is not None:
                await self.login_guard.verify(password, None, username=username, ip=self.client_ip)
            raise
        if password is None:
            return user, False
        hash_ = user.password_hash
        return user, await self.login_guard.verify(password, hash_, username=username, ip=self.client_ip)

    async def _sign_in(self, user: User, password: str) -> str | None:
        """The token, or None if the password was changed or the account deleted while the password was verified.

        Both close all sessions of the user. A session that is opened before that is closed with them; one that is
        opened afterwards is closed here, because the record has changed.
        """
        guest = await self.user() if self.authentication.is_from_our_page(self) else None
        token = await self.authentication.sign_in(self, user.id, user.username)
        if not await self._is_current(user):
            await self.authentication.sign_out(self, token)
            return None
        if self.passwords.needs_rehash(user.password_hash):
            new_hash = await self.login_guard.hash(password, ip=self.client_ip)
            await self.users.update(user.id, password_hash=new_hash)
        await self.guests.adopt(guest, Owner(user.id, user.username))
        log.info("user %s: signed in [%s]", user.id, self.request_id)
        return token

    async def _is_current(self, user: User) -> bool:
        try:
            return (await self.users.by_id(user.id)).password_hash == user.password_hash
        except errors.NotFound:  # pragma: no cover - the account is deleted during the sign-in
            return False


def mask_email(email: str) -> str:
    """`ada@example.com` becomes `a***@example.com`."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}***@{domain}" if domain else ""


class FollowParams(ContractParams):
    from_user_name: Username
    to_user_name: Username
    follow_bool: bool


class FollowHandler(ApiHandler):
    errors_as_200 = True

    def initialize(self, users: Users, follows: Follows) -> None:
        self.users, self.follows = users, follows

    @endpoint(errors=(errors.NotAuthenticated, errors.PermissionDenied, errors.NotFound))
    async def post(self, params: FollowParams) -> SuccessResponse:
        """Follow (1) or unfollow (0)."""
        follower = await self.acting_as(params.from_user_name)
        followed = await self.users.by_name(params.to_user_name)
        if follower.id is None or follower.username is None or follower.id == followed.id:
            raise errors.BadParameter(
                field="to_user_name", value=params.to_user_name, allowed=Phrase("another user", "另一位用户")
            )
        if params.follow_bool:
            ends = Member(follower.id, follower.username), Member(followed.id, followed.username)
            await self.follows.follow(*ends)
        else:
            await self.follows.unfollow(follower.id, followed.id)
        return SuccessResponse()

    get = post


class SignOutHandler(ApiHandler):
    @endpoint()
    async def post(self) -> SuccessResponse:
        """End the session."""
        await self.authentication.sign_out(self)
        return SuccessResponse()

"""The user's own account: who is signed in, a new password or e-mail address, deletion."""

from __future__ import annotations

import logging

from handlers.auth import AuthenticatedUser
from handlers.base import LIST_TIMEOUT_S, ApiHandler
from handlers.endpoint import endpoint
from handlers.guest_sessions import GuestSessions
from handlers.login_guard import LoginGuard
from handlers.params import Email, Password, RequestParams
from handlers.schemas.base import SuccessResponse
from handlers.schemas.users import ClientConfig, CurrentUser, DeletionResponse, SessionResponse, StorageUsage
from handlers.transport.rate_limit import LoginLimits
from models import errors
from models.accounts.emails import email_key
from models.accounts.passwords import Passwords
from models.accounts.sessions import Sessions
from models.accounts.users import User, Users
from models.images.quotas import Quotas
from processing.upkeep.account_deletion import AccountDeletions

log = logging.getLogger(__name__)

DELETION_WAIT_S = 15.0


class SessionHandler(ApiHandler):
    timeout_s = LIST_TIMEOUT_S

    def initialize(
        self, users: Users, quotas: Quotas, client_config: ClientConfig, guest_sessions: GuestSessions
    ) -> None:
        self.users, self.quotas = users, quotas
        self.client_config, self.guests = client_config, guest_sessions

    @endpoint(errors=(errors.NotFound,))
    async def get(self) -> SessionResponse:
        """Who is signed in, and the limits of this server."""
        current = await self.user()
        return SessionResponse(
            user=None if current is None or current.is_guest else await self._account(current),
            guest=current is not None and current.is_guest,
            guests_allowed=self.guests.are_allowed,
            access="open" if self.authentication.open_access else "session",
            limits=self.client_config,
        )

    async def _account(self, current: AuthenticatedUser) -> CurrentUser:
        user = await self.users.by_id(current.id)
        usage, quota = await self.quotas.usage(user.id), self.quotas.quota
        return CurrentUser(
            id=user.id,
            username=user.username,
            email=user.email,
            developer=current.developer,
            storage=StorageUsage(
                pictures=usage.pictures,
                size_bytes=usage.size_bytes,
                max_pictures=quota.pictures,
                max_size_bytes=quota.size_bytes,
            ),
        )


class GuestHandler(ApiHandler):
    def initialize(self, guest_sessions: GuestSessions, login_limits: LoginLimits) -> None:
        self.guests, self.login_limits = guest_sessions, login_limits

    @endpoint(errors=(errors.NotAuthenticated, errors.TooManyRequests))
    async def post(self) -> SuccessResponse:
        """Open a session without an account, for a day. A session that exists is kept."""
        if await self.user() is None:
            for limit in (self.login_limits.guest, self.login_limits.guest_share):
                limit.acquire(self.client_ip)
            await self.guests.open(self)
        return SuccessResponse()


class ChangeUserParams(RequestParams):
    """password: the current one."""

    password: Password
    new_password: Password | None = None
    email: Email | None = None


class ChangeUserHandler(ApiHandler):
    """Both this and DeleteUserHandler ask for the password again: the browser may be shared."""

    def initialize(
        self,
        users: Users,
        passwords: Passwords,
        login_guard: LoginGuard,
        login_limits: LoginLimits,
        sessions: Sessions,
    ) -> None:
        self.users, self.passwords, self.login_guard, self.sessions = users, passwords, login_guard, sessions
        self.login_limits = login_limits

    @endpoint(
        errors=(
            errors.NotAuthenticated,
            errors.WrongPassword,
            errors.WeakPassword,
            errors.EmailTaken,
            errors.NotFound,
            errors.TooManyRequests,
        )
    )
    async def post(self, params: ChangeUserParams) -> SuccessResponse:
        """Change the password or the e-mail address. A new password ends every other session.

        A new address counts as a sign-up: both tell whether it has an account.
        """
        current = await self.require_user()
        user = await self.login_guard.confirm(current.id, params.password, ip=self.client_ip)
        if params.email is not None and email_key(params.email) != email_key(user.email):
            self.login_limits.sign_up.acquire(self.client_ip)
        password_hash = await self._new_hash(params.new_password, user)
        await self.users.update(user.id, email=params.email, password_hash=password_hash)
        if password_hash is not None:
            await self.sessions.close_all(user.id, except_token=self.authentication.token(self))
            log.info("user %s: changed the password [%s]", user.id, self.request_id)
        return SuccessResponse()

    async def _new_hash(self, password: str | None, user: User) -> str | None:
        """Raises WeakPassword."""
        if password is None:
            return None
        self.passwords.check_strength(password, user.username, field="new_password")
        return await self.login_guard.hash(password, ip=self.client_ip)


class DeleteUserParams(RequestParams):
    password: Password


class DeleteUserHandler(ApiHandler):
    def initialize(self, login_guard: LoginGuard, account_deletions: AccountDeletions) -> None:
        self.login_guard, self.account_deletions = login_guard, account_deletions

    @endpoint(errors=(errors.NotAuthenticated, errors.WrongPassword, errors.NotFound, errors.TooManyRequests))
    async def post(self, params: DeleteUserParams) -> DeletionResponse:
        """Delete the account and everything that belongs to it."""
        current = await self.require_user()
        user = await self.login_guard.confirm(current.id, params.password, ip=self.client_ip)
        await self.account_deletions.begin(user.id)
        await self.authentication.sign_out(self)
        return DeletionResponse(finished=await self.account_deletions.wait(user.id, within_s=DELETION_WAIT_S))

"""Who is asking: a person by cookie or Bearer token, or a stranger; and whether our own page sent the request."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import tornado.web

from models import errors
from models.sessions import Sessions
from models.users import Users, username_key

COOKIE_DAYS = 90
DEVELOPERS_TTL_S = 2.0
"""Whom an operator made a developer is asked this often at most."""


@dataclass(frozen=True, slots=True)
class AuthenticatedUser:
    """Somebody who is signed in."""

    id: int
    username: str
    developer: bool


class Developers:
    """Who sees and steers the whole queue: those whom the settings name, and those whom an operator made one."""

    def __init__(self, names: frozenset[str], users: Users) -> None:
        self._names = frozenset(username_key(name) for name in names)
        self._users = users
        self._made: frozenset[int] = frozenset()
        self._asked_at = float("-inf")

    async def is_developer(self, user_id: int, username: str) -> bool:
        """Raises DatabaseUnavailable."""
        if time.monotonic() - self._asked_at >= DEVELOPERS_TTL_S:
            self._made = await self._users.developers()
            self._asked_at = time.monotonic()
        return user_id in self._made or username_key(username) in self._names


class Authentication:
    """The one place that reads and writes the session's cookie.

    open_access: act for whomever the parameters name, without a session (closed networks only).
    public_url: our own origin; with https the cookie is Secure and carries the __Host- prefix.
    trusted_proxies: the addresses whose word on where a request comes from is believed.
    """

    def __init__(
        self,
        sessions: Sessions,
        *,
        open_access: bool,
        developers: Developers,
        public_url: str,
        trusted_proxies: frozenset[str] = frozenset(),
    ) -> None:
        self.trusted_proxies = trusted_proxies
        self._sessions = sessions
        self.open_access = open_access
        self._developers = developers
        self._origin = public_url.rstrip("/")
        self._secure = urlsplit(public_url).scheme == "https"
        self.cookie = "__Host-session" if self._secure else "session"

    async def user(self, handler: tornado.web.RequestHandler) -> AuthenticatedUser | None:
        """Who is asking, or None for a stranger. A token that is not alive is a stranger's."""
        token = self.token(handler)
        session = await self._sessions.find(token) if token else None
        if session is None:
            return None
        developer = await self._developers.is_developer(session.user_id, session.username)
        return AuthenticatedUser(session.user_id, session.username, developer)

    def token(self, handler: tornado.web.RequestHandler) -> str | None:
        """The session token of a request: `Authorization: Bearer` before the cookie."""
        scheme, _, credentials = handler.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return credentials.strip()
        signed = handler.get_signed_cookie(self.cookie, max_age_days=COOKIE_DAYS, min_version=2)
        return signed.decode("ascii", "replace") if signed else None

    async def sign_in(self, handler: tornado.web.RequestHandler, user_id: int, username: str) -> str:
        """Open a session and hand it to the browser; a session that it had before is closed."""
        old = self.token(handler)
        if old:
            await self._sessions.close(old)
        token = await self._sessions.open(user_id, username)
        handler.set_signed_cookie(
            self.cookie, token, expires_days=COOKIE_DAYS, httponly=True, samesite="Strict", secure=self._secure
        )
        return token

    async def sign_out(self, handler: tornado.web.RequestHandler, token: str | None = None) -> None:
        """Close the session (that of the request, unless a token is given) and take the cookie back."""
        token = token or self.token(handler)
        if token:
            await self._sessions.close(token)
        handler.clear_cookie(self.cookie, httponly=True, samesite="Strict", secure=self._secure)

    def check_same_origin(self, handler: tornado.web.RequestHandler) -> None:
        """Raise CsrfError if a browser sent this from a page that is not ours.

        A browser says so itself (Sec-Fetch-Site), or names the Origin; a client that does neither is no browser, and
        its cookie, if it has one, was put there by hand.
        """
        headers = handler.request.headers
        site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
        if site is not None:
            foreign = site not in ("same-origin", "none")
        elif origin is not None:
            foreign = origin not in (self._origin, f"{handler.request.protocol}://{handler.request.host}")
        else:
            foreign = False
        if foreign:
            raise errors.CsrfError()

    def check_csrf(self, handler: tornado.web.RequestHandler) -> None:
        """Raise CsrfError if somebody's browser was led to do this: by a page that is not ours, or by a link.

        A link in a mail or a chat is opened as if its address had been typed (Sec-Fetch-Site: none), and brings even
        Strict cookies along.
        """
        self.check_same_origin(handler)
        if handler.request.method == "GET" and handler.request.headers.get("Sec-Fetch-Site") == "none":
            raise errors.CsrfError()

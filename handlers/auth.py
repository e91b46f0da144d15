"""Who sends a request: the user of a session cookie or Bearer token; and whether one of our own pages sent it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import tornado.web
from tornado.httputil import HTTPHeaders, parse_cookie

from handlers.transport.client_ip import IpNetworks
from handlers.transport.known_hosts import KnownHosts
from models import errors
from models.accounts.sessions import IDLE_TIMEOUT, Sessions
from models.accounts.usernames import username_key
from models.accounts.users import Users
from models.bucket.addresses import origin
from models.images.image import Owner

COOKIE_DAYS = 90
DEVELOPERS_TTL_S = 2.0
"""How long the list of developers in the database is cached."""


@dataclass(frozen=True, slots=True)
class AuthenticatedUser:
    """The user of a session. username: empty for a guest."""

    id: int
    username: str
    developer: bool
    is_guest: bool = False

    @property
    def owner(self) -> Owner:
        return Owner(self.id, None if self.is_guest else self.username)

    def matches(self, user: str | int) -> bool:
        """Whether a username or an id names this user."""
        return user == self.id if isinstance(user, int) else username_key(user) == username_key(self.username)


class Developers:
    """Developers see and control the whole queue. Operators give accounts this role (`admin.py`), or name them.

    names: of the setting. Nobody can sign up with one of them, so that the role belongs to an account that existed
    before, or that the operator adds.
    """

    def __init__(self, names: Collection[str], users: Users) -> None:
        self._keys = frozenset(username_key(name) for name in names)
        self._users = users
        self._ids: frozenset[int] = frozenset()
        self._read_at = float("-inf")

    def check_not_reserved(self, username: str) -> None:
        """Raise UsernameTaken for a name of the setting, however it is spelled."""
        if username_key(username) in self._keys:
            raise errors.UsernameTaken(field="username", username=username)

    async def is_developer(self, user_id: int, username: str) -> bool:
        """Raises DatabaseUnavailable."""
        if time.monotonic() - self._read_at >= DEVELOPERS_TTL_S:
            self._ids = await self._users.developers()
            self._read_at = time.monotonic()
        return user_id in self._ids or username_key(username) in self._keys


class Authentication:
    """Sessions: the only place that reads and writes the session cookie.

    open_access: requests without a session may act for any user whom they name (closed networks only).
    public_url: our own origin; with https the cookie is Secure and has the __Host- prefix.
    trusted_proxies: addresses and networks of proxies whose X-Forwarded-For is believed.
    allowed_hosts: names besides that of public_url which requests may be addressed to with open access.
    allowed_origins: whose pages may send requests as well (CORS). Cookies do not count there, Bearer tokens do.
    """

    def __init__(
        self,
        sessions: Sessions,
        users: Users,
        *,
        open_access: bool,
        developers: Developers,
        public_url: str,
        trusted_proxies: Iterable[str] = (),
        allowed_hosts: Iterable[str] = (),
        allowed_origins: Iterable[str] = (),
    ) -> None:
        self.trusted_proxies = IpNetworks(trusted_proxies)
        self.open_access = open_access
        self._sessions, self._users = sessions, users
        self._developers = developers
        self._known_hosts = KnownHosts(public_url, allowed_hosts)
        self._allowed_origins = frozenset(allowed_origins)
        self._origin = origin(public_url)
        self._path = f"{urlsplit(public_url).path.rstrip('/')}/"
        self._secure = urlsplit(public_url).scheme == "https"

    def cookie_name(self, handler: tornado.web.RequestHandler) -> str:
        """With the port on plain http: browsers send a cookie to all ports of a host, where another server may be."""
        if self._secure:
            return "__Host-session" if self._path == "/" else "__Secure-session"
        port = handler.request.host.rpartition(":")[2]
        return f"session-{port}" if port.isdecimal() else "session"

    async def user(self, handler: tornado.web.RequestHandler) -> AuthenticatedUser | None:
        """The user of the request's session, or None. An unknown or expired token counts as none."""
        token = self.token(handler)
        session = await self._sessions.find(token) if token else None
        if session is None:
            return None
        if session.username is None:
            return AuthenticatedUser(session.user_id, "", developer=False, is_guest=True)
        developer = await self._developers.is_developer(session.user_id, session.username)
        return AuthenticatedUser(session.user_id, session.username, developer)

    @property
    def has_allowed_origins(self) -> bool:
        """Whether responses differ by the origin of the page that asks."""
        return bool(self._allowed_origins)

    def allowed_origin(self, handler: tornado.web.RequestHandler) -> str | None:
        """The origin of the page that sent the request, if it is another one and listed in `allowed_origins`."""
        origin = handler.request.headers.get("Origin", "")
        return origin if origin in self._allowed_origins else None

    def check_host(self, handler: tornado.web.RequestHandler) -> None:
        """Raises UnknownHost if the server answers to everyone and the request is addressed to another site."""
        if self.open_access:
            self._known_hosts.check(handler.request.host)

    async def find_owner(self, user: str | int) -> Owner:
        """The user with this username or id. Raises NotFound."""
        record = await (self._users.by_id(user) if isinstance(user, int) else self._users.by_name(user))
        return Owner(record.id, record.username)

    def token(self, handler: tornado.web.RequestHandler) -> str | None:
        """The session token of a request: `Authorization: Bearer` before the cookie."""
        bearer = _bearer_token(handler)
        if bearer is not None or self.allowed_origin(handler):
            return bearer
        name = self.cookie_name(handler)
        cookies = parse_cookie(handler.request.headers.get("Cookie", ""))  # in half the time of handler.cookies
        if name not in cookies:
            return None
        signed = handler.get_signed_cookie(name, cookies[name], max_age_days=COOKIE_DAYS, min_version=2)
        return signed.decode("ascii", "replace") if signed else None

    async def sign_in(
        self,
        handler: tornado.web.RequestHandler,
        user_id: int,
        username: str | None,
        *,
        lifetime: timedelta = IDLE_TIMEOUT,
    ) -> str:
        """Open a session, set its cookie, and close the session that the request came with. Returns the token.

        username: None for a guest. lifetime: until the session is used again.
        A GET that no page of ours has sent may be a link of another site: it gets the token alone, and the browser
        stays signed in as it was.
        """
        token = await self._sessions.open(user_id, username, lifetime=lifetime)
        if not self.is_from_our_page(handler):
            return token
        old = self.token(handler)
        if old:
            await self._sessions.close(old)
        handler.set_signed_cookie(
            self.cookie_name(handler),
            token,
            expires_days=COOKIE_DAYS,
            httponly=True,
            samesite="Strict",
            secure=self._secure,
            path=self._path,
        )
        return token

    async def sign_out(self, handler: tornado.web.RequestHandler, token: str | None = None) -> None:
        """Close the session of this token (default: of the request) and clear the cookie."""
        token = token or self.token(handler)
        if token:
            await self._sessions.close(token)
        handler.clear_cookie(
            self.cookie_name(handler), httponly=True, samesite="Strict", secure=self._secure, path=self._path
        )

    def check_same_origin(self, handler: tornado.web.RequestHandler) -> None:
        """Raise CsrfError if a browser sent the request from a page of another origin.

        Browsers send Sec-Fetch-Site, or at least Origin with a POST and with what scripts send.
        """
        headers = handler.request.headers
        site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
        if self.allowed_origin(handler):
            foreign = False
        elif site is not None:
            foreign = site not in ("same-origin", "none")
        else:
            foreign = origin is not None and not self._is_own_origin(origin, handler)
        if foreign:
            raise errors.CsrfError()

    def check_sender(self, handler: tornado.web.RequestHandler) -> None:
        """Raise CsrfError if the browser says that another page or a link made it send the request.

        A link in a mail or a chat is opened as if its address were typed (Sec-Fetch-Site: none).
        """
        self.check_same_origin(handler)
        if handler.request.method == "GET" and handler.request.headers.get("Sec-Fetch-Site") == "none":
            raise errors.CsrfError()

    def check_csrf(self, handler: tornado.web.RequestHandler) -> None:
        """Raise CsrfError if a page of another origin, or a link, may have made a browser send the user's cookie.

        Over plain http, links of any page come without Sec-Fetch-Site and Origin. Browsers send even SameSite=Strict
        cookies with some links, so a GET with the cookie must show that a page of ours has sent it.
        """
        self.check_sender(handler)
        if not self.is_from_our_page(handler) and self._acts_by_cookie(handler):
            raise errors.CsrfError()

    def is_from_our_page(self, handler: tornado.web.RequestHandler) -> bool:
        """Whether no one else can have made a browser send this request, which `check_sender` has accepted.

        The images and links of our pages may have addresses that other users have chosen, so that a GET counts only if
        a script has sent it.
        """
        headers = handler.request.headers
        if self.allowed_origin(handler):
            return False
        if handler.request.method == "POST":
            return True
        if not _is_sent_by_script(headers):
            return False
        if headers.get("Sec-Fetch-Site") == "same-origin":
            return True
        sender = headers.get("Origin") or headers.get("Referer", "")
        return "Sec-Fetch-Site" not in headers and self._is_own_origin(sender, handler)

    def _acts_by_cookie(self, handler: tornado.web.RequestHandler) -> bool:
        """Whether the request has our cookie, and no Bearer token, which would come before it."""
        has_cookie = handler.get_cookie(self.cookie_name(handler)) is not None
        return has_cookie and _bearer_token(handler) is None and not self.allowed_origin(handler)

    def _is_own_origin(self, url: str, handler: tornado.web.RequestHandler) -> bool:
        """Whether the scheme, host and port of a URL are ours, as the settings or the request name them."""
        try:
            return origin(url) in (self._origin, f"{handler.request.protocol}://{handler.request.host}")
        except ValueError:  # not a URL
            return False


def _is_sent_by_script(headers: HTTPHeaders) -> bool:
    """Whether a request is no image, page or other part of one, as far as the browser says; over http by Accept."""
    if "Sec-Fetch-Dest" in headers:
        return headers["Sec-Fetch-Dest"] == "empty"
    accepted = headers.get("Accept", "")
    return "image/" not in accepted and "text/html" not in accepted


def _bearer_token(handler: tornado.web.RequestHandler) -> str | None:
    scheme, _, credentials = handler.request.headers.get("Authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else None

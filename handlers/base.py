"""What every HTTP handler shares: request ids, the user of a request, and the one table from error to status.

Every error response has one shape: `{"code": n, "error": slug, "message": sentence}` with n below 1; `field` is added
where one parameter is wrong. An unexpected exception is answered as `internal`; only the log has its trace.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar

import tornado.web
from pydantic import MISSING
from tornado.httputil import HTTPServerRequest

from handlers.auth import AuthenticatedUser, Authentication
from handlers.endpoint import Endpoint
from handlers.schemas.base import ErrorResponse, to_json
from handlers.transport.client_ip import client_ip, rate_limit_key
from models import errors
from models.images.image import ANONYMOUS, Owner
from models.images.visibility import OPEN, Viewer, Visibility

log = logging.getLogger(__name__)

STATUS: dict[type[Exception], int] = {
    errors.TesseraError: 500,
    errors.ClientError: 400,
    errors.NotFound: 404,
    errors.SourceNotAllowed: 403,
    errors.InvalidState: 409,
    errors.NoSuchPath: 404,
    errors.MethodNotAllowed: 405,
    errors.MalformedRequest: 400,
    errors.NotAuthenticated: 401,
    errors.BadSignature: 401,
    errors.PermissionDenied: 403,
    errors.CsrfError: 403,
    errors.AddressNotAllowed: 403,
    errors.UnknownHost: 421,
    errors.TooLarge: 413,
    errors.TooManyRequests: 429,
    errors.TooManyTasks: 429,
    errors.Overloaded: 503,
    errors.Unavailable: 503,
    errors.StorageFull: 507,
    errors.JobError: 422,
    errors.QuotaExceeded: 403,
}
"""The nearest ancestor of an error decides. `errors_as_200` overrides it for client errors."""

TORNADO_ERRORS: dict[int, type[errors.TesseraError]] = {404: errors.NoSuchPath, 405: errors.MethodNotAllowed}
"""What Tornado refuses before it calls a handler; any other 4xx is a malformed request."""

PREVIEW_HEADERS = PREVIEW_REPORT, PREVIEW_REGION = "X-Preview-Report", "X-Preview-Region"
EXPOSED_HEADERS = ("Location", "Retry-After", "X-Image-Height", "X-Image-Width", *PREVIEW_HEADERS, "X-Request-ID")
"""What scripts of another origin may read of a response besides the headers that are always theirs."""

REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
REQUEST_TIMEOUT_S = 30.0
LIST_TIMEOUT_S = 4.5
"""Of what only reads the database, in several calls: 503 within the documented 5 s."""
CLIENT_CLOSED_REQUEST = 499
"""What nginx logs of such requests."""


class RequestIdHandler(tornado.web.RequestHandler):
    """`X-Request-ID` of the request, or a new one, in every response and every log line."""

    @cached_property
    def request_id(self) -> str:
        value = self.request.headers.get("X-Request-ID", "")
        return value if REQUEST_ID.fullmatch(value) else secrets.token_hex(8)

    def set_default_headers(self) -> None:
        self.set_header("X-Request-ID", self.request_id)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log unexpected exceptions with their trace. Tornado's own lines would show the query string."""
        if not isinstance(value, tornado.web.HTTPError):
            log.error(
                "%s %s failed [%s]", self.request.method, self.request.path, self.request_id, exc_info=(typ, value, tb)
            )


class ApiHandler(RequestIdHandler):
    """A JSON endpoint: its `get` and `post` are declared by `@endpoint`.

    A handler takes its services as parameters of `initialize`, a base class of handlers as keywords of `__init__`;
    `dependencies_of` finds them by name.

    error_code: the `code` of an error response, below 1.
    errors_as_200: whether client errors are answered with HTTP 200, as the contract says for its endpoints.
    content_types: the media types of a POST body.
    timeout_s: for the whole response, after which it is 503; None for a stream that limits each of its writes.
    """

    error_code: ClassVar[int] = -1
    errors_as_200: ClassVar[bool] = False
    content_types: ClassVar[tuple[str, ...]] = (
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    )
    timeout_s: ClassVar[float | None] = REQUEST_TIMEOUT_S
    logged_user_id: int | None = None
    """Of the user, where the request needed to know; for the access log."""

    def __init__(
        self,
        application: tornado.web.Application,
        request: HTTPServerRequest,
        *,
        authentication: Authentication,
        **dependencies: Any,
    ) -> None:
        self.authentication = authentication
        super().__init__(application, request, **dependencies)

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        if self.authentication.has_allowed_origins:
            self.add_header("Vary", "Origin")
        if origin := self.authentication.allowed_origin(self):
            self.set_header("Access-Control-Allow-Origin", origin)
            self.set_header("Access-Control-Expose-Headers", ", ".join(EXPOSED_HEADERS))

    @classmethod
    def endpoints(cls) -> dict[str, Endpoint]:
        """The endpoints by HTTP method, GET before POST."""
        methods = {name: getattr(cls, name.lower()) for name in ("GET", "POST")}
        return {name: method for name, method in methods.items() if isinstance(method, Endpoint)}

    async def head(self, **path: str) -> None:
        """As GET without the body, for monitors and link checkers; where GET changes something, HEAD does not."""
        method = self.endpoints().get("GET")
        if method is None or not method.is_read_only:
            raise errors.MethodNotAllowed()
        await method(self, **path)

    async def options(self, **_: str) -> None:
        """Browsers ask this before a page of another origin may send JSON or a Bearer token."""
        if self.authentication.allowed_origin(self) is None:
            raise errors.MethodNotAllowed()
        self.set_header("Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS")
        self.set_header("Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID, X-Request-ID")
        self.set_header("Access-Control-Max-Age", "86400")
        self.set_status(204)
        self.clear_header("Content-Type")
        self.finish()

    @property
    def base_path(self) -> str:
        """The path of the site on its host, or ""."""
        return str(self.settings.get("base_path", ""))

    @property
    def client_address(self) -> str:
        """The IP address of the client."""
        forwarded_for = self.request.headers.get("X-Forwarded-For", "")
        return client_ip(self.request.remote_ip or "", forwarded_for, self.authentication.trusted_proxies)

    @property
    def client_ip(self) -> str:
        """The address of the client, as a key of rate limits."""
        return rate_limit_key(self.client_address)

    async def user(self) -> AuthenticatedUser | None:
        """The user who is signed in, a guest, or None."""
        user = await self.authentication.user(self)
        self.logged_user_id = user.id if user else None
        return user

    async def require_user(self) -> AuthenticatedUser:
        """The user who is signed in, with an account. Raises NotAuthenticated."""
        user = await self.user()
        if user is None or user.is_guest:
            raise errors.NotAuthenticated()
        return user

    async def require_session(self) -> AuthenticatedUser:
        """The user or guest who is signed in. Raises NotAuthenticated."""
        user = await self.user()
        if user is None:
            raise errors.NotAuthenticated()
        return user

    async def viewer(self) -> Viewer:
        """Who wants to see images: the user, a guest, or a stranger."""
        user = await self.user()
        return Viewer(user.id if user else None)

    def choose_visibility(self, visibility: Visibility | None, owner: Owner) -> Visibility | None:
        """What a request chooses for an image of this owner; None: nothing. What guests make is private.

        Raises NotAuthenticated for a private image of nobody, which no one could see, and if a guest publishes.
        """
        if (owner.is_guest and visibility in OPEN) or (owner.id is None and visibility is Visibility.PRIVATE):
            raise errors.NotAuthenticated()
        return Visibility.PRIVATE if owner.is_guest else visibility

    async def owner(self) -> Owner:
        """The owner of what this request creates: the user or guest; with open access perhaps ANONYMOUS.

        Raises NotAuthenticated.
        """
        user = await self.user() if self.authentication.open_access else await self.require_session()
        return user.owner if user else ANONYMOUS

    async def acting_as(self, user: str | int) -> Owner:
        """The user whom a parameter names (username or id), where this request may act as that user.

        With open access any request may. Raises NotAuthenticated, PermissionDenied; with open access NotFound.
        """
        if self.authentication.open_access:
            return await self.authentication.find_owner(user)
        current = await self.require_user()
        if not current.matches(user):
            raise errors.PermissionDenied()
        return Owner(current.id, current.username)

    def finish_disconnected(self) -> None:
        """End a request whose client has closed the connection; the status is for the access log alone."""
        self.set_status(CLIENT_CLOSED_REQUEST, "Client Closed Request")
        self.finish()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, tornado.web.HTTPError) and status_code < 500:
            error = TORNADO_ERRORS.get(status_code, errors.MalformedRequest)()
        self.send_api_error(error if isinstance(error, errors.TesseraError) else errors.TesseraError())

    def send_api_error(self, error: errors.TesseraError) -> None:
        """Finish with an error response."""
        as_200 = self.errors_as_200 and is_contract_error(type(error))
        self.set_status(200 if as_200 else status_of(type(error)))
        if isinstance(error, errors.MethodNotAllowed):
            self.set_header("Allow", ", ".join(self._allowed_methods()))
        if isinstance(error, errors.Overloaded):
            self.set_header("Retry-After", str(error.details["retry_after_s"]))
        field = error.details.get("field")
        response = ErrorResponse(
            code=self.error_code,
            error=error.slug,
            message=error.message(self.language()),
            field=MISSING if field is None else str(field),
        )
        self.finish(to_json(response))

    def _allowed_methods(self) -> Iterator[str]:
        for name, method in self.endpoints().items():
            yield name
            if name == "GET" and method.is_read_only:
                yield "HEAD"

    def language(self) -> errors.Language:
        return language_of(self.request)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if isinstance(value, errors.Unavailable):
            log.warning("%s %s: %s [%s]", self.request.method, self.request.path, value.slug, self.request_id)
        elif not isinstance(value, errors.TesseraError):
            super().log_exception(typ, value, tb)


class NotFoundHandler(ApiHandler):
    """The answer to any path that no route matches."""

    def prepare(self) -> None:
        raise errors.NoSuchPath()


def language_of(request: HTTPServerRequest) -> errors.Language:
    """The first of zh and en in Accept-Language; en where it names neither."""
    for part in request.headers.get("Accept-Language", "").lower().split(","):
        for language in ("zh", "en"):
            if part.strip().startswith(language):
                return "zh" if language == "zh" else "en"
    return "en"


def status_of(error: type[errors.TesseraError]) -> int:
    """The HTTP status of an error, except where the contract answers it with 200."""
    return next(STATUS[kind] for kind in error.__mro__ if kind in STATUS)


def is_contract_error(error: type[errors.TesseraError]) -> bool:
    """Whether the contract's endpoints answer this error with HTTP 200."""
    return issubclass(error, errors.ClientError) and not issubclass(error, errors.MalformedBody | errors.TooLarge)

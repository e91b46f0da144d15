"""What every JSON endpoint shares: parameters in, JSON out, who is asking, and the one table of error -> status.

Every refusal has one shape: `{"code": n, "error": slug, "message": sentence}`, n below 1; `field` is added where one
parameter is at fault. An error that nobody foresaw is answered as `internal` and told to the log alone.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, ClassVar, Literal

import tornado.web
from pydantic import BaseModel, ConfigDict, ValidationError
from tornado.httputil import HTTPServerRequest

from handlers.auth import AuthenticatedUser, Authentication
from handlers.client_ip import client_ip, rate_limit_key
from handlers.identified import RequestIdHandler
from handlers.params import bad_parameter, read_params
from models import errors
from models.images import ANONYMOUS, Owner

log = logging.getLogger(__name__)

JsonDict = dict[str, Any]

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
    errors.TooLarge: 413,
    errors.TooManyRequests: 429,
    errors.TooManyTasks: 429,
    errors.Overloaded: 503,
    errors.Unavailable: 503,
    errors.StorageFull: 507,
    errors.JobError: 422,
}
"""The nearest ancestor of an error decides; a contract row answers its own refusals with 200."""

FROM_TORNADO: dict[int, type[errors.TesseraError]] = {404: errors.NoSuchPath, 405: errors.MethodNotAllowed}
"""What Tornado itself refuses, before a handler is asked; any other 4xx is a malformed request."""

REQUEST_TIMEOUT_S = 30.0


class NoParams(BaseModel):
    """An endpoint that asks for nothing."""

    model_config = ConfigDict(frozen=True)


class ApiHandler(RequestIdHandler):
    """One endpoint. A subclass names its parameters and answers `reply`; the rest is here.

    parameters: the pydantic class that checks what was asked.
    methods: which of GET and POST are served.
    refusal: the `code` of a refusal.
    contract: whether the contract answers this endpoint's refusals with HTTP 200.
    bodies: the media types that a POST may have.
    acts: whether it changes state, so that a browser's cookie counts only from our own pages.
    timeout_s: how long an answer may take; None where it is a stream that watches its own pieces.
    """

    params: ClassVar[type[BaseModel]] = NoParams
    methods: ClassVar[tuple[Literal["GET", "POST"], ...]] = ("GET", "POST")
    content_types: ClassVar[tuple[str, ...]] = (
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    )
    error_code: ClassVar[int] = -1
    errors_as_200: ClassVar[bool] = False
    state_changing: ClassVar[bool] = False
    timeout_s: ClassVar[float | None] = REQUEST_TIMEOUT_S

    def initialize(self, authentication: Authentication, **parts: object) -> None:
        self.authentication = authentication
        for name, part in parts.items():
            setattr(self, name, part)

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.clear_header("Server")
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        self.set_header("Referrer-Policy", "same-origin")

    async def get(self, **_: str) -> None:
        await self._serve("GET")

    async def post(self, **_: str) -> None:
        await self._serve("POST")

    async def reply(self, asked: Any) -> JsonDict:
        """The answer to checked parameters. `code` 1 is added. Raises a TesseraError to refuse."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        """Where the request comes from, as limits count it."""
        forwarded_for = self.request.headers.get("X-Forwarded-For", "")
        return rate_limit_key(
            client_ip(self.request.remote_ip or "", forwarded_for, self.authentication.trusted_proxies)
        )

    async def require_user(self) -> AuthenticatedUser:
        """Who is asking. Raises NotAuthenticated for a stranger."""
        found = await self.user()
        if found is None:
            raise errors.NotAuthenticated()
        return found

    async def user(self) -> AuthenticatedUser | None:
        """Who is asking, or None for a stranger."""
        return await self.authentication.user(self)

    async def owner(self) -> Owner:
        """For whom this is done: the person who is signed in; nobody where the server is open. Raises NotAuthenticated."""
        person = await self.user() if self.authentication.open_access else await self.require_user()
        return Owner(person.id, person.username) if person else ANONYMOUS

    async def _serve(self, method: Literal["GET", "POST"]) -> None:
        if method not in self.methods:
            raise errors.MethodNotAllowed()
        if self.state_changing:
            self.authentication.check_csrf(self)
        async with asyncio.timeout(self.timeout_s):
            answer = await self.reply(self._asked())
        if not self._finished:
            self.finish({"code": 1, **answer})

    def _asked(self) -> BaseModel:
        given = read_params(self.request, self.path_kwargs)
        try:
            return self.params.model_validate(given)
        except ValidationError as error:
            raise bad_parameter(error) from error

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, tornado.web.HTTPError) and status_code < 500:
            error = FROM_TORNADO.get(status_code, errors.MalformedRequest)()
        self._refuse(error if isinstance(error, errors.TesseraError) else errors.TesseraError())

    def _refuse(self, error: errors.TesseraError) -> None:
        self.set_status(self._status(error))
        if isinstance(error, errors.MethodNotAllowed):
            self.set_header("Allow", ", ".join(self.methods))
        if isinstance(error, errors.Overloaded):
            self.set_header("Retry-After", str(error.details["retry_after_s"]))
        body: JsonDict = {"code": self.error_code, "error": error.slug, "message": error.message(self.language())}
        if "field" in error.details:
            body["field"] = error.details["field"]
        self.finish(body)

    def _status(self, error: errors.TesseraError) -> int:
        return 200 if self.errors_as_200 and in_contract(type(error)) else status_of(type(error))

    def language(self) -> errors.Language:
        return language_of(self.request)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if isinstance(value, errors.Unavailable):
            log.warning("%s %s: %s [%s]", self.request.method, self.request.path, value.slug, self.request_id)
        elif not isinstance(value, errors.TesseraError):
            super().log_exception(typ, value, tb)


class NotFoundHandler(ApiHandler):
    """Whatever no line of the table serves."""

    def prepare(self) -> None:
        super().prepare()
        raise errors.NoSuchPath()


def language_of(request: HTTPServerRequest) -> errors.Language:
    """zh or en by Accept-Language; the first of the two that is named wins."""
    for part in request.headers.get("Accept-Language", "").lower().split(","):
        for language in ("zh", "en"):
            if part.strip().startswith(language):
                return "zh" if language == "zh" else "en"
    return "en"


def status_of(error: type[errors.TesseraError]) -> int:
    """The HTTP status of an error where the contract does not answer with 200."""
    return next(STATUS[kind] for kind in error.__mro__ if kind in STATUS)


def in_contract(error: type[errors.TesseraError]) -> bool:
    """Whether the contract's rows answer this refusal with HTTP 200."""
    return issubclass(error, errors.ClientError) and not issubclass(error, errors.MalformedBody | errors.TooLarge)

"""`@endpoint`: a method of an `ApiHandler` that declares its parameters, its response and its errors.

The class of the parameters and the response models are the annotations of the method. The server and the OpenAPI
document read the same declaration:

    @endpoint(errors=(errors.NotFound,))
    async def post(self, params: FollowParams) -> SuccessResponse: ...

    get = post  # where the contract serves both
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from pydantic import BaseModel

from handlers.params import read_params, validate_params
from handlers.schemas.base import to_json
from models import errors

if TYPE_CHECKING:
    from handlers.base import ApiHandler

Method = Callable[..., Awaitable[object]]

CHANGES_NOTHING = "it changes nothing"
"""The reason for `csrf_exempt` of an endpoint that reads only."""
RETRY_AFTER_S = 5
"""After a response that took too long."""
COMMON_ERRORS: tuple[type[errors.TesseraError], ...] = (
    errors.TesseraError,
    errors.MalformedRequest,
    errors.MalformedBody,
    errors.TooLarge,
    errors.DatabaseUnavailable,
    errors.UnknownHost,
)
"""What every endpoint may answer."""


class Endpoint:
    """A method that `@endpoint` declares. Tornado calls it to serve a request.

    Protection against forged requests is on for each endpoint that POST reaches, for all its methods, unless
    `csrf_exempt` says why not.

    declared_errors: what the method raises, beside COMMON_ERRORS and what follows from the declaration itself.
    csrf_exempt: the reason why any page may send the request; empty where the request is checked.
    media_type: of a success that is not a JSON document; the method then writes the body and returns None.
    responses: models of further JSON bodies, by status.
    """

    def __init__(
        self,
        method: Method,
        declared_errors: Sequence[type[errors.TesseraError]],
        *,
        csrf_exempt: str,
        media_type: str,
        responses: Mapping[int, type],
    ) -> None:
        self._method = method
        self._declared_errors = declared_errors
        self.csrf_exempt = csrf_exempt
        self.media_type = media_type
        self.responses = responses
        self.http_methods: set[str] = set()

    def __set_name__(self, owner: type, name: str) -> None:
        """Called once for `post` and once more for `get = post`."""
        self.http_methods.add(name.upper())

    def __get__(self, handler: ApiHandler | None, owner: type) -> Any:
        return self if handler is None else partial(self, handler)

    async def __call__(self, handler: ApiHandler, **_: str) -> None:
        """Check the request, call the method, and write the model that it returns."""
        handler.authentication.check_host(handler)
        if self.is_csrf_protected:
            handler.authentication.check_csrf(handler)
        try:
            async with asyncio.timeout(handler.timeout_s) as deadline:
                response = await self._call(handler)
        except TimeoutError as error:
            if not deadline.expired():  # pragma: no cover - a bug of ours
                raise
            raise self._timeout_error() from error
        if response is not None:
            handler.finish(to_json(response))

    def _timeout_error(self) -> errors.TesseraError:
        """Each call to the database has a shorter deadline of its own: an endpoint where clients take turns, or are
        limited, has waited for them."""
        return errors.Overloaded(retry_after_s=RETRY_AFTER_S) if self._is_limited else errors.DatabaseUnavailable()

    async def _call(self, handler: ApiHandler) -> object:
        if self.params is None:
            return await self._method(handler)
        values = read_params(handler.request, handler.path_kwargs)
        return await self._method(handler, validate_params(self.params, values))

    @property
    def is_csrf_protected(self) -> bool:
        return "POST" in self.http_methods and not self.csrf_exempt

    @property
    def is_read_only(self) -> bool:
        """Whether the endpoint changes nothing, so that HEAD may call it."""
        return "POST" not in self.http_methods or self.csrf_exempt == CHANGES_NOTHING

    @property
    def summary(self) -> str:
        """The first line of the method's docstring."""
        return (self._method.__doc__ or "").strip().partition("\n")[0]

    @property
    def description(self) -> str:
        """The whole docstring of the method."""
        return inspect.cleandoc(self._method.__doc__ or "")

    @cached_property
    def params(self) -> type[BaseModel] | None:
        """The class of the parameters; None for an endpoint without any."""
        return self._hints.get("params")

    @cached_property
    def response_models(self) -> tuple[type, ...]:
        """What a JSON success may be; empty where `media_type` says that it is something else."""
        returned = self._hints["return"]
        return tuple(model for model in get_args(returned) or (returned,) if model is not type(None))

    @property
    def _is_limited(self) -> bool:
        """Whether it may answer that there is too much to do."""
        return any(issubclass(each, errors.Overloaded) for each in self._declared_errors)

    @cached_property
    def possible_errors(self) -> tuple[type[errors.TesseraError], ...]:
        """Every error that the endpoint may answer."""
        implied: list[type[errors.TesseraError]] = []
        if self.params is not None:
            implied.append(errors.BadParameter)
        if self.is_csrf_protected:
            implied.append(errors.CsrfError)
        if self._is_limited:
            implied.append(errors.Overloaded)
        return tuple(dict.fromkeys((*COMMON_ERRORS, *implied, *self._declared_errors)))

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self._method)


def endpoint(
    *,
    errors: Sequence[type[errors.TesseraError]] = (),
    csrf_exempt: str = "",
    media_type: str = "",
    responses: Mapping[int, type] | None = None,
) -> Callable[[Method], Endpoint]:
    """Declare a method of an `ApiHandler` as an endpoint. The arguments are described in `Endpoint`."""
    return partial(
        Endpoint, declared_errors=errors, csrf_exempt=csrf_exempt, media_type=media_type, responses=responses or {}
    )

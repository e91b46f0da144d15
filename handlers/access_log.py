"""The access log: one line for each request, and its count and duration in the metrics."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

import tornado.web
from tornado.httputil import HTTPServerRequest
from tornado.routing import Rule, URLSpec

from handlers.bucket.base import REASON
from handlers.transport.client_ip import IpNetworks, address_for_log, client_ip
from processing.metrics import Metrics

log = logging.getLogger(__name__)

NO_ROUTE = "none"
METHODS = frozenset(tornado.web.RequestHandler.SUPPORTED_METHODS)
OVERLOADED = (503, 507)
"""A part is busy, full or away: what is wrong is logged where it was noticed."""


class RouteLabels:
    """Maps a path to its route, as a label of metrics: `/thumbnail/{id}/{width}`."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        specs = [rule for rule in rules if isinstance(rule, URLSpec)]
        routes = [(spec.regex, template_of(spec.regex.pattern)) for spec in specs]
        self._plain = {template for regex, template in routes if not regex.groups}
        self._patterns = [(regex, template) for regex, template in routes if regex.groups]

    def of(self, path: str) -> str:
        """NO_ROUTE for a path without a route, so that clients cannot create labels."""
        plain = path if len(path) == 1 else path.removesuffix("/")
        if plain in self._plain:
            return plain
        return next((template for regex, template in self._patterns if regex.match(path)), NO_ROUTE)


class AccessLog:
    """Tornado's log_function. It leaves out the query string, which may contain a password.

    addresses: the setting `log_addresses`.
    """

    def __init__(self, routes: RouteLabels, metrics: Metrics, trusted_proxies: IpNetworks, addresses: str) -> None:
        self._routes, self._metrics = routes, metrics
        self._trusted_proxies, self._addresses = trusted_proxies, addresses

    def __call__(self, handler: tornado.web.RequestHandler) -> None:
        status, request, seconds = handler.get_status(), handler.request, handler.request.request_time()
        user_id, address = getattr(handler, "logged_user_id", None), self._address(request)
        fields = {"status": status, "method": request.method, "path": request.path, "seconds": seconds}
        fields |= {"address": address}
        log.log(
            logging.ERROR if is_server_error(status) else logging.INFO,
            "%s %s %s %.1f ms, %s at %s [%s]",
            status,
            request.method,
            request.path,
            1000 * seconds,
            "nobody" if user_id is None else f"user {user_id}",
            address,
            getattr(handler, "request_id", "-"),  # Tornado's own redirects have none
            extra={"fields": fields if user_id is None else fields | {"user": user_id}},
        )
        route = self._routes.of(request.path)
        method = request.method if request.method in METHODS else "other"
        self._metrics.requests.labels(route, method, str(status)).inc()
        if getattr(handler, "timeout_s", 0) is not None:  # the client decides how long a stream lasts
            self._metrics.request_seconds.labels(route).observe(seconds)

    def _address(self, request: HTTPServerRequest) -> str:
        forwarded_for = request.headers.get("X-Forwarded-For", "")
        return address_for_log(
            client_ip(request.remote_ip or "", forwarded_for, self._trusted_proxies), self._addresses
        )


def is_server_error(status: int) -> bool:
    """Whether a status means a bug of ours. Kodo's own codes above 500 do not."""
    return status >= 500 and status not in OVERLOADED and status not in REASON


def template_of(pattern: str) -> str:
    """A route's pattern without its final slash, each group as its name in braces (its number without a name)."""
    numbers = iter(range(1, 100))
    plain = re.sub(r"/?\??\$?$", "", pattern.removeprefix("^")).replace("\\", "")
    template = re.sub(r"\((?:\?P<(\w+)>)?[^()]*\)", lambda group: f"{{{group[1] or next(numbers)}}}", plain)
    return template or "/"

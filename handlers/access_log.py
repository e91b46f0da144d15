"""What is written down of each request: one line in the log, and its count and time in the metrics."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

import tornado.web
from tornado.routing import URLSpec

from handlers.bucket.base import REASON
from processing.metrics import Metrics

log = logging.getLogger(__name__)

NO_ROUTE = "none"
METHODS = frozenset(tornado.web.RequestHandler.SUPPORTED_METHODS)
OVERLOADED = (503, 507)
"""Answers that say that a part is busy, full or away: what is wrong is logged where it was met."""


class RouteLabels:
    """From a path to its line in the table, as the table spells it: `/thumbnail/{id}/{width}`."""

    def __init__(self, table: Iterable[URLSpec]) -> None:
        lines = [(spec.regex, template_of(spec.regex.pattern)) for spec in table]
        self._plain = {template for regex, template in lines if not regex.groups}
        self._patterns = [(regex, template) for regex, template in lines if regex.groups]

    def of(self, path: str) -> str:
        """`none` for a path that no line serves: a label must not be what strangers type."""
        plain = path if len(path) == 1 else path.removesuffix("/")
        if plain in self._plain:
            return plain
        return next((template for regex, template in self._patterns if regex.match(path)), NO_ROUTE)


class AccessLog:
    """Tornado's log_function. The query string stays out, for it may hold a password."""

    def __init__(self, routes: RouteLabels, metrics: Metrics) -> None:
        self._routes, self._metrics = routes, metrics

    def __call__(self, handler: tornado.web.RequestHandler) -> None:
        status, request, seconds = handler.get_status(), handler.request, handler.request.request_time()
        log.log(
            logging.ERROR if is_our_fault(status) else logging.INFO,
            "%s %s %s %.1f ms [%s]",
            status,
            request.method,
            request.path,
            1000 * seconds,
            getattr(handler, "request_id", "-"),  # Tornado's own redirects have none
            extra={"fields": {"status": status, "method": request.method, "path": request.path, "seconds": seconds}},
        )
        route = self._routes.of(request.path)
        method = request.method if request.method in METHODS else "other"
        self._metrics.requests.labels(route, method, str(status)).inc()
        if getattr(handler, "timeout_s", 0) is not None:  # a stream lasts as long as its listener likes
            self._metrics.request_seconds.labels(route).observe(seconds)


def is_our_fault(status: int) -> bool:
    """Whether an answer tells of a bug. The embedded bucket speaks in Kodo's own numbers above 500."""
    return status >= 500 and status not in OVERLOADED and status not in REASON


def template_of(pattern: str) -> str:
    """A pattern of the table without its final slash, each group as its name in braces (its number if it has none)."""
    numbers = iter(range(1, 100))
    plain = re.sub(r"/?\??\$?$", "", pattern.removeprefix("^")).replace("\\", "")
    named = re.sub(r"\((?:\?P<(\w+)>)?[^()]*\)", lambda group: f"{{{group[1] or next(numbers)}}}", plain)
    return named or "/"

"""What operators read."""

from __future__ import annotations

from typing import Literal

from handlers.schemas.base import Schema


class HealthResponse(Schema):
    """200 and code 1 where ready, otherwise 503, code -1 and the problems.

    warnings: what an operator should look at while the server is ready.
    """

    code: Literal[1, -1]
    ready: bool
    problems: list[str]
    warnings: list[str]

"""The page's upload tokens: how many it requests, and what it does when one expires."""

from __future__ import annotations

import json
from re import Pattern
from typing import Any

from playwright.sync_api import Page, Route

from models.bucket.keys import Keys
from models.bucket.policy import upload_token
from models.bucket.signature import decode


class TokenRecorder:
    """requests: the body of each request for a token."""

    def __init__(self, page: Page) -> None:
        self.requests: list[dict[str, Any]] = []
        page.route("**/api/image/token/", self._grant)

    def _grant(self, route: Route) -> None:
        self.requests.append(json.loads(route.request.post_data or ""))
        route.continue_()


def expire_token(page: Page, url: Pattern[str], keys: Keys) -> None:
    """The first request to this address arrives with its token as it is after its last minute."""

    def expire(route: Route) -> None:
        headers = route.request.headers
        policy = json.loads(decode(headers["authorization"].split(":")[2]))
        expired = upload_token(keys, {**policy, "deadline": 1})
        route.continue_(headers={**headers, "authorization": f"UpToken {expired}"})

    page.route(url, expire, times=1)

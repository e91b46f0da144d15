"""Records the page's requests for upload tokens, and shortens the validity of the first token."""

from __future__ import annotations

import json
import time
from typing import Any

from playwright.sync_api import Page, Route

from models.bucket.keys import Keys
from models.bucket.policy import upload_token
from models.bucket.signature import decode


class TokenRecorder:
    """requests: the body of each request. With keys, the first token is valid for three seconds."""

    def __init__(self, page: Page, keys: Keys | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        self._keys = keys
        page.route("**/api/image/token/", self._grant)

    def _grant(self, route: Route) -> None:
        self.requests.append(json.loads(route.request.post_data or ""))
        response = route.fetch()
        grant = response.json()
        if self._keys is not None and len(self.requests) == 1:
            policy = json.loads(decode(grant["token"].split(":")[2]))
            grant["token"] = upload_token(self._keys, {**policy, "deadline": int(time.time()) + 3})
        route.fulfill(response=response, json=grant)

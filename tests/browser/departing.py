"""Leave to upload as the page asks for it, noted down, and made to end soon."""

from __future__ import annotations

import json
import time
from typing import Any

from playwright.sync_api import Page, Route

from models.bucket.keys import Keys
from models.bucket.policy import upload_token
from models.bucket.signature import decode


class Leaves:
    """asked: what the page said each time. With keys, the first token that it is given holds for three seconds."""

    def __init__(self, page: Page, keys: Keys | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self._keys = keys
        page.route("**/api/image/token/", self._grant)

    def _grant(self, route: Route) -> None:
        self.asked.append(json.loads(route.request.post_data or ""))
        answer = route.fetch()
        given = answer.json()
        if self._keys is not None and len(self.asked) == 1:
            policy = json.loads(decode(given["token"].split(":")[2]))
            given["token"] = upload_token(self._keys, {**policy, "deadline": int(time.time()) + 3})
        route.fulfill(response=answer, json=given)

"""An account used by the API, where a test is not about the pages that would lead to the same records."""

from __future__ import annotations

import json
from typing import Any

from tests.browser.user import JSON, BrowserUser, until
from tests.support.client import PASSWORD


class Account:
    """A person who uses the API from their browser."""

    def __init__(self, user: BrowserUser, name: str, *, is_new: bool = True) -> None:
        """Sign in. is_new: sign up before."""
        self.user, self.name = user, name
        if is_new:
            self.post("/api/user/add/", username=name, email=f"{name}@example.com", password=PASSWORD)
        self.post("/api/user/query/", username=name, password=PASSWORD)

    def post(self, path: str, **values: Any) -> Any:
        return self.user.page.request.post(path, data=values, headers=JSON).json()

    def get(self, path: str) -> Any:
        return self.user.page.request.get(path).json()

    def upload(self, data: bytes, name: str) -> Any:
        ticket = self.post("/api/image/token/", filename=name, visibility="private")
        file = {"name": name, "mimeType": "image/png", "buffer": data}
        form = {"token": ticket["token"], "key": ticket["key"], "file": file}
        return self.user.page.request.post(ticket["upload_url"], multipart=form).json()

    def add_task(self, source: str, recipe: dict[str, Any]) -> int:
        """Queues the mosaic of a picture that was uploaded; the id of the task."""
        added = self.post("/api/tasks/add/", url=source, param=json.dumps(recipe), visibility="public")
        return int(added["task"]["id"])

    def make(self, source: str, recipe: dict[str, Any]) -> int:
        """The id of the mosaic of a picture that was uploaded, once it is finished."""
        path = f"/api/tasks/query/?id={self.add_task(source, recipe)}"
        until(self.user.page, lambda: len(self.get(path)["done"]), 1)
        return int(self.get(path)["done"][0]["result_id"])

"""A client of the API for tests."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httputil import HTTPHeaders

from tests.support.openapi_check import check_response
from tests.support.pictures import png

PASSWORD = "a long enough password"


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A response: status, headers, and the body; JSON fields by name."""

    status: int
    headers: HTTPHeaders
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    def __getitem__(self, name: str) -> Any:
        return self.json[name]

    def __contains__(self, name: str) -> bool:
        return name in self.json


@dataclass
class ApiClient:
    """A client with its own cookies. Every response is validated against the OpenAPI document."""

    client: AsyncHTTPClient
    base_url: str
    cookies: dict[str, str] = field(default_factory=dict)
    username: str = ""
    user_id: int = 0
    source_address: str | None = None
    """Of the connections, to be counted as another client: any address of loopback."""

    def new_client(self) -> ApiClient:
        return ApiClient(self.client, self.base_url, source_address=self.source_address)

    async def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> ApiResponse:
        return await self.request("GET", path + (f"?{urlencode(query)}" if query else ""), headers=headers)

    async def post(self, path: str, headers: dict[str, str] | None = None, **values: Any) -> ApiResponse:
        """Values as a JSON body."""
        header_fields = {"Content-Type": "application/json", **(headers or {})}
        return await self.request("POST", path, body=json.dumps(values).encode(), headers=header_fields)

    async def form(self, path: str, **values: Any) -> ApiResponse:
        return await self.request("POST", path, body=urlencode(values).encode())

    async def request(
        self, method: str, path: str, *, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> ApiResponse:
        url = path if urlsplit(path).scheme else self.base_url + path
        header_fields = HTTPHeaders(headers or {})
        if self.cookies:
            header_fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = await self.client.fetch(
            url,
            method=method,
            body=body,
            headers=header_fields,
            raise_error=False,
            follow_redirects=False,
            request_timeout=120,
            network_interface=self.source_address,
        )
        self._store_cookies(response)
        api_response = ApiResponse(response.code, response.headers, response.body or b"")
        check_response(method, urlsplit(url).path, api_response)
        return api_response

    def _store_cookies(self, response: HTTPResponse) -> None:
        for line in response.headers.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                if morsel.value:
                    self.cookies[name] = morsel.value
                else:
                    self.cookies.pop(name, None)

    # --- actions of users -----------------------------------------------------------------------------------------

    async def sign_up(self, username: str = "ada", password: str = PASSWORD) -> ApiClient:
        """Sign up and sign in. Returns this client."""
        added = await self.post("/api/user/add/", username=username, email=f"{username}@example.com", password=password)
        assert added["code"] == 1, added.json
        return await self.sign_in(username, password)

    async def sign_in(self, username: str, password: str = PASSWORD) -> ApiClient:
        profile = await self.post("/api/user/query/", username=username, password=password)
        assert profile["login"] is True, profile.json
        self.username, self.user_id = username, profile["id"]
        return self

    async def upload(
        self, picture: bytes | None = None, filename: str = "photo.png", param: str = ""
    ) -> dict[str, Any]:
        """Get a token and post the form, as the page does. Returns the response of the callback."""
        ticket = await self.post("/api/image/token/", filename=filename)
        assert ticket["code"] == 1, ticket.json
        fields = {"token": ticket["token"], "key": ticket["key"], "x:param": param}
        answer = await self.post_form(ticket["upload_url"], fields, filename, picture or png())
        assert answer.status == 200, answer.body
        return answer.json

    async def post_form(self, url: str, fields: dict[str, str], filename: str, content: bytes) -> ApiResponse:
        body, content_type = multipart(fields, filename, content)
        return await self.request("POST", url, body=body, headers={"Content-Type": content_type})

    async def add_task(
        self, url: str, param: str | dict[str, Any] = "mosaic", *, visibility: str = "public", **more: Any
    ) -> dict[str, Any]:
        """Add a task whose result the gallery shows. Returns its document."""
        values = {"url": url, "type": "model", "param": param, "visibility": visibility, **more}
        added = await self.post("/api/tasks/add/", **values)
        assert added["code"] == 1, added.json
        return dict(added["task"])


def multipart(fields: dict[str, str], filename: str, content: bytes) -> tuple[bytes, str]:
    """A form with one file, as a browser writes it: body and Content-Type."""
    boundary = "----tessera-test-boundary"
    lines = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    quoted = filename.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n'
    lines.append(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n")
    return b"".join(lines) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"

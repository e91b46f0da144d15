"""Examples of requests in curl and Python, which the OpenAPI document has for every endpoint.

They run as they are: `TESSERA` is the address of the server, `TOKEN` a session token.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

Json = dict[str, Any]

ID = 4503599627370496
VALUES: Json = {
    "id": ID,
    "ids": [ID],
    "user_id": ID,
    "width": 640,
    "username": "ada",
    "from_user_name": "ada",
    "to_user_name": "bob",
    "follow_bool": 1,
    "email": "ada@example.com",
    "password": "correct horse battery staple",
    "url": "https://tessera.example/bucket/source/photo.jpg",
    "filename": "photo.jpg",
    "visibility": "private",
    "action": "retry",
}
"""A value for every parameter that some endpoint requires."""
OPTIONAL: Mapping[str, Json] = {
    "/api/user/query": {"password": VALUES["password"]},
    "/api/user/change": {"email": VALUES["email"]},
    "/api/image/token": {"filename": "photo.jpg", "visibility": "private"},
    "/api/image/change": {"title": "Koi"},
    "/api/feed": {"view": "newest", "limit": 20},
    "/api/tasks/add": {"param": {"style": "voronoi"}},
    "/api/tasks/query": {"state": "queued,running"},
    "/tasks/query": {"state": "queued,running"},
    "/api/queue/tasks": {"state": "failed,cancelled", "error": "could_not_fetch"},
    "/api/queue/change": {"error": "could_not_fetch"},
}
"""Optional parameters that an example shows, by path."""
PUBLIC = ("/api/user/add", "/api/user/guest", "/api/feed", "/api/styles", "/health", "/metrics", "/api/openapi.json")
"""Needs no session."""
BINARY = ("image/", "application/zip")


def code_samples(
    path: str, method: str, required: Sequence[str], *, body_types: Sequence[str], answer: str
) -> list[Json]:
    """The examples of one operation. path: with {parameters}. required: names of parameters. answer: its media type."""
    values = {name: VALUES[name] for name in required} | OPTIONAL.get(path, {})
    in_path = {name: values.pop(name) for name in list(values) if f"{{{name}}}" in path}
    target = path.format(**in_path) + ("" if path.endswith(".json") else "/")
    if method == "GET" and values:
        target += f"?{urlencode(values)}"
    request = _Request(target, method, values, tuple(body_types), answer, path not in PUBLIC)
    return [
        {"lang": "Shell", "label": "curl", "source": request.curl()},
        {"lang": "Python", "label": "Python", "source": request.python()},
    ]


class _Request:
    """One request, as text in two languages."""

    def __init__(
        self, target: str, method: str, values: Json, body_types: tuple[str, ...], answer: str, with_token: bool
    ) -> None:
        self._target, self._method, self._values, self._answer = target, method, values, answer
        self._with_token = with_token
        self._sends_file = body_types in (("multipart/form-data",), ("application/octet-stream",))
        self._is_form = body_types == ("multipart/form-data",)
        self._is_binary = answer.startswith(BINARY)

    def curl(self) -> str:
        words = ["curl --silent --show-error"]
        if self._answer == "text/event-stream":
            words[0] += " --no-buffer"
        if self._with_token:
            words.append('--header "Authorization: Bearer $TOKEN"')
        if self._is_form:
            words.append("--form param=mosaic --form file=@photo.jpg")
        elif self._sends_file:
            words.append("--header 'Content-Type: application/octet-stream' --data-binary @photo.jpg")
        elif self._method == "POST" and self._values:
            words.append(f"--json '{json.dumps(self._values)}'")
        elif self._method == "POST":
            words.append("--request POST")
        if self._is_binary:
            words.append("--output answer")
        words.append(f'"$TESSERA{self._target}"')
        return " \\\n  ".join(words)

    def python(self) -> str:
        if self._is_form:
            return self._python_form()
        lines = [*self._imports(), "", *self._body_lines(), *self._request_lines()]
        lines += [f"with urlopen(request{'' if self._answer == 'text/event-stream' else ', timeout=30'}) as response:"]
        if self._answer == "text/event-stream":
            lines += ["    for line in response:", '        print(line.decode(), end="")']
        elif self._is_binary:
            lines += ['    open("answer", "wb").write(response.read())']
        elif self._answer == "application/json":
            lines += ["    print(json.load(response))"]
        else:
            lines += ["    print(response.read().decode())"]
        return "\n".join(lines)

    def _imports(self) -> list[str]:
        uses_json = self._answer == "application/json" or (self._method == "POST" and self._values)
        return [*(["import json"] if uses_json else []), "import os", "from urllib.request import Request, urlopen"]

    def _body_lines(self) -> list[str]:
        if self._sends_file:
            return ['body = open("photo.jpg", "rb").read()']
        if self._method == "POST" and self._values:
            return [f"body = json.dumps({self._values!r}).encode()"]
        return []

    def _request_lines(self) -> list[str]:
        lines = [f'request = Request(os.environ["TESSERA"] + {self._target!r}, method="{self._method}")']
        if self._sends_file or (self._method == "POST" and self._values):
            kind = "application/octet-stream" if self._sends_file else "application/json"
            lines += ["request.data = body", f'request.add_header("Content-Type", "{kind}")']
        if self._with_token:
            lines += ['request.add_header("Authorization", f"Bearer {os.environ[\'TOKEN\']}")']
        return lines

    def _python_form(self) -> str:
        """The standard library cannot write forms with files."""
        return "\n".join(
            [
                "import os",
                "import requests",
                "",
                "response = requests.post(",
                f'    os.environ["TESSERA"] + {self._target!r},',
                '    data={"param": "mosaic"},',
                '    files={"file": open("photo.jpg", "rb")},',
                "    timeout=30,",
                ")",
                'open("answer", "wb").write(response.content)',
            ]
        )

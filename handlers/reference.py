"""The OpenAPI document as a page that people read: no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from handlers.base import ApiHandler

Json = dict[str, Any]

POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"


class ShowReference(ApiHandler):
    """The API's reference for people."""

    methods = ("GET",)
    document: Callable[[], Json]

    async def get(self, **_: str) -> None:
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("Cache-Control", "public, max-age=60")
        self.finish("\n".join(reference_page(self.document())))


def reference_page(document: Json) -> Iterator[str]:
    """The lines of the page. Every text of the document is escaped."""
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    yield '<title>Tessera: the API</title><link rel="stylesheet" href="/static/reference.css"></head><body><main>'
    yield f"<h1>The API</h1><p>{escape(document['info']['description'])}</p>"
    yield '<p>The same for machines: <a href="/api/openapi.json">openapi.json</a>.</p><nav><ul>'
    for path in document["paths"]:
        yield f'<li><a href="#{_anchor(path)}"><code>{escape(path)}</code></a></li>'
    yield "</ul></nav>"
    for path, item in document["paths"].items():
        yield f'<section id="{_anchor(path)}"><h2><code>{escape(path)}</code></h2>'
        for method, operation in item.items():
            yield from _operation(method, operation, document["components"]["schemas"])
        yield "</section>"
    yield from _schemas(document["components"]["schemas"])
    yield "</main></body></html>"


def _operation(method: str, operation: Json, schemas: Json) -> Iterator[str]:
    yield f"<h3>{escape(method.upper())}</h3><p>{escape(operation['summary'])}</p>"
    fields = {said["name"]: (said["schema"], said["required"]) for said in operation["parameters"]}
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = schemas[content["schema"]["$ref"].rpartition("/")[2]]
        required = schema.get("required", [])
        fields = {name: (said, name in required) for name, said in schema["properties"].items()}
    if fields:
        yield "<table><thead><tr><th>parameter</th><th>type</th><th>required</th></tr></thead><tbody>"
        for name, (said, needed) in fields.items():
            yield f"<tr><td><code>{escape(name)}</code></td><td>{_type(said)}</td>"
            yield f"<td>{'yes' if needed else ''}</td></tr>"
        yield "</tbody></table>"
    yield f"<p>Answers {_answers(operation['responses'])}</p>"


def _answers(responses: Json) -> str:
    content = responses["200"].get("content", {})
    said = ", ".join(f"{escape(kind)} {_type(body['schema'])}" for kind, body in content.items())
    others = ", ".join(escape(status) for status in responses if status != "200")
    return f"200: {said}. Otherwise {others}: <a href='#schema-Refusal'>Refusal</a>."


def _schemas(schemas: Json) -> Iterator[str]:
    yield "<h2>Documents</h2>"
    for name, schema in schemas.items():
        if name.endswith("Parameters"):
            continue
        yield f'<section id="schema-{escape(name)}"><h3>{escape(name)}</h3>'
        yield f"<p>{escape(schema.get('description', ''))} {'' if 'properties' in schema else _type(schema)}</p>"
        yield "<table><tbody>"
        for field, said in schema.get("properties", {}).items():
            yield f"<tr><td><code>{escape(field)}</code></td><td>{_type(said)}</td></tr>"
        yield "</tbody></table></section>"


def _type(said: Json) -> str:
    """A schema in a few words."""
    if "$ref" in said:
        name = escape(said["$ref"].rpartition("/")[2])
        return f"<a href='#schema-{name}'>{name}</a>"
    if "anyOf" in said or "oneOf" in said:
        return " or ".join(_type(one) for one in said.get("anyOf") or said["oneOf"])
    if "const" in said:
        return f"<code>{escape(str(said['const']))}</code>"
    if "enum" in said:
        return ", ".join(f"<code>{escape(str(one))}</code>" for one in said["enum"])
    if said.get("type") == "array":
        return f"list of {_type(said.get('items', {}))}"
    if "title" in said and "properties" in said:
        return escape(said["title"])
    limits = [f"{escape(word)} {said[key]}" for key, word in _LIMITS.items() if key in said]
    return " ".join([escape(str(said.get("type", said.get("x-kind", "anything")))), *limits])


_LIMITS = {
    "minimum": "from",
    "maximum": "to",
    "minLength": "at least",
    "maxLength": "at most",
}


def _anchor(path: str) -> str:
    return escape(path.strip("/").replace("/", "-").replace("{", "").replace("}", ""))

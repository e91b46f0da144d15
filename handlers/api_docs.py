"""The OpenAPI document as a page that people read: no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from handlers.base import ApiHandler

Json = dict[str, Any]

POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"


class ApiDocsHandler(ApiHandler):
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
    schemas = document["components"]["schemas"]
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    yield '<title>Tessera: the API</title><link rel="stylesheet" href="/static/reference.css"></head><body>'
    yield from _contents(document["paths"])
    yield f"<main><h1>The API</h1><p>{escape(document['info']['description'])}</p>"
    yield '<p>The same for machines: <a href="/api/openapi.json">openapi.json</a>.</p>'
    for path, item in document["paths"].items():
        yield f'<section id="{_anchor(path)}"><h2><code>{escape(path)}</code></h2>'
        for methods, operation in _alike(item, schemas):
            yield from _operation(methods, operation, schemas)
        yield "</section>"
    yield from _schemas(schemas)
    yield "</main></body></html>"


def _contents(paths: Json) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for path, item in paths.items():
        for tag in next(iter(item.values()))["tags"]:
            groups.setdefault(tag, []).append(path)
    yield "<nav>"
    for tag, members in groups.items():
        links = "".join(f'<li><a href="#{_anchor(path)}"><code>{escape(path)}</code></a></li>' for path in members)
        yield f"<h2>{escape(tag)}</h2><ul>{links}</ul>"
    yield '<h2><a href="#documents">Documents</a></h2></nav>'


def _alike(item: Json, schemas: Json) -> list[tuple[list[str], Json]]:
    """The operations of a path; those that ask the same are one."""
    found: list[tuple[list[str], Json]] = []
    for method, operation in item.items():
        if found and _fields(found[-1][1], schemas) == _fields(operation, schemas):
            found[-1][0].append(method)
        else:
            found.append(([method], operation))
    return found


def _fields(operation: Json, schemas: Json) -> dict[str, tuple[Json, bool]]:
    """Each parameter's schema, and whether it must be there."""
    fields = {said["name"]: (said["schema"], said["required"]) for said in operation["parameters"]}
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = schemas[content["schema"]["$ref"].rpartition("/")[2]]
        required = schema.get("required", [])
        fields |= {name: (said, name in required) for name, said in schema["properties"].items()}
    return fields


def _operation(methods: list[str], operation: Json, schemas: Json) -> Iterator[str]:
    named = " ".join(f"<b>{escape(method.upper())}</b>" for method in methods)
    yield f"<p>{named} {escape(operation['summary'])}</p>"
    rows = [
        f"<tr><th><code>{escape(name)}</code>{' <em>required</em>' if needed else ''}</th><td>{_said(said)}</td></tr>"
        for name, (said, needed) in _fields(operation, schemas).items()
    ]
    if rows:
        yield f"<table><tbody>{''.join(rows)}</tbody></table>"
    yield f"<p>{_answers(operation['responses'])}</p>"


def _answers(responses: Json) -> str:
    content = responses["200"].get("content", {})
    said = ", ".join(_type(body["schema"]) if "json" in kind else escape(kind) for kind, body in content.items())
    others = ", ".join(
        escape(status) for status, answer in responses.items() if answer.get("content") and status != "200"
    )
    refusals = f"; {others}: <a href='#schema-Refusal'>Refusal</a>" if others else ""
    return f"Answers <code>200</code>: {said}{refusals}."


def _schemas(schemas: Json) -> Iterator[str]:
    yield '<h2 id="documents">Documents</h2>'
    for name, schema in schemas.items():
        if name.endswith("Parameters"):
            continue
        yield f'<section id="schema-{escape(name)}"><h3>{escape(name)}</h3>'
        whole = "" if "properties" in schema else _type(schema)
        yield f"<p>{escape(schema.get('description', ''))} {whole}</p>"
        fields = schema.get("properties", {}).items()
        rows = "".join(f"<tr><th><code>{escape(name)}</code></th><td>{_said(said)}</td></tr>" for name, said in fields)
        yield f"<table><tbody>{rows}</tbody></table></section>"


def _said(said: Json) -> str:
    """A field: its type, what it is where nothing is said, and its description."""
    default = said.get("default")
    chosen = "" if default in (None, "", {}) else f"; default <code>{escape(str(default))}</code>"
    described = f"<br>{escape(said['description'])}" if "description" in said else ""
    return f"{_type(said)}{chosen}{described}"


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
    return escape(str(said.get("type", said.get("x-kind", "anything")))) + _limits(said)


def _limits(said: Json) -> str:
    for least, most, unit in (("minimum", "maximum", ""), ("minLength", "maxLength", " characters")):
        if least in said and most in said:
            return f", {escape(str(said[least]))} to {escape(str(said[most]))}{unit}"
        if most in said or least in said:
            word, limit = ("at most", said[most]) if most in said else ("at least", said[least])
            return f", {word} {escape(str(limit))}{unit}"
    return ""


def _anchor(path: str) -> str:
    return escape(path.strip("/").replace("/", "-").replace("{", "").replace("}", ""))

"""Kodo's magic variables: `$(key)` in a callback's body becomes the key of the uploaded file.

An unknown variable becomes empty, without an error, as in Kodo. Source: developer.qiniu.com/kodo/1235.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import quote_plus

from models.bucket import Stat
from models.bucket.embedded.sniff import SniffedImage
from models.bucket.signature import JSON

VARIABLE = re.compile(r'"\$\(([^()]*)\)"|\$\(([^()]*)\)|"\$\{([^{}]*)\}"|\$\{([^{}]*)\}')

Values = Mapping[str, str | int | None]


def template_values(
    stat: Stat, image: SniffedImage, *, bucket: str, end_user: str, filename: str, custom: Mapping[str, str]
) -> Values:
    """The values of the variables after an upload. custom: the client's own, named `x:...`."""
    dot = filename.rfind(".")
    return {
        **custom,
        "bucket": bucket,
        "key": stat.key,
        "etag": stat.etag,
        "fname": filename,
        "fsize": stat.size_bytes,
        "mimeType": stat.mime,
        "endUser": end_user,
        "ext": filename[dot:] if dot > 0 else "",
        "imageInfo.format": image.format,
        "imageInfo.width": image.width,
        "imageInfo.height": image.height,
    }


def render_template(template: str, body_type: str, values: Values) -> str:
    """The callback's body, with values URL-escaped in a form and JSON-encoded in JSON."""
    as_json = body_type == JSON

    def one(match: re.Match[str]) -> str:
        name = next(group for group in match.groups() if group is not None)
        value = values.get(name)
        if as_json:
            quoted = match[0].startswith('"')
            return json.dumps(_text(value) if quoted else value, ensure_ascii=False)
        escaped = quote_plus(_text(value).encode())
        return f'"{escaped}"' if match[0].startswith('"') else escaped

    return VARIABLE.sub(one, template)


def _text(value: str | int | None) -> str:
    return "" if value is None else str(value)

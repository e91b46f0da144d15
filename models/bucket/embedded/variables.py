"""Kodo's magic variables: `$(key)` in a callback's or a return body becomes the key of the uploaded file.

An unknown variable becomes empty, without an error, as in Kodo. Source: developer.qiniu.com/kodo/1235.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Mapping
from urllib.parse import quote_plus

from models.bucket import Stat
from models.bucket.embedded.sniff import SniffedImage
from models.bucket.signature import JSON

VARIABLE = re.compile(r'"\$\(([^()]*)\)"|\$\(([^()]*)\)|"\$\{([^{}]*)\}"|\$\{([^{}]*)\}')

TIME_PARTS = {"year": "%Y", "mon": "%m", "day": "%d", "hour": "%H", "min": "%M", "sec": "%S"}

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
        "fprefix": filename[:dot] if dot > 0 else filename,
        "uuid": str(uuid.uuid4()),
        "imageInfo.format": image.format,
        "imageInfo.width": image.width,
        "imageInfo.height": image.height,
    }


def render_key(template: str, values: Values) -> str:
    """The key that a policy's `saveKey` makes: values as they are, and parts of the time of the upload (UTC).

    Not known before the file is stored: the image's size.
    """
    now = time.gmtime()
    variables = {name: value for name, value in values.items() if not name.startswith("imageInfo")}
    variables |= {name: time.strftime(code, now) for name, code in TIME_PARTS.items()}
    return VARIABLE.sub(lambda match: _text(variables.get(_name(match))), template)


def render_template(template: str, body_type: str, values: Values) -> str:
    """A body with values URL-escaped in a form and JSON-encoded in JSON."""
    as_json = body_type == JSON

    def one(match: re.Match[str]) -> str:
        value = values.get(_name(match))
        if as_json:
            quoted = match[0].startswith('"')
            return json.dumps(_text(value) if quoted else value, ensure_ascii=False)
        escaped = quote_plus(_text(value).encode())
        return f'"{escaped}"' if match[0].startswith('"') else escaped

    return VARIABLE.sub(one, template)


def _name(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)


def _text(value: str | int | None) -> str:
    return "" if value is None else str(value)

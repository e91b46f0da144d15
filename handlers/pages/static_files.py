"""The files of `static/` as browsers fetch them: read once at start, the modules and style sheets joined.

The shell names every file with the hash of its content, `/static/app.css?v=HASH`; such an answer never changes and is
cached for a year. Without the hash, or with that of another version, a browser asks again each time.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from functools import cached_property
from pathlib import Path
from typing import Any

import tornado.web

from handlers.base import RequestIdHandler
from handlers.pages.module_linker import link, link_extension

STATIC = Path(__file__).resolve().parents[2] / "static"
ENTRY = "app.js"
SCRIPT, STYLES = "bundle.js", "bundle.css"
SHEETS = ("app.css", "studio.css", "pages.css")
EXTENSIONS = ("walk-in", "console", "tiles", "plans", "archive")
"""Folders of modules that are joined into a file of their own, fetched when it is needed."""
IMMUTABLE = "public, max-age=31536000, immutable"
VERSION_LENGTH = 16
TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".webp": "image/webp"}
COMPRESSED = ("text/", "image/svg+xml", "application/manifest+json")
REFERENCE = re.compile(r'"/static/([^"?]+)"')


class StaticFile:
    """One file. What it needs to be sent is computed when it is first sent: most modules are only parts of others."""

    def __init__(self, path: str, content: bytes) -> None:
        self._path, self.content = path, content

    @cached_property
    def media_type(self) -> str:
        suffix = Path(self._path).suffix
        return TYPES.get(suffix) or mimetypes.guess_type(self._path)[0] or "application/octet-stream"

    @cached_property
    def version(self) -> str:
        """Of its content."""
        return hashlib.sha256(self.content).hexdigest()[:VERSION_LENGTH]

    @cached_property
    def compressed(self) -> bytes | None:
        """By gzip; None where that saves nothing."""
        return gzip.compress(self.content, mtime=0) if self.media_type.startswith(COMPRESSED) else None


class StaticFiles:
    """Every file by its path below `/static/`, with the two that are joined. Raises LinkError, OSError."""

    def __init__(self, folder: Path = STATIC) -> None:
        contents = {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }
        modules = {path: content.decode() for path, content in contents.items() if path.endswith(".js")}
        extensions = {}
        for name in EXTENSIONS:
            contents[f"{name}.js"] = link_extension(modules, name).encode()
            extensions[name] = f"./{name}.js?v={StaticFile(name, contents[f'{name}.js']).version}"
        contents[SCRIPT] = link(modules, ENTRY, extensions).encode()
        contents[STYLES] = b"".join(contents[sheet] for sheet in SHEETS)
        self._files = {path: StaticFile(path, content) for path, content in contents.items()}

    def get(self, path: str) -> StaticFile | None:
        return self._files.get(path)

    def text(self, path: str) -> str:
        """The content of a file. Raises KeyError."""
        return self._files[path].content.decode()

    def with_versions(self, html: str) -> str:
        """The text with a version in each address of a file. Raises KeyError for one that does not exist."""
        return REFERENCE.sub(lambda match: f'"/static/{match[1]}?v={self._files[match[1]].version}"', html)


class StaticHandler(RequestIdHandler):
    """A file of `static/`."""

    def initialize(self, static_files: StaticFiles) -> None:
        self.static_files = static_files

    def get(self, path: str) -> None:
        file = self.static_files.get(path)
        if file is None:
            raise tornado.web.HTTPError(404)
        current = self.request.query_arguments.get("v") == [file.version.encode()]
        self.set_header("Cache-Control", IMMUTABLE if current else "no-cache")
        self.set_header("Content-Type", file.media_type)
        self.set_header("Etag", f'"{file.version}"')
        if self.check_etag_header():
            self.set_status(304)
        elif file.compressed is not None and "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            self.write(file.compressed)
        else:
            self.write(file.content)

    head = get

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        return value.decode("utf-8", "replace") if name is None else super().decode_argument(value, name)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """A missing file needs no warning: the access log has its line."""
        if not isinstance(value, tornado.web.HTTPError):  # pragma: no cover - a bug of ours
            super().log_exception(typ, value, tb)

    def write_error(self, status_code: int, **_: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(f"{status_code}\n")

"""Both buckets on free ports, each with its server and a receiver of callbacks."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tornado.httpserver
import tornado.testing
import tornado.web
from PIL import Image
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.routing import Rule, URLSpec

from handlers import ROUTES, pattern_of
from handlers.bucket.base import BucketHandler
from handlers.bucket.upload_starts import UploadStarts
from handlers.services import dependencies_of
from handlers.transport.body_pace import BodyPace
from handlers.transport.http_server import Application
from models.bucket import Bucket, UploadTicket
from models.bucket.callback import CallbackBody, parse_callback
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys, load_or_create_keys
from models.bucket.kodo import KodoBucket, KodoEndpoints
from models.bucket.policy import image_policy, upload_token
from models.errors import BadSignature
from tests.support.kodo_serving import serving_on
from tests.support.kodo_state import FakeKodo

LIMIT_BYTES = 12 << 20


@dataclass
class Receiver:
    """Our end of the callback. hosts: the Host headers received. status, body, hold: how it responds."""

    bucket: Bucket | None = None
    callbacks: list[CallbackBody] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    rejected: int = 0
    status: int = 200
    body: bytes = b'{"code": 1, "stored": "verbatim"}'
    hold: Any = None


class Callback(tornado.web.RequestHandler):
    def initialize(self, receiver: Receiver) -> None:
        self.receiver = receiver

    async def post(self) -> None:
        assert self.receiver.bucket is not None
        request = self.request
        try:
            self.receiver.bucket.check_callback("POST", request.uri or "", request.headers, request.body)
        except BadSignature:
            self.receiver.rejected += 1
            self.set_status(401)
            return
        self.receiver.callbacks.append(parse_callback(request.body, request.headers["Content-Type"]))
        self.receiver.hosts.append(request.headers["Host"])
        if self.receiver.hold is not None:
            await self.receiver.hold.wait()
        self.set_status(self.receiver.status)
        self.set_header("Content-Type", "application/json")
        self.finish(self.receiver.body)


@dataclass
class Installation:
    """One bucket and its servers. folder: of the embedded bucket. kodo: the fake.

    finished: the requests that the server has finished.
    """

    bucket: Any
    receiver: Receiver
    base: str
    keys: Keys
    up_url: str
    folder: Path | None = None
    kodo: Any = None
    finished: list[tornado.web.RequestHandler] = field(default_factory=list)

    def sign_upload(self, key: str = "u/1.png", *, size_limit_bytes: int = LIMIT_BYTES) -> UploadTicket:
        ticket: UploadTicket = self.bucket.sign_upload(key, owner_id=7, size_limit_bytes=size_limit_bytes)
        return ticket

    def files(self) -> list[str]:
        """The files in the embedded bucket's folder."""
        assert self.folder is not None
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


class EveryoneReads:
    """Access to a bucket without a database."""

    async def is_open(self, key: str) -> bool:
        return True

    async def may_upload(self, key: str) -> bool:
        return True


def bucket_rules(bucket: EmbeddedBucket) -> list[Rule]:
    """The rules of the embedded bucket alone."""
    services = {"embedded_bucket": bucket, "object_access": EveryoneReads(), "upload_starts": UploadStarts()}
    return [
        URLSpec(pattern_of(path), handler, {name: services[name] for name in dependencies_of(handler)})
        for path, handler in ROUTES
        if issubclass(handler, BucketHandler)
    ]


@contextlib.contextmanager
def open_embedded(
    io_loop: Any, folder: Path, *, body_pace: BodyPace | None = None, **settings: Any
) -> Iterator[Installation]:
    socket, port = tornado.testing.bind_unused_port()
    base = f"http://127.0.0.1:{port}"
    keys = load_or_create_keys(folder / "keys.json")
    options = {
        "public_url": base,
        "callback_url": f"{base}/api/image/upload",
        "size_limit_bytes": LIMIT_BYTES,
        **settings,
    }
    bucket = EmbeddedBucket(folder / "bucket", keys, **options)
    receiver = Receiver(bucket)
    rules = bucket_rules(bucket)
    installation = Installation(bucket, receiver, base, keys, f"{base}/up", folder / "bucket")
    table = [*rules, (r"/api/image/upload", Callback, {"receiver": receiver})]
    with serving(io_loop, table, socket, installation.finished.append, body_pace):
        yield installation


@contextlib.contextmanager
def open_kodo(io_loop: Any, *, private: bool = False, look_up_region: bool = False) -> Iterator[Installation]:
    keys = Keys("kodo-access-key", "kodo-secret-key")
    kodo = FakeKodo(keys.access, keys.secret, "pictures", private=private)
    receiver = Receiver()
    socket, port = tornado.testing.bind_unused_port()
    with serving_on(io_loop, kodo):
        addresses = KodoEndpoints(uc=kodo.base) if look_up_region else KodoEndpoints(kodo.base, kodo.base, kodo.base)
        bucket = KodoBucket(
            keys,
            "pictures",
            domain=f"{kodo.base}/io",
            callback_url=f"http://127.0.0.1:{port}/api/image/upload",
            private=private,
            endpoints=addresses,
        )
        receiver.bucket = bucket
        with serving(io_loop, [(r"/api/image/upload", Callback, {"receiver": receiver})], socket):
            yield Installation(bucket, receiver, f"http://127.0.0.1:{port}", keys, kodo.base, kodo=kodo)


@contextlib.contextmanager
def serving(
    io_loop: Any,
    table: list[Any],
    socket: Any,
    on_finish: Callable[[Any], None] = lambda _: None,
    body_pace: BodyPace | None = None,
) -> Iterator[None]:
    application = Application(table, log_function=on_finish, body_pace=body_pace)
    server = tornado.httpserver.HTTPServer(application, max_buffer_size=1 << 20)

    async def start() -> None:
        server.add_socket(socket)

    io_loop.run_sync(start)
    try:
        yield
    finally:
        server.stop()
        io_loop.run_sync(server.close_all_connections)


def png(width: int = 30, height: int = 20, colour: str = "teal") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG")
    return file.getvalue()


def form(fields: dict[str, str], data: bytes, filename: str = "photo.png", last: bytes = b"--\r\n") -> bytes:
    """A browser's form: fields first, then the file."""
    lines = [
        b'--seam\r\nContent-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + value.encode() + b"\r\n"
        for name, value in fields.items()
    ]
    head = f'--seam\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
    return b"".join(lines) + head.encode() + b"Content-Type: text/html\r\n\r\n" + data + b"\r\n--seam" + last


FORM_TYPE = "multipart/form-data; boundary=seam"


def token_of(installation: Installation, **changes: Any) -> str:
    """A token as `sign_upload` issues it, except for these fields."""
    fields = image_policy(
        "tessera",
        "u/1.png",
        owner_id=7,
        size_limit_bytes=LIMIT_BYTES,
        callback_url=installation.base + "/api/image/upload",
        now=installation.bucket.clock(),
    )
    return upload_token(installation.keys, {**fields, **changes})


async def upload(ticket: UploadTicket, data: bytes, **fields: str) -> HTTPResponse:
    """What a browser does with a ticket."""
    form_fields = {"token": ticket.token, "key": ticket.key, **fields}
    return await post(ticket.upload_url, form(form_fields, data), {"Content-Type": FORM_TYPE})


async def post(
    url: str, body: bytes, headers: dict[str, str], method: str = "POST", *, source_address: str | None = None
) -> HTTPResponse:
    """source_address: of the connection, to be counted as another client."""
    return await AsyncHTTPClient().fetch(
        url,
        method=method,
        body=body,
        headers=headers,
        raise_error=False,
        allow_nonstandard_methods=True,
        network_interface=source_address,
    )


async def get(url: str, method: str = "GET", **headers: str) -> HTTPResponse:
    request_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return await AsyncHTTPClient().fetch(
        url,
        method=method,
        headers=request_headers,
        raise_error=False,
        follow_redirects=False,
        decompress_response=False,
    )


def error_of(response: HTTPResponse) -> tuple[int, str]:
    return response.code, json.loads(response.body)["error"]

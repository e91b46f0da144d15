"""Qiniu Kodo, played for the tests: written from its documents alone, sharing no line with the code that it tests.

One server on one port: uploads at `/`, management at `/stat`, `/delete`, `/list`, the region query at `/v4/query`, and
the bucket's domain at `/io/`. `Kodo.faults` makes it misbehave.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
import time
import urllib.parse
import uuid
import zlib
from dataclasses import dataclass, field
from typing import Any

import tornado.httpserver
import tornado.testing
import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError

FOUR_MIB = 4 << 20


@dataclass
class Faults:
    """slow: an event that every answer waits for. status: answered instead, so many `times`. drop: the connection
    ends without an answer. truncate: half of a download. wrong_signature, callbacks (how many), style: of the
    callback. lag: so many reads still see nothing. redirect: where downloads point to."""

    slow: asyncio.Event | None = None
    status: int = 0
    times: int = 1_000_000
    drop: bool = False
    truncate: bool = False
    wrong_signature: bool = False
    callbacks: int = 1
    style: str = "QBox"
    lag: int = 0
    redirect: str = ""


@dataclass
class Stored:
    """One object."""

    data: bytes
    mime: str
    hash: str
    put_time: int


@dataclass
class Kodo:
    """The state of the peer. calls: every request line that came."""

    access_key: str
    secret_key: str
    bucket: str
    private: bool = False
    objects: dict[str, Stored] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    calls: list[str] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    base: str = ""

    def start(self) -> tornado.httpserver.HTTPServer:
        """Listen on a free port of loopback; `base` says where."""
        uploads = r"/buckets/([^/]+)/objects/([^/]+)/uploads"
        application = tornado.web.Application(
            [
                (r"/", Form, {"kodo": self}),
                (uploads, Start, {"kodo": self}),
                (uploads + r"/(\w+)", Complete, {"kodo": self}),
                (uploads + r"/(\w+)/(\d+)", PutPart, {"kodo": self}),
                (r"/stat/(.+)", Stat, {"kodo": self}),
                (r"/delete/(.+)", Delete, {"kodo": self}),
                (r"/list", List, {"kodo": self}),
                (r"/v4/query", Query, {"kodo": self}),
                (r"/io/(.*)", Read, {"kodo": self}),
            ],
            log_function=lambda handler: self.calls.append(f"{handler.request.method} {handler.request.path}"),
        )
        server = tornado.httpserver.HTTPServer(application, max_buffer_size=64 << 20)
        sockets, port = tornado.testing.bind_unused_port()
        server.add_sockets([sockets])
        self.base = f"http://127.0.0.1:{port}"
        return server

    def hmac(self, data: bytes) -> str:
        return base64.urlsafe_b64encode(hmac.new(self.secret_key.encode(), data, hashlib.sha1).digest()).decode()

    def policy(self, token: str) -> dict[str, Any]:
        """The policy of a token, or an error as Kodo answers it."""
        try:
            access_key, signature, encoded = token.split(":")
            policy = json.loads(base64.urlsafe_b64decode(encoded))
        except ValueError:
            raise Problem(401, "bad token") from None
        if access_key != self.access_key or signature != self.hmac(encoded.encode()):
            raise Problem(401, "bad token")
        if policy["deadline"] < time.time():
            raise Problem(401, "token out of date")
        if policy["scope"].split(":")[0] != self.bucket:
            raise Problem(631, "no such bucket")
        return policy

    def store(self, policy: dict[str, Any], key: str, data: bytes) -> Stored:
        """Check what the policy says and keep the object."""
        scope = policy["scope"].split(":", 1)
        if len(scope) == 2 and scope[1] != key:
            raise Problem(403, "key doesn't match with scope")
        if policy.get("fsizeLimit") and len(data) > policy["fsizeLimit"]:
            raise Problem(413, "exceed FsizeLimit")
        mime = content_type(data)
        if policy.get("mimeLimit") and mime not in policy["mimeLimit"].split(";"):
            raise Problem(403, "limited mimeType: this file type is forbidden to upload")
        stored = Stored(data, mime, qetag(data), int(time.time() * 10**7))
        there = self.objects.get(key)
        if there and (policy.get("insertOnly") or len(scope) == 1) and there.hash != stored.hash:
            raise Problem(614, "file exists")
        self.objects[key] = stored
        return stored

    def visible(self, key: str) -> Stored:
        """Reads may lag behind writes."""
        if self.faults.lag > 0:
            self.faults.lag -= 1
            raise Problem(612, "no such file or directory")
        if key not in self.objects:
            raise Problem(612, "no such file or directory")
        return self.objects[key]


class Problem(Exception):
    """A status and Kodo's error text."""


def qetag(data: bytes) -> str:
    """From the published algorithm: blocks of 4 MiB."""
    sums = [hashlib.sha1(data[at : at + FOUR_MIB]).digest() for at in range(0, max(len(data), 1), FOUR_MIB)]
    raw = b"\x16" + sums[0] if len(sums) == 1 else b"\x96" + hashlib.sha1(b"".join(sums)).digest()
    return base64.urlsafe_b64encode(raw).decode()


def content_type(data: bytes) -> str:
    for magic, mime in ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"GIF8", "image/gif")):
        if data.startswith(magic):
            return mime
    return "image/webp" if data[8:12] == b"WEBP" else "text/plain"


class Base(tornado.web.RequestHandler):
    def initialize(self, kodo: Kodo) -> None:
        self.kodo = kodo

    def set_default_headers(self) -> None:
        self.set_header("X-Reqid", uuid.uuid4().hex)
        self.set_header("Access-Control-Allow-Origin", "*")
        self.set_header("Content-Type", "application/json")

    async def prepare(self) -> None:
        faults = self.kodo.faults
        if faults.slow is not None:
            await faults.slow.wait()
        if faults.drop:
            self.request.connection.stream.close()
            raise tornado.web.Finish
        if faults.status and faults.times > 0:
            faults.times -= 1
            raise Problem(faults.status, "as told")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs["exc_info"][1]
        if isinstance(error, Problem):
            self.set_status(error.args[0], "Kodo says no")
            self.finish({"error": error.args[1]})
        else:
            super().write_error(status_code, **kwargs)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, Problem):
            super().log_exception(typ, value, tb)

    def managed(self) -> None:
        """Only with a signature in the Qiniu style."""
        lines = f"{self.request.method} {self.request.uri}\nHost: {self.request.host}\n"
        kind = self.request.headers.get("Content-Type")
        lines += f"Content-Type: {kind}\n" if kind else ""
        for name, value in sorted(self.request.headers.get_all()):
            lines += f"{name}: {value}\n" if name.startswith("X-Qiniu-") else ""
        signed = (lines + "\n").encode() + self.request.body
        if self.request.headers.get("Authorization") != f"Qiniu {self.kodo.access_key}:{self.kodo.hmac(signed)}":
            raise Problem(401, "bad token")

    async def end_upload(self, policy: dict[str, Any], key: str, stored: Stored, given: dict[str, str]) -> None:
        if "callbackUrl" not in policy:
            self.finish({"hash": stored.hash, "key": key})
            return
        body = self.callback_body(policy, key, stored, given)
        for _ in range(self.kodo.faults.callbacks):
            status, answer = await self.call(policy["callbackUrl"], body)
            self.kodo.answers.append((status, answer))
        if status != 200:
            self.set_status(579, "callback failed")
            answer = json.dumps({"err_code": status, "error": "as answered", "hash": stored.hash, "key": key}).encode()
        self.finish(answer)

    def callback_body(self, policy: dict[str, Any], key: str, stored: Stored, given: dict[str, str]) -> bytes:
        known = {
            "key": key,
            "etag": stored.hash,
            "fsize": str(len(stored.data)),
            "mimeType": stored.mime,
            "endUser": policy.get("endUser", ""),
            **png_size(stored.data),
            **given,
        }
        template = policy["callbackBody"]
        filled = re.sub(r"\$\(([^)]+)\)", lambda m: urllib.parse.quote_plus(known.get(m[1], "")), template)
        return filled.encode()

    async def call(self, url: str, body: bytes) -> tuple[int, bytes]:
        kind = "application/x-www-form-urlencoded"
        parts = urllib.parse.urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        if self.kodo.faults.style == "QBox":
            text = target.encode() + b"\n" + body
        else:
            text = f"POST {target}\nHost: {parts.netloc}\nContent-Type: {kind}\n\n".encode() + body
        if self.kodo.faults.wrong_signature:
            text += b"!"
        headers = {
            "Content-Type": kind,
            "User-Agent": "qiniu go-sdk",
            "Authorization": f"{self.kodo.faults.style} {self.kodo.access_key}:{self.kodo.hmac(text)}",
        }
        try:
            answer = await AsyncHTTPClient().fetch(url, method="POST", headers=headers, body=body, request_timeout=5)
        except HTTPClientError as error:
            return error.code, b""
        return answer.code, answer.body


def png_size(data: bytes) -> dict[str, str]:
    if not data.startswith(b"\x89PNG"):
        return {}
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return {"imageInfo.width": str(width), "imageInfo.height": str(height)}


class Form(Base):
    async def post(self) -> None:
        policy = self.kodo.policy(self.get_body_argument("token", ""))
        (file,) = self.request.files["file"]
        crc = self.get_body_argument("crc32", "")
        if crc and int(crc) != zlib.crc32(file.body):
            raise Problem(406, "crc32 is not correct")
        own = {name: values[-1].decode() for name, values in self.request.body_arguments.items()}
        key = own["key"]
        stored = self.kodo.store(policy, key, file.body)
        given = {name: value for name, value in own.items() if name.startswith("x:")}
        await self.end_upload(policy, key, stored, {"fname": own.get("fname", file.filename), **given})


class Parts(Base):
    def admitted(self, bucket: str, encoded: str) -> tuple[dict[str, Any], str]:
        policy = self.kodo.policy(self.request.headers.get("Authorization", "").removeprefix("UpToken "))
        if bucket != self.kodo.bucket:
            raise Problem(631, "no such bucket")
        return policy, base64.urlsafe_b64decode(encoded).decode()


class Start(Parts):
    def post(self, bucket: str, encoded: str) -> None:
        self.admitted(bucket, encoded)
        upload = uuid.uuid4().hex
        self.kodo.parts[upload] = {}
        self.finish({"uploadId": upload, "expireAt": int(time.time()) + 3600})


class PutPart(Parts):
    def put(self, bucket: str, encoded: str, upload: str, number: str) -> None:
        self.admitted(bucket, encoded)
        if upload not in self.kodo.parts:
            raise Problem(612, "no such uploadId")
        self.kodo.parts[upload][int(number)] = self.request.body
        self.finish({"etag": qetag(self.request.body), "md5": hashlib.md5(self.request.body).hexdigest()})


class Complete(Parts):
    async def post(self, bucket: str, encoded: str, upload: str) -> None:
        policy, key = self.admitted(bucket, encoded)
        asked = json.loads(self.request.body)
        parts = self.kodo.parts.pop(upload, {})
        if any(qetag(parts.get(one["partNumber"], b"")) != one["etag"] for one in asked["parts"]):
            raise Problem(612, "no such part")
        data = b"".join(parts[one["partNumber"]] for one in asked["parts"])
        stored = self.kodo.store(policy, key, data)
        given = {"fname": asked.get("fname") or "", **(asked.get("customVars") or {})}
        await self.end_upload(policy, key, stored, given)


class Managed(Base):
    def key(self, encoded: str) -> str:
        self.managed()
        bucket, key = base64.urlsafe_b64decode(encoded).decode().split(":", 1)
        if bucket != self.kodo.bucket:
            raise Problem(631, "no such bucket")
        return key

    def described(self, stored: Stored) -> dict[str, Any]:
        return {
            "fsize": len(stored.data),
            "hash": stored.hash,
            "mimeType": stored.mime,
            "putTime": stored.put_time,
            "type": 0,
        }


class Stat(Managed):
    def post(self, encoded: str) -> None:
        self.finish(self.described(self.kodo.visible(self.key(encoded))))


class Delete(Managed):
    def post(self, encoded: str) -> None:
        if self.kodo.objects.pop(self.key(encoded), None) is None:
            raise Problem(612, "no such file or directory")


class List(Managed):
    def get(self) -> None:
        self.managed()
        given = {name: values[-1].decode() for name, values in self.request.arguments.items()}
        prefix, marker = given.get("prefix", ""), given.get("marker", "")
        limit = min(int(given["limit"]), 2)
        keys = sorted(key for key in self.kodo.objects if key.startswith(prefix) and key > marker)
        items = [{"key": key, **self.described(self.kodo.objects[key])} for key in keys[:limit]]
        self.finish({"items": items, **({"marker": keys[limit - 1]} if len(keys) > limit else {})})


class Query(Base):
    def get(self) -> None:
        if self.get_argument("ak") != self.kodo.access_key or self.get_argument("bucket") != self.kodo.bucket:
            raise Problem(631, "no such bucket")
        here = {"domains": [self.request.host]}
        names = ("up", "io", "rs", "rsf", "api", "uc")
        self.finish({"hosts": [{"region": "z0", "ttl": 3600, **dict.fromkeys(names, here)}]})


class Read(Base):
    def get(self, key: str) -> None:
        faults = self.kodo.faults
        if self.kodo.private:
            self.check_signature()
        if faults.redirect:
            self.redirect(faults.redirect)
            return
        try:
            stored = self.kodo.visible(key)
        except Problem:
            raise Problem(404, "Document not found") from None
        self.set_header("Content-Type", stored.mime)
        if faults.truncate:
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(stored.data)}\r\n\r\n".encode()
            stream = self.detach()
            stream.write(head + stored.data[: len(stored.data) // 2])
            stream.close()
            return
        self.finish(stored.data)

    def check_signature(self) -> None:
        url, _, token = (self.kodo.base + (self.request.uri or "")).rpartition("&token=")
        late = int(self.get_argument("e", "0")) < time.time()
        if late or token != f"{self.kodo.access_key}:{self.kodo.hmac(url.encode())}":
            raise Problem(401, "bad token")

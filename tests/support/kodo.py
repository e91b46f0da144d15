"""A fake Qiniu Kodo, written from its documents alone, without any code of the product.

One port: uploads at `/`, management at `/stat`, `/delete`, `/list`, the region query at `/v4/query`, the bucket's
domain at `/io/`. `FakeKodo.faults` makes it misbehave.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
import urllib.parse
import uuid
import zlib
from typing import Any

import tornado.testing
import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.httpserver import HTTPServer

from tests.support.kodo_state import FakeKodo, KodoProblem, StoredObject, png_size, qetag


def start(kodo: FakeKodo) -> HTTPServer:
    """Listen on a free loopback port; sets `kodo.base`."""
    uploads = r"/buckets/([^/]+)/objects/([^/]+)/uploads"
    application = tornado.web.Application(
        [
            (r"/", FormHandler, {"kodo": kodo}),
            (uploads, StartUploadHandler, {"kodo": kodo}),
            (uploads + r"/(\w+)", CompleteUploadHandler, {"kodo": kodo}),
            (uploads + r"/(\w+)/(\d+)", UploadPartHandler, {"kodo": kodo}),
            (r"/stat/(.+)", StatHandler, {"kodo": kodo}),
            (r"/delete/(.+)", DeleteHandler, {"kodo": kodo}),
            (r"/copy/([^/]+)/([^/]+)/force/false", CopyHandler, {"kodo": kodo}),
            (r"/list", ListHandler, {"kodo": kodo}),
            (r"/v4/query", RegionsHandler, {"kodo": kodo}),
            (r"/io/(.*)", DownloadHandler, {"kodo": kodo}),
        ],
        log_function=lambda handler: kodo.calls.append(f"{handler.request.method} {handler.request.path}"),
    )
    server = HTTPServer(application, max_buffer_size=64 << 20)
    sockets, port = tornado.testing.bind_unused_port()
    server.add_sockets([sockets])
    kodo.base = f"http://127.0.0.1:{port}"
    return server


class KodoHandler(tornado.web.RequestHandler):
    allowed = ("OPTIONS, HEAD, POST", "X-File-Name, X-File-Type, X-File-Size")
    """Methods and headers that a page of another origin may use."""

    def initialize(self, kodo: FakeKodo) -> None:
        self.kodo = kodo

    def set_default_headers(self) -> None:
        self.set_header("X-Reqid", uuid.uuid4().hex)
        self.set_header("Access-Control-Allow-Origin", "*")
        self.set_header("Access-Control-Expose-Headers", "X-Log, X-Reqid")
        self.set_header("Content-Type", "application/json")

    async def prepare(self) -> None:
        faults = self.kodo.faults
        credentials = {self.request.headers.get("Authorization", ""), self.get_query_argument("token", "")}
        self.kodo.credentials |= credentials - {""}
        self.kodo.request_count += 1
        if faults.no_request_id:
            self.clear_header("X-Reqid")
        if faults.slow is not None:
            await faults.slow.wait()
        if faults.drop:
            self.close_without_response()
        if faults.status and faults.times > 0:
            faults.times -= 1
            raise KodoProblem(faults.status, "injected fault")

    def close_without_response(self) -> None:
        self.request.connection.stream.close()
        raise tornado.web.Finish

    def options(self, *_: str) -> None:
        """A browser's preflight request."""
        methods, headers = self.allowed
        self.set_header("Access-Control-Allow-Methods", methods)
        self.set_header("Access-Control-Allow-Headers", headers)
        self.set_header("Access-Control-Max-Age", "2592000")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs["exc_info"][1]
        if isinstance(error, KodoProblem):
            self.set_status(error.args[0], "rejected")
            self.finish({"error": error.args[1]})
        else:
            super().write_error(status_code, **kwargs)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, KodoProblem):
            super().log_exception(typ, value, tb)

    def check_management_signature(self) -> None:
        """Raise KodoProblem unless the request has a signature in the Qiniu style."""
        lines = f"{self.request.method} {self.request.uri}\nHost: {self.request.host}\n"
        kind = self.request.headers.get("Content-Type")
        lines += f"Content-Type: {kind}\n" if kind else ""
        for name, value in sorted(self.request.headers.get_all()):
            lines += f"{name}: {value}\n" if name.startswith("X-Qiniu-") else ""
        signed = (lines + "\n").encode() + self.request.body
        if self.request.headers.get("Authorization") != f"Qiniu {self.kodo.access_key}:{self.kodo.hmac(signed)}":
            raise KodoProblem(401, "bad token")

    async def end_upload(
        self, policy: dict[str, Any], key: str, stored: StoredObject, variables: dict[str, str]
    ) -> None:
        if "callbackUrl" not in policy:
            self.finish({"hash": stored.hash, "key": key})
            return
        body = self.callback_body(policy, key, stored, variables)
        for _ in range(self.kodo.faults.callbacks):
            status, answer = await self.call(policy["callbackUrl"], body)
            self.kodo.answers.append((status, answer))
        if self.kodo.faults.drop_response:
            self.close_without_response()
        if status != 200:
            self.set_status(579, "callback failed")
            failed = {"err_code": status, "error": f"status {status}", "hash": stored.hash, "key": key}
            answer = json.dumps(failed).encode()
        self.finish(answer)

    def callback_body(self, policy: dict[str, Any], key: str, stored: StoredObject, variables: dict[str, str]) -> bytes:
        values = {
            "key": key,
            "etag": stored.hash,
            "fsize": str(len(stored.data)),
            "mimeType": stored.mime,
            "endUser": policy.get("endUser", ""),
            **png_size(stored.data),
            **variables,
        }
        template = policy["callbackBody"]
        filled = re.sub(r"\$\(([^)]+)\)", lambda m: urllib.parse.quote_plus(values.get(m[1], "")), template)
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
        self.kodo.credentials.add(headers["Authorization"])
        try:
            answer = await AsyncHTTPClient().fetch(url, method="POST", headers=headers, body=body, request_timeout=60)
        except HTTPClientError as error:
            return error.code, b""
        except OSError:
            return 502, b""
        return answer.code, answer.body


class FormHandler(KodoHandler):
    async def post(self) -> None:
        policy = self.kodo.policy(self.get_body_argument("token", ""))
        (file,) = self.request.files["file"]
        crc = self.get_body_argument("crc32", "")
        if crc and int(crc) != zlib.crc32(file.body):
            raise KodoProblem(406, "crc32 is not correct")
        own = {name: values[-1].decode() for name, values in self.request.body_arguments.items()}
        key = own["key"]
        stored = self.kodo.store(policy, key, file.body)
        variables = {name: value for name, value in own.items() if name.startswith("x:")}
        await self.end_upload(policy, key, stored, {"fname": own.get("fname", file.filename), **variables})


class MultipartHandler(KodoHandler):
    allowed = ("OPTIONS, HEAD, GET, POST, PUT, DELETE", "Authorization, Content-Type, Content-MD5, X-File-Name")

    def authorize(self, bucket: str, encoded: str) -> tuple[dict[str, Any], str]:
        policy = self.kodo.policy(self.request.headers.get("Authorization", "").removeprefix("UpToken "))
        if bucket != self.kodo.bucket:
            raise KodoProblem(631, "no such bucket")
        return policy, base64.urlsafe_b64decode(encoded).decode()


class StartUploadHandler(MultipartHandler):
    def post(self, bucket: str, encoded: str) -> None:
        self.authorize(bucket, encoded)
        upload = uuid.uuid4().hex
        self.kodo.parts[upload] = {}
        self.finish({"uploadId": upload, "expireAt": int(time.time()) + 3600})


class UploadPartHandler(MultipartHandler):
    def put(self, bucket: str, encoded: str, upload: str, number: str) -> None:
        self.authorize(bucket, encoded)
        if upload not in self.kodo.parts or self.kodo.faults.forget_upload:
            raise KodoProblem(612, "no such uploadId")
        if int(number) == self.kodo.faults.drop_part:
            self.close_without_response()
        self.kodo.parts[upload][int(number)] = self.request.body
        self.finish({"etag": qetag(self.request.body), "md5": hashlib.md5(self.request.body).hexdigest()})


class CompleteUploadHandler(MultipartHandler):
    async def post(self, bucket: str, encoded: str, upload: str) -> None:
        policy, key = self.authorize(bucket, encoded)
        completion = json.loads(self.request.body)
        parts = self.kodo.parts.pop(upload, {})
        if any(qetag(parts.get(one["partNumber"], b"")) != one["etag"] for one in completion["parts"]):
            raise KodoProblem(612, "no such part")
        data = b"".join(parts[one["partNumber"]] for one in completion["parts"])
        stored = self.kodo.store(policy, key, data)
        variables = {"fname": completion.get("fname") or "", **(completion.get("customVars") or {})}
        await self.end_upload(policy, key, stored, variables)


class ManagementHandler(KodoHandler):
    def key(self, encoded: str) -> str:
        self.check_management_signature()
        bucket, key = base64.urlsafe_b64decode(encoded).decode().split(":", 1)
        if bucket != self.kodo.bucket:
            raise KodoProblem(631, "no such bucket")
        return key


class StatHandler(ManagementHandler):
    def post(self, encoded: str) -> None:
        self.finish(self.kodo.visible(self.key(encoded)).metadata)


class DeleteHandler(ManagementHandler):
    def post(self, encoded: str) -> None:
        if self.kodo.objects.pop(self.key(encoded), None) is None:
            raise KodoProblem(612, "no such file or directory")


class CopyHandler(ManagementHandler):
    def post(self, encoded: str, encoded_target: str) -> None:
        self.kodo.copy(self.key(encoded), self.key(encoded_target))


class ListHandler(ManagementHandler):
    def get(self) -> None:
        self.check_management_signature()
        arguments = {name: values[-1].decode() for name, values in self.request.arguments.items()}
        prefix, marker = arguments.get("prefix", ""), arguments.get("marker", "")
        limit = min(int(arguments["limit"]), 2)
        keys = sorted(key for key in self.kodo.objects if key.startswith(prefix) and key > marker)
        items = [{"key": key, **self.kodo.objects[key].metadata} for key in keys[:limit]]
        self.finish({"items": items, **({"marker": keys[limit - 1]} if len(keys) > limit else {})})


class RegionsHandler(KodoHandler):
    def get(self) -> None:
        if self.get_argument("ak") != self.kodo.access_key or self.get_argument("bucket") != self.kodo.bucket:
            raise KodoProblem(631, "no such bucket")
        here = {"domains": [self.request.host]}
        names = ("up", "io", "rs", "rsf", "api", "uc")
        self.finish({"hosts": [{"region": "z0", "ttl": 3600, **dict.fromkeys(names, here)}]})


class DownloadHandler(KodoHandler):
    def get(self, key: str) -> None:
        faults = self.kodo.faults
        if self.kodo.private:
            self.check_signature()
        if faults.redirect:
            self.redirect(faults.redirect)
            return
        try:
            stored = self.kodo.visible(key)
        except KodoProblem:
            raise KodoProblem(404, "Document not found") from None
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
            raise KodoProblem(401, "bad token")

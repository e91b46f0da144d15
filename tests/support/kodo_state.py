"""The state and the rules of the fake Kodo; `kodo.py` serves it over HTTP."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field, replace
from typing import Any

FOUR_MIB = 4 << 20


@dataclass
class Faults:
    """Faults to inject.

    slow: every response waits for this event. status: the status of the next `times` responses. drop: the connection is
    closed without a response; drop_part: that of the part with this number. forget_upload: an upload in parts is not
    known any more when its parts arrive. truncate: downloads end halfway.
    wrong_signature, callbacks (how many), style: of callbacks. stale_reads: this many reads do not see the object yet.
    redirect: the target of downloads. drop_response: an upload is stored and called back, and its response is lost.
    no_request_id: responses have no X-Reqid, as from a server that is not Kodo.
    """

    slow: asyncio.Event | None = None
    status: int = 0
    times: int = 1_000_000
    drop: bool = False
    drop_part: int = 0
    forget_upload: bool = False
    truncate: bool = False
    wrong_signature: bool = False
    callbacks: int = 1
    style: str = "QBox"
    stale_reads: int = 0
    redirect: str = ""
    drop_response: bool = False
    no_request_id: bool = False


@dataclass
class StoredObject:
    """One object."""

    data: bytes
    mime: str
    hash: str
    put_time: int

    @property
    def metadata(self) -> dict[str, Any]:
        return {
            "fsize": len(self.data),
            "hash": self.hash,
            "mimeType": self.mime,
            "putTime": self.put_time,
            "type": 0,
        }


@dataclass
class FakeKodo:
    """calls: method and path of every request that got a response. request_count: of all requests.

    credentials: every token and signature received.
    """

    access_key: str
    secret_key: str
    bucket: str
    private: bool = False
    objects: dict[str, StoredObject] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    calls: list[str] = field(default_factory=list)
    request_count: int = 0
    credentials: set[str] = field(default_factory=set)
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    base: str = ""

    def settings(self) -> dict[str, Any]:
        """The settings of a server that uses this Kodo: its keys and the region service."""
        return {
            "qiniu_access_key": self.access_key,
            "qiniu_secret_key": self.secret_key,
            "qiniu_bucket": self.bucket,
            "qiniu_domain": f"{self.base}/io",
            "qiniu_private": self.private,
            "qiniu_uc_url": self.base,
        }

    def hmac(self, data: bytes) -> str:
        return base64.urlsafe_b64encode(hmac.new(self.secret_key.encode(), data, hashlib.sha1).digest()).decode()

    def policy(self, token: str) -> dict[str, Any]:
        """The policy of a token. Raises KodoProblem."""
        self.credentials.add(token)
        try:
            access_key, signature, encoded = token.split(":")
            policy = json.loads(base64.urlsafe_b64decode(encoded))
        except ValueError:
            raise KodoProblem(401, "bad token") from None
        if access_key != self.access_key or signature != self.hmac(encoded.encode()):
            raise KodoProblem(401, "bad token")
        if policy["deadline"] < time.time():
            raise KodoProblem(401, "token out of date")
        if policy["scope"].split(":")[0] != self.bucket:
            raise KodoProblem(631, "no such bucket")
        return policy

    def store(self, policy: dict[str, Any], key: str, data: bytes) -> StoredObject:
        """Check the policy and store the object. Raises KodoProblem."""
        scope = policy["scope"].split(":", 1)
        if len(scope) == 2 and scope[1] != key:
            raise KodoProblem(403, "key doesn't match with scope")
        if policy.get("fsizeLimit") and len(data) > policy["fsizeLimit"]:
            raise KodoProblem(413, "exceed FsizeLimit")
        mime = content_type(data)
        if policy.get("mimeLimit") and mime not in policy["mimeLimit"].split(";"):
            raise KodoProblem(403, "limited mimeType: this file type is forbidden to upload")
        stored = StoredObject(data, mime, qetag(data), int(time.time() * 10**7))
        existing = self.objects.get(key)
        if existing and (policy.get("insertOnly") or len(scope) == 1) and existing.hash != stored.hash:
            raise KodoProblem(614, "file exists")
        self.objects[key] = stored
        return stored

    def copy(self, source_key: str, key: str) -> None:
        """Store an object as `key` too. Raises KodoProblem."""
        source = self.visible(source_key)
        if key in self.objects:
            raise KodoProblem(614, "file exists")
        self.objects[key] = replace(source, put_time=int(time.time() * 10**7))

    def visible(self, key: str) -> StoredObject:
        """The object, once reads are no longer stale. Raises KodoProblem."""
        if self.faults.stale_reads > 0:
            self.faults.stale_reads -= 1
            raise KodoProblem(612, "no such file or directory")
        if key not in self.objects:
            raise KodoProblem(612, "no such file or directory")
        return self.objects[key]


class KodoProblem(Exception):
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


def png_size(data: bytes) -> dict[str, str]:
    if not data.startswith(b"\x89PNG"):
        return {}
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return {"imageInfo.width": str(width), "imageInfo.height": str(height)}

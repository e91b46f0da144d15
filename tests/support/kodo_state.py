"""What the Kodo of the tests knows and how it judges; `kodo.py` is its face on HTTP."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any

FOUR_MIB = 4 << 20


@dataclass
class Faults:
    """slow: an event that every answer waits for. status: answered instead, so many `times`. drop: the connection
    ends without an answer. truncate: half of a download. wrong_signature, callbacks (how many), style: of the
    callback. lag: so many reads still see nothing. redirect: where downloads point to. mute: an upload is stored and
    called back, and its answer is lost. nameless: no X-Reqid, as of a server that is no Kodo."""

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
    mute: bool = False
    nameless: bool = False


@dataclass
class Stored:
    """One object."""

    data: bytes
    mime: str
    hash: str
    put_time: int


@dataclass
class Kodo:
    """The state of the peer. calls: every request line that was answered. came: how many came.
    credentials: every word that proved somebody."""

    access_key: str
    secret_key: str
    bucket: str
    private: bool = False
    objects: dict[str, Stored] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    calls: list[str] = field(default_factory=list)
    came: int = 0
    credentials: set[str] = field(default_factory=set)
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    base: str = ""

    def settings(self) -> dict[str, Any]:
        """What a server is told of this Kodo: the keys, and where the region service is."""
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
        """The policy of a token, or an error as Kodo answers it."""
        self.credentials.add(token)
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


def png_size(data: bytes) -> dict[str, str]:
    if not data.startswith(b"\x89PNG"):
        return {}
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return {"imageInfo.width": str(width), "imageInfo.height": str(height)}

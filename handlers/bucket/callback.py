"""The end of every upload: store the file, call our server back over HTTP, relay its response to the client."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import responses
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from handlers.bucket.base import BucketHandler
from models.bucket import Stat
from models.bucket.embedded import errors as kodo_errors
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.embedded.custom_metadata import custom_metadata
from models.bucket.embedded.sniff import SniffedImage
from models.bucket.embedded.staged import StagedFile
from models.bucket.embedded.variables import Values, render_key, render_template, template_values
from models.bucket.policy import UploadPolicy, check_deadline
from models.bucket.signature import FORM, JSON, qbox, qiniu

RESPONSE_LIMIT_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A complete file. fields: of the client, with its `x:` variables and `x-qn-meta-*`.

    etag: of a resumable upload, else None.
    """

    staged: StagedFile
    key: str | None
    filename: str
    fields: Mapping[str, str]
    etag: str | None = None

    @property
    def variables(self) -> dict[str, str]:
        return {name: value for name, value in self.fields.items() if name.startswith("x:")}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A received file as an object of the bucket."""

    stat: Stat
    values: Values


@dataclass(frozen=True, slots=True)
class CallbackResponse:
    """The response of our server. status: 0 without a response."""

    status: int
    body: bytes
    error: str = ""

    @property
    def ok(self) -> bool:
        return self.status == 200 and _is_json(self.body)


async def store_upload(handler: BucketHandler, policy: UploadPolicy, received: ReceivedFile) -> StoredFile:
    """Store the file if the policy allows it, and its token has not ended. Raises KodoError, DatabaseUnavailable."""
    bucket, staged = handler.bucket, received.staged
    policy.check_size(staged.size_bytes)
    image = await asyncio.to_thread(staged.sniff)
    policy.check_mime(image.mime)
    etag = received.etag or staged.etag()
    key = _choose_key(policy, received, Stat("", staged.size_bytes, etag, image.mime, bucket.clock()), image)
    policy.check_key(key)
    check_deadline(policy, bucket.clock())
    if not await handler.access.may_upload(key):
        raise kodo_errors.BadToken("the image of this token is deleted")
    custom = custom_metadata(received.fields)
    stat = await asyncio.to_thread(staged.commit, key, overwrite=policy.overwrites, etag=received.etag, custom=custom)
    return StoredFile(stat, _values(policy, received, stat, image))


def _choose_key(policy: UploadPolicy, received: ReceivedFile, stat: Stat, image: SniffedImage) -> str:
    """The client's key, or else what the policy names, or else the hash. stat: without a key yet."""
    if received.key is not None and not (policy.forceSaveKey and policy.saveKey):
        return received.key
    return render_key(policy.saveKey, _values(policy, received, stat, image)) if policy.saveKey else stat.etag


def _values(policy: UploadPolicy, received: ReceivedFile, stat: Stat, image: SniffedImage) -> Values:
    return template_values(
        stat,
        image,
        bucket=policy.bucket,
        end_user=policy.endUser,
        filename=received.filename,
        custom=received.variables,
    )


async def answer_upload(handler: BucketHandler, policy: UploadPolicy, stored: StoredFile) -> None:
    """Answer as Kodo does: with the callback's response, or with 579; the file then stays stored.

    Without a callback, with the policy's `returnBody`, or with hash, key and the client's variables.
    """
    stat = stored.stat
    if not policy.callbackUrl:
        handler.finish(_own_response(policy, stored))
        return
    body = render_template(policy.callbackBody, policy.callbackBodyType, stored.values)
    response = await call_back(handler.bucket, policy, body.encode())
    if response.ok:
        handler.finish(response.body)
    else:
        _finish_579(handler, policy, body, response, stat)


def _own_response(policy: UploadPolicy, stored: StoredFile) -> str | dict[str, Any]:
    if policy.returnBody:
        return render_template(policy.returnBody, JSON, stored.values)
    variables = {name: value for name, value in stored.values.items() if name.startswith("x:")}
    return {"hash": stored.stat.etag, "key": stored.stat.key, **variables}


async def call_back(bucket: EmbeddedBucket, policy: UploadPolicy, body: bytes) -> CallbackResponse:
    """POST to the addresses of the policy in turn until one succeeds, within `callback_timeout_s` in all."""
    client = AsyncHTTPClient(force_instance=True)
    deadline = time.monotonic() + bucket.callback_timeout_s
    response = CallbackResponse(0, b"", "no callback address")
    try:
        for url in policy.callbackUrl.split(";"):
            timeout_s = deadline - time.monotonic()
            if timeout_s <= 0:  # pragma: no cover - the first addresses took all of the time
                break
            response = await _post(client, _request(bucket, policy, url, body), timeout_s)
            if response.ok:
                break
    finally:
        client.close()
    return response


async def _post(client: AsyncHTTPClient, request: HTTPRequest, timeout_s: float) -> CallbackResponse:
    request.connect_timeout = request.request_timeout = timeout_s
    try:
        response = await client.fetch(request, raise_error=False)
    except (HTTPClientError, OSError, ValueError) as error:
        return CallbackResponse(0, b"", f"Post {request.url}: {error}")
    if response.code != 200:
        return CallbackResponse(response.code, response.body, responses.get(response.code, "not OK"))
    return CallbackResponse(
        200, response.body, "" if _is_json(response.body) else "the callback's response is not JSON"
    )


def _request(bucket: EmbeddedBucket, policy: UploadPolicy, url: str, body: bytes) -> HTTPRequest:
    """A form is signed in the QBox style, as Kodo documents it; that style does not sign JSON."""
    address = urlsplit(url)
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    headers = {
        "Host": policy.callbackHost or address.netloc,
        "Content-Type": policy.callbackBodyType,
        "User-Agent": "tessera-bucket",
    }
    form = policy.callbackBodyType == FORM
    headers["Authorization"] = (
        qbox(bucket.keys, target, body) if form else qiniu(bucket.keys, "POST", target, headers, body)
    )
    return HTTPRequest(
        url,
        method="POST",
        headers=headers,
        body=body,
        follow_redirects=False,
        decompress_response=False,
    )


def _finish_579(
    handler: BucketHandler, policy: UploadPolicy, body: str, response: CallbackResponse, stat: Stat
) -> None:
    handler.set_kodo_status(579)
    handler.finish(
        {
            "callback_url": policy.callbackUrl,
            "callback_bodyType": policy.callbackBodyType,
            "callback_body": body,
            "token": "",
            "err_code": response.status or 502,
            "error": response.error,
            "hash": stat.etag,
            "key": stat.key,
        }
    )


def _is_json(body: bytes) -> bool:
    if len(body) > RESPONSE_LIMIT_BYTES:
        return False
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True

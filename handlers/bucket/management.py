"""The embedded bucket's management calls, as the Qiniu SDKs make them: one operation, or a batch of them.

Requests are signed in the QBox or the Qiniu style. A date that is signed with them makes a recorded request expire.
"""

from __future__ import annotations

import asyncio
import datetime
import json
from typing import Any

import tornado.web

from handlers.bucket.base import BucketHandler, status_of
from handlers.bucket.operations import run_operation
from models.bucket.embedded import errors as kodo_errors
from models.bucket.signature import check_management

MAX_SKEW_S = 15 * 60
BATCH_LIMIT = 1000


class ManagementHandler(BucketHandler):
    """Base of the calls that need a signature with the secret key."""

    def prepare(self) -> None:
        if self.request.method == "OPTIONS":
            return
        date = check_management(
            self.bucket.keys,
            self.request.method or "",
            self.request.uri or "",
            self.request.headers,
            self.request.body,
        )
        if date is not None and _skew_s(date) > MAX_SKEW_S:
            raise kodo_errors.Forbidden("request time too skewed")


class OperationHandler(ManagementHandler):
    """POST of one operation; GET too for `stat`."""

    async def get(self, path: str) -> None:
        if not path.startswith("stat/"):
            raise tornado.web.HTTPError(405)
        await self.post(path)

    async def post(self, path: str) -> None:
        document = await asyncio.to_thread(run_operation, self.bucket, path)
        if document is None:
            self.clear_header("Content-Type")
            self.finish()
        else:
            self.finish(document)


class BatchHandler(ManagementHandler):
    """POST /batch with `op` for each operation, such as `op=/stat/<entry>`. 298 when some of them failed."""

    async def post(self) -> None:
        operations = [operation.decode("ascii", "replace") for operation in self.request.body_arguments.get("op", [])]
        if not 1 <= len(operations) <= BATCH_LIMIT:
            raise kodo_errors.MalformedUpload(f"a batch has 1 to {BATCH_LIMIT} operations, each as op")
        results = [await asyncio.to_thread(self._run, operation) for operation in operations]
        self.set_kodo_status(200 if all(result["code"] == 200 for result in results) else 298)
        self.finish(json.dumps(results))

    def _run(self, operation: str) -> dict[str, Any]:
        try:
            document = run_operation(self.bucket, operation)
        except Exception as error:
            code = status_of(error)
            if code is None:  # pragma: no cover - a bug of ours
                raise
            return {"code": code, "data": {"error": str(error)}}
        return {"code": 200, "data": document} if document else {"code": 200}


def _skew_s(date: str) -> float:
    try:
        signed_at = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
    except ValueError:
        return float("inf")
    return abs((datetime.datetime.now(datetime.UTC) - signed_at).total_seconds())

"""What a management call does to one object. A path names it, in a request as in a batch:

stat/<entry>                              an entry is bucket:key in base64
delete/<entry>
copy/<entry>/<entry>[/force/true]         move alike
chgm/<entry>/mime/<type in base64>
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models import errors
from models.bucket import Stat
from models.bucket.embedded import errors as kodo_errors
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.embedded.custom_metadata import PREFIX
from models.bucket.signature import decode

OPERATIONS = "stat, delete, copy, move and chgm"
MIME_LIMIT = 200


def run_operation(bucket: EmbeddedBucket, path: str) -> dict[str, Any] | None:
    """(blocks) Carry out one operation. Returns a document for `stat`. Raises KodoError, NotFound, StorageFull."""
    match path.strip("/").split("/"):
        case ["stat", entry]:
            return stat_document(bucket.stat(_key(bucket, entry)))
        case ["delete", entry]:
            if not bucket.objects.delete(_key(bucket, entry)):
                raise kodo_errors.NoSuchKey("no such file or directory")
        case ["copy" | "move" as name, source, target, *options]:
            _copy(bucket, _key(bucket, source), _key(bucket, target), force=_force(options), moves=name == "move")
        case ["chgm", entry, "mime", mime]:
            key = _key(bucket, entry)
            bucket.objects.copy(key, key, overwrite=True, mime=_text(mime)[:MIME_LIMIT])
        case [name, *_]:
            raise kodo_errors.MalformedUpload(f"{name!a} in this form is not supported: {OPERATIONS} are")
    return None


def stat_document(stat: Stat) -> dict[str, Any]:
    """An object in Kodo's field names; putTime in units of 100 ns."""
    document: dict[str, Any] = {
        "fsize": stat.size_bytes,
        "hash": stat.etag,
        "mimeType": stat.mime,
        "putTime": int(stat.put_time_s * 10_000_000),
        "type": 0,
    }
    return {**document, PREFIX.rstrip("-"): dict(stat.custom)} if stat.custom else document


def _copy(bucket: EmbeddedBucket, source: str, target: str, *, force: bool, moves: bool) -> None:
    try:
        bucket.objects.copy(source, target, overwrite=force)
    except errors.BadParameter as error:
        raise kodo_errors.MalformedUpload("the new key is empty or too long") from error
    if moves and source != target:
        bucket.objects.delete(source)


def _force(options: Sequence[str]) -> bool:
    match options:
        case [] | ["force", "false"]:
            return False
        case ["force", "true"]:
            return True
    raise kodo_errors.MalformedUpload("force must be true or false")


def _key(bucket: EmbeddedBucket, entry: str) -> str:
    """The key of an encoded `bucket:key`. Raises MalformedUpload, NoSuchBucket."""
    name, _, key = _text(entry).partition(":")
    if name != bucket.name:
        raise kodo_errors.NoSuchBucket("no such bucket")
    return key


def _text(encoded: str) -> str:
    try:
        return decode(encoded).decode()
    except ValueError as error:
        raise kodo_errors.MalformedUpload("the path is not base64 of UTF-8") from error

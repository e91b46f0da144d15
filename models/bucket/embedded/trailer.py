"""An object's metadata, behind its content in the same file: JSON, its length (4 bytes), a mark (8 bytes)."""

from __future__ import annotations

import json
import os
from dataclasses import replace

from models.bucket import Stat

MARK = b"TESSERA1"
TAIL_BYTES = 4 + len(MARK)
JSON_LIMIT_BYTES = 8192


class CorruptObject(Exception):
    """The file was not completely written, or not by us."""


def trailer_of(stat: Stat) -> bytes:
    text = json.dumps(
        {
            "key": stat.key,
            "size": stat.size_bytes,
            "etag": stat.etag,
            "mime": stat.mime,
            "put_time": stat.put_time_s,
            **({"custom": dict(stat.custom)} if stat.custom else {}),
        }
    ).encode()
    return text + len(text).to_bytes(4) + MARK


def read_trailer(descriptor: int) -> Stat:
    """(blocks) Raises Damaged."""
    whole = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, TAIL_BYTES, max(0, whole - TAIL_BYTES))
    length = int.from_bytes(tail[:4])
    if tail[4:] != MARK or length > min(JSON_LIMIT_BYTES, whole):
        raise CorruptObject("no mark at the end")
    start = whole - TAIL_BYTES - length
    try:
        fields = json.loads(os.pread(descriptor, length, start))
        stat = Stat(fields["key"], fields["size"], fields["etag"], fields["mime"], fields["put_time"])
        stat = replace(stat, custom=fields.get("custom", {}))
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptObject("invalid metadata") from error
    if stat.size_bytes != start:
        raise CorruptObject(f"{start} bytes instead of {stat.size_bytes}")
    return stat

"""Multipart uploads (Kodo's resumable upload v2; v1 is `blocks.py`): parts in a folder until they are assembled.

    <id>/upload.json                  key, owner and expiry
    <id>/<number>-<sha1>-<size>       one complete part; its name has the checksum of its content

Parts are not synced: after a power failure the checksum reveals a damaged part, and the client sends it again.
Limits: parts per upload, uploads per user and per address, uploads in total (then one of the address that has the most
is aborted), and a day to finish; minutes while nothing arrives. What is aborted first is an upload without parts, then
the one that has been idle longest, and last one of which a part is arriving.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from models.bucket.embedded import errors as kodo_errors
from models.bucket.embedded.disk import translate_os_errors
from models.bucket.embedded.multipart_upload import LIFE_S, MultipartUpload, Part, UploadActivity, has_content, part_of
from models.bucket.embedded.objects import Objects
from models.bucket.embedded.staged import StagedFile, StagedPart
from models.bucket.etag import of_blocks
from models.bucket.signature import decode

PART_LIMIT = 1000
UPLOADS_PER_USER = 8
UPLOADS_TOTAL = 1000
UPLOADS_PER_ADDRESS = 64
NO_OWNER = ("", "0")
COPY_BYTES = 1024 * 1024


class MultipartUploads:
    """(blocks) Everything here does file I/O: call it in an executor thread."""

    def __init__(
        self, folder: Path, objects: Objects, *, total: int = UPLOADS_TOTAL, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._total = total
        self._objects = objects
        self._receiving: Counter[str] = Counter()
        self._starting = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self.sweep()

    def __getstate__(self) -> dict[str, Any]:
        """Without the lock: the bucket travels with jobs to the workers of a cluster."""
        return {name: value for name, value in vars(self).items() if name != "_starting"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _starting=threading.Lock())

    def start(self, key: str, owner: str, address: str = "") -> MultipartUpload:
        """Raises TooManyUploads, StorageFull."""
        with self._starting:
            return self._start(secrets.token_hex(16), key, owner, address)

    def find_or_start(self, upload_id: str, key: str, owner: str, address: str) -> MultipartUpload:
        """The upload of this id, for a client that does not start its uploads. Raises TooManyUploads, StorageFull."""
        with self._starting:
            try:
                return self.find(upload_id, key)
            except kodo_errors.NoSuchKey:
                return self._start(upload_id, key, owner, address)

    def _start(self, upload_id: str, key: str, owner: str, address: str) -> MultipartUpload:
        active = [each.upload for each in sorted(self._sweep(), key=lambda each: each.need)]
        own = [upload for upload in active if upload.owner == owner and owner not in NO_OWNER]
        same_address = [upload for upload in active if upload.address == address and address]
        excess = own[: max(0, len(own) - UPLOADS_PER_USER + 1)]
        excess += same_address[: max(0, len(same_address) - UPLOADS_PER_ADDRESS + 1)]
        if len(active) >= self._total and not excess:
            excess = [_least_needed(active, address)]
        for upload in excess:
            self.abort(upload)
        upload = MultipartUpload(upload_id, key, owner, int(self._clock()) + LIFE_S, address)
        with translate_os_errors():
            self._create(upload)
        return upload

    def find(self, upload_id: str, key: str) -> MultipartUpload:
        """Raises NoSuchKey. upload_id: 32 hexadecimal digits, checked by the routes' patterns."""
        try:
            upload = MultipartUpload(**json.loads((self._folder / upload_id / "upload.json").read_bytes()))
        except (FileNotFoundError, ValueError, TypeError) as error:
            raise kodo_errors.NoSuchKey("no such uploadId") from error
        if upload.key != key or upload.expires < self._clock():
            raise kodo_errors.NoSuchKey("no such uploadId")
        return upload

    def begin_part(self, upload: MultipartUpload) -> None:
        """A part arrives: the upload is not idle until `end_part`, which must follow.

        Neither blocks; both are called in the event loop's thread.
        """
        self._receiving[upload.id] += 1

    def end_part(self, upload: MultipartUpload) -> None:
        """The part is stored, or will not be."""
        self._receiving -= Counter({upload.id: 1})  # drops an upload at zero

    def touch(self, upload: MultipartUpload) -> None:
        """The upload is active now."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self._folder / upload.id)

    def add(self, upload: MultipartUpload, number: int, content: StagedPart, *, limit_bytes: int) -> Part:
        """Store a part, replacing an earlier one. Raises FileTooLarge, MalformedUpload, NoSuchKey."""
        if not 1 <= number <= PART_LIMIT:
            raise kodo_errors.MalformedUpload(f"partNumber must be 1 to {PART_LIMIT}")
        return self.store(upload, number, content, limit_bytes=limit_bytes)

    def store(self, upload: MultipartUpload, number: int, content: StagedPart, *, limit_bytes: int) -> Part:
        """The same for any number. Raises FileTooLarge, NoSuchKey, and MalformedUpload for too many parts."""
        others = [part for part in self.list_parts(upload) if part.number != number]
        if sum(part.size_bytes for part in others) + content.size_bytes > limit_bytes:
            raise kodo_errors.FileTooLarge("exceed FsizeLimit")
        if len(others) >= PART_LIMIT:
            raise kodo_errors.MalformedUpload(f"an upload has at most {PART_LIMIT} parts")
        part = Part(number, content.sha1(), content.size_bytes)
        try:
            content.move_to(self._folder / upload.id / part.name)
        except FileNotFoundError as error:
            raise kodo_errors.NoSuchKey("no such uploadId") from error
        self._drop_others(upload, part)
        return part

    def list_parts(self, upload: MultipartUpload) -> list[Part]:
        """The stored parts, by number."""
        with contextlib.suppress(FileNotFoundError):
            names = [entry.name for entry in (self._folder / upload.id).iterdir() if "-" in entry.name]
            return sorted((part_of(name) for name in names), key=lambda part: part.number)
        return []

    def size_of(self, upload: MultipartUpload) -> int:
        """Of all stored parts, in bytes."""
        return sum(part.size_bytes for part in self.list_parts(upload))

    def assemble(self, upload: MultipartUpload, wanted: list[tuple[int, str]]) -> StagedFile:
        """Concatenate the parts (number, etag) in this order. The caller commits or discards the returned file.

        Raises NoSuchKey for a part that is missing or damaged, MalformedUpload, StorageFull.
        """
        numbers = [number for number, _ in wanted]
        if not wanted or numbers != sorted(set(numbers)):
            raise kodo_errors.MalformedUpload("parts must be named once each, in ascending order")
        available = {(part.number, part.etag): part for part in self.list_parts(upload)}
        whole = self._objects.stage()
        try:
            for one in wanted:
                self.append(upload, available.get(one), whole)
        except BaseException:
            whole.discard()
            raise
        return whole

    def drop(self, upload: MultipartUpload, parts: Iterable[Part]) -> None:
        """Delete these parts, and the upload with its last one."""
        for part in parts:
            (self._folder / upload.id / part.name).unlink(missing_ok=True)
        if not self.list_parts(upload):
            self.abort(upload)

    def abort(self, upload: MultipartUpload) -> None:
        shutil.rmtree(self._folder / upload.id, ignore_errors=True)

    def sweep(self) -> None:
        """Delete uploads that have expired, or are idle for too long."""
        self._sweep()

    def _sweep(self) -> list[UploadActivity]:
        """Returns the uploads that are left."""
        now, left = self._clock(), []
        for upload in self._all():
            activity = self._activity_of(upload)
            if activity.ends < now:
                self.abort(upload)
            else:
                left.append(activity)
        return left

    def _activity_of(self, upload: MultipartUpload) -> UploadActivity:
        folder = self._folder / upload.id
        try:
            active_at, is_empty = folder.stat().st_mtime, not has_content(folder)
        except FileNotFoundError:  # pragma: no cover - aborted meanwhile
            active_at, is_empty = 0.0, True
        return UploadActivity(upload, upload.id in self._receiving, is_empty, active_at)

    def _create(self, upload: MultipartUpload) -> None:
        """Under a name that no route matches, until it is complete."""
        draft = self._folder / f"{upload.id}.new"
        draft.mkdir(mode=0o700)
        (draft / "upload.json").write_text(json.dumps(asdict(upload)))
        draft.rename(self._folder / upload.id)

    def _all(self) -> Iterator[MultipartUpload]:
        """Every upload in progress; one that a crash left incomplete counts as expired."""
        for folder in self._folder.iterdir():
            try:
                yield MultipartUpload(**json.loads((folder / "upload.json").read_bytes()))
            except (FileNotFoundError, ValueError, TypeError):
                yield MultipartUpload(folder.name, "", "", 0)

    def append(self, upload: MultipartUpload, part: Part | None, whole: StagedFile) -> None:
        """Write a part to the end of a file. Raises NoSuchKey if it is missing or damaged, StorageFull."""
        if part is None:
            raise kodo_errors.NoSuchKey("no such part")
        digest = hashlib.sha1(usedforsecurity=False)
        try:
            with (self._folder / upload.id / part.name).open("rb") as file:
                while data := file.read(COPY_BYTES):
                    digest.update(data)
                    whole.write(data)
        except FileNotFoundError as error:
            raise kodo_errors.NoSuchKey("no such part") from error
        if digest.digest() != part.sha1:
            raise kodo_errors.NoSuchKey("no such part")

    def _drop_others(self, upload: MultipartUpload, part: Part) -> None:
        for other in self.list_parts(upload):
            if other.number == part.number and other != part:
                (self._folder / upload.id / other.name).unlink(missing_ok=True)


def _least_needed(active: list[MultipartUpload], address: str) -> MultipartUpload:
    """The first upload of the address that has the most. Raises TooManyUploads if that is the address that asks.

    active: those without a part first, then by age.
    """
    counts = Counter(upload.address for upload in active)
    busiest = max(counts, key=counts.__getitem__)
    if counts[busiest] <= counts[address]:
        raise kodo_errors.TooManyUploads("too many uploads in progress")
    return next(upload for upload in active if upload.address == busiest)


def etag_of_parts(wanted: list[tuple[int, str]]) -> str:
    """The etag of the assembled file, from the etags of its parts."""
    return of_blocks([decode(etag)[1:] for _, etag in wanted])

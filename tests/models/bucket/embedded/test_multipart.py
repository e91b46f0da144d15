"""Multipart uploads: bounded, swept, and assembled only from intact parts."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from models.bucket.embedded import errors as kodo_errors
from models.bucket.embedded.multipart import (
    UPLOADS_PER_ADDRESS,
    UPLOADS_PER_USER,
    MultipartUploads,
    etag_of_parts,
)
from models.bucket.embedded.multipart_upload import EMPTY_LIFE_S, IDLE_LIFE_S, LIFE_S, MultipartUpload, Part
from models.bucket.embedded.objects import Objects


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects(tmp_path)


@pytest.fixture
def parts(tmp_path: Path, objects: Objects) -> MultipartUploads:
    return MultipartUploads(tmp_path / "uploads", objects)


def files(tmp_path: Path) -> list[str]:
    return sorted(path.parent.name for path in tmp_path.rglob("*") if path.is_file())


def add_part(
    parts: MultipartUploads, objects: Objects, upload: MultipartUpload, number: int, data: bytes, limit: int = 1 << 20
) -> Part:
    with objects.stage_part() as content:
        content.write(data)
        return parts.add(upload, number, content, limit_bytes=limit)


def test_parts_sent_in_any_order_are_assembled(parts: MultipartUploads, objects: Objects) -> None:
    upload = parts.start("k", "7")
    second = add_part(parts, objects, upload, 2, b"world")
    add_part(parts, objects, upload, 1, b"old")
    first = add_part(parts, objects, upload, 1, b"hello ")
    wanted = [(1, first.etag), (2, second.etag)]

    with parts.assemble(parts.find(upload.id, "k"), wanted) as file:
        stat = file.commit("k", overwrite=False, etag=etag_of_parts(wanted))

    with objects.open("k") as opened:
        assert opened.read(0, 100) == b"hello world"
    assert [(one.number, one.size_bytes) for one in parts.list_parts(upload)] == [(1, 6), (2, 5)]
    assert stat.etag.startswith("l")


@pytest.mark.parametrize(
    "wanted",
    [
        [(2, "b"), (1, "a")],
        [(1, "a"), (1, "a")],
        [],
        [(1, "b"), (2, "a")],
        [(1, "a"), (2, "b"), (3, "a")],
        [(1, "../x"), (2, "b")],
    ],
)
def test_parts_that_are_missing_or_out_of_order_are_rejected(
    parts: MultipartUploads, objects: Objects, tmp_path: Path, wanted: list[tuple[int, str]]
) -> None:
    upload = parts.start("k", "7")
    etags = {"a": add_part(parts, objects, upload, 1, b"a").etag, "b": add_part(parts, objects, upload, 2, b"b").etag}

    with pytest.raises((kodo_errors.NoSuchKey, kodo_errors.MalformedUpload)):
        parts.assemble(upload, [(number, etags.get(name, name)) for number, name in wanted])

    assert files(tmp_path).count("incoming") == 0


def test_a_part_truncated_by_a_power_failure_must_be_sent_again(
    parts: MultipartUploads, objects: Objects, tmp_path: Path
) -> None:
    upload = parts.start("k", "7")
    etag = add_part(parts, objects, upload, 1, b"content").etag
    (path,) = (tmp_path / "uploads").rglob("1-*")
    path.write_bytes(b"cont")

    with pytest.raises(kodo_errors.NoSuchKey):
        parts.assemble(upload, [(1, etag)])


def test_the_limit_applies_to_all_parts_and_a_replaced_part_counts_once(
    parts: MultipartUploads, objects: Objects
) -> None:
    upload = parts.start("k", "7")
    add_part(parts, objects, upload, 1, b"x" * 60, limit=100)
    add_part(parts, objects, upload, 1, b"y" * 60, limit=100)

    with pytest.raises(kodo_errors.FileTooLarge):
        add_part(parts, objects, upload, 2, b"z" * 41, limit=100)
    with pytest.raises(kodo_errors.MalformedUpload):
        add_part(parts, objects, upload, 1001, b"z", limit=100)
    assert sum(one.size_bytes for one in parts.list_parts(upload)) == 60


def test_the_parts_of_an_upload_are_bounded_whatever_their_numbers(
    parts: MultipartUploads, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blocks of Kodo's first resumable upload are numbered by their content."""
    monkeypatch.setattr("models.bucket.embedded.multipart.PART_LIMIT", 2)
    upload = parts.start("k", "7")

    def store(number: int) -> None:
        with objects.stage_part() as content:
            content.write(b"x")
            parts.store(upload, number, content, limit_bytes=100)

    for number in (10**14, 10**13, 10**14):
        store(number)
    with pytest.raises(kodo_errors.MalformedUpload, match="at most 2 parts"):
        store(10**12)

    assert [part.number for part in parts.list_parts(upload)] == [10**13, 10**14]


def test_a_users_oldest_upload_is_aborted_and_those_of_others_are_not(parts: MultipartUploads) -> None:
    others = parts.start("k", "8")
    own = [parts.start(f"k{number}", "7") for number in range(UPLOADS_PER_USER)]

    newest = parts.start("k", "7")

    assert parts.find(others.id, "k") == others
    assert parts.find(newest.id, "k") == newest
    remaining = [upload for upload in own if _exists(parts, upload)]
    assert len(remaining) == UPLOADS_PER_USER - 1


@pytest.mark.parametrize("owner", ["", "0"])
def test_anonymous_uploads_do_not_abort_each_other(parts: MultipartUploads, owner: str) -> None:
    uploads = [parts.start(f"k{number}", owner) for number in range(UPLOADS_PER_USER + 2)]

    assert all(_exists(parts, upload) for upload in uploads)


def test_an_upload_belongs_to_its_key_and_expires(tmp_path: Path) -> None:
    now = [1000.0]
    parts = MultipartUploads(tmp_path / "uploads", Objects(tmp_path), clock=lambda: now[0])
    upload = parts.start("k", "7")
    with pytest.raises(kodo_errors.NoSuchKey):
        parts.find(upload.id, "another")
    with pytest.raises(kodo_errors.NoSuchKey):
        parts.find(secrets.token_hex(16), "k")

    now[0] += LIFE_S
    assert parts.find(upload.id, "k") == upload
    now[0] += 1

    with pytest.raises(kodo_errors.NoSuchKey):
        parts.find(upload.id, "k")
    parts.sweep()
    assert list((tmp_path / "uploads").iterdir()) == []


def test_an_incomplete_upload_is_swept(parts: MultipartUploads, tmp_path: Path) -> None:
    (tmp_path / "uploads" / "0123.new").mkdir()
    (tmp_path / "uploads" / "4567").mkdir()
    (tmp_path / "uploads" / "4567" / "upload.json").write_text("{")

    parts.sweep()

    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_part_of_an_aborted_upload_is_rejected(parts: MultipartUploads, objects: Objects, tmp_path: Path) -> None:
    upload = parts.start("k", "7")
    parts.abort(upload)

    with pytest.raises(kodo_errors.NoSuchKey):
        add_part(parts, objects, upload, 1, b"x")
    assert files(tmp_path) == []


def _exists(parts: MultipartUploads, upload: MultipartUpload) -> bool:
    try:
        return parts.find(upload.id, upload.key) == upload
    except kodo_errors.NoSuchKey:
        return False


def set_age(tmp_path: Path, upload: MultipartUpload, age_s: float) -> None:
    """As if nothing of it had arrived for this long."""
    folder = tmp_path / "uploads" / upload.id
    active_at = folder.stat().st_mtime - age_s
    os.utime(folder, (active_at, active_at))


@pytest.mark.requirement(51)
def test_uploads_end_minutes_after_the_last_byte(parts: MultipartUploads, objects: Objects, tmp_path: Path) -> None:
    """A part of 20 MB may take more than an hour, at the rate below which a client is cut off."""
    _empty, zero, begun, idle, arriving, first = uploads = [parts.start(key, key) for key in "abcdef"]
    add_part(parts, objects, zero, 1, b"")
    for upload in (begun, idle, arriving):
        add_part(parts, objects, upload, 1, b"data")
    for upload in (arriving, first):
        parts.begin_part(upload)
    for upload, age_s in zip(uploads, (301, 301, 1199, 1201, 5000, 5000), strict=True):
        set_age(tmp_path, upload, age_s)

    parts.sweep()
    left = [_exists(parts, upload) for upload in uploads]
    parts.touch(first)
    parts.end_part(first)
    parts.sweep()
    set_age(tmp_path, first, 301)
    parts.sweep()

    assert (EMPTY_LIFE_S, IDLE_LIFE_S) == (300, 1200)
    assert left == [False, False, True, False, True, True]
    assert [_exists(parts, upload) for upload in (arriving, first)] == [True, False]


@pytest.mark.requirement(51)
def test_the_upload_that_has_been_idle_longest_is_aborted_first(
    parts: MultipartUploads, objects: Objects, tmp_path: Path
) -> None:
    uploads = [parts.start("k", "7") for _ in range(UPLOADS_PER_USER)]
    for upload in uploads:
        add_part(parts, objects, upload, 1, b"data")
    parts.begin_part(uploads[2])
    for at, age_s in ((2, 90), (3, 60), (5, 30)):
        set_age(tmp_path, uploads[at], age_s)

    for _ in range(2):
        add_part(parts, objects, parts.start("k", "7"), 1, b"data")

    assert [at for at, upload in enumerate(uploads) if not _exists(parts, upload)] == [3, 5]


@pytest.mark.requirement(51)
def test_the_uploads_of_one_address_are_bounded_whatever_its_accounts(
    parts: MultipartUploads, objects: Objects
) -> None:
    others = parts.start("k", "1", "198.51.100.1")
    begun = parts.start("k", "2", "203.0.113.7")
    add_part(parts, objects, begun, 1, b"data")

    uploads = [parts.start("k", str(10 + number), "203.0.113.7") for number in range(UPLOADS_PER_ADDRESS + 20)]

    assert _exists(parts, others)
    assert _exists(parts, begun), "those without a part are aborted first"
    assert sum(_exists(parts, upload) for upload in uploads) == UPLOADS_PER_ADDRESS - 1
    assert _exists(parts, uploads[-1])


@pytest.mark.requirement(51)
def test_no_address_can_block_the_uploads_of_others(tmp_path: Path, objects: Objects) -> None:
    parts = MultipartUploads(tmp_path / "few", objects, total=10)
    others = parts.start("k", "1", "198.51.100.1")
    for number in range(9):
        parts.start("k", str(10 + number), "203.0.113.7")

    newcomer = parts.start("k", "2", "198.51.100.2")
    with pytest.raises(kodo_errors.TooManyUploads):
        parts.start("k", "50", "203.0.113.7")

    assert _exists(parts, others)
    assert _exists(parts, newcomer)

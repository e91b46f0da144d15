"""Uploads in parts: bounded, swept, and put together only from what was really sent."""

from __future__ import annotations

import secrets
import time

import pytest

from models.bucket.embedded import errors as refusals
from models.bucket.embedded.multipart import LIFE_S, UPLOADS_PER_USER, MultipartUploads, etag_of_parts
from models.bucket.embedded.objects import Objects


@pytest.fixture
def objects(tmp_path) -> Objects:
    return Objects(tmp_path)


@pytest.fixture
def parts(tmp_path, objects) -> MultipartUploads:
    return MultipartUploads(tmp_path / "uploads", objects)


def files(tmp_path) -> list[str]:
    return sorted(path.parent.name for path in tmp_path.rglob("*") if path.is_file())


def part(parts: MultipartUploads, upload, number: int, data: bytes, limit: int = 1 << 20):
    with parts._objects.stage_part() as content:
        content.write(data)
        return parts.add(upload, number, content, limit_bytes=limit)


def test_parts_in_any_order_make_the_whole(parts, objects):
    upload = parts.start("k", "7")
    second = part(parts, upload, 2, b"world")
    part(parts, upload, 1, b"old")
    first = part(parts, upload, 1, b"hello ")
    wanted = [(1, first.etag), (2, second.etag)]

    with parts.assemble(parts.find(upload.id, "k"), wanted) as whole:
        stat = whole.commit("k", overwrite=False, etag=etag_of_parts(wanted))

    with objects.open("k") as found:
        assert found.read(0, 100) == b"hello world"
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
def test_parts_that_are_not_there_or_out_of_order_make_nothing(parts, tmp_path, wanted):
    upload = parts.start("k", "7")
    etags = {"a": part(parts, upload, 1, b"a").etag, "b": part(parts, upload, 2, b"b").etag}

    with pytest.raises((refusals.NoSuchKey, refusals.MalformedUpload)):
        parts.assemble(upload, [(number, etags.get(name, name)) for number, name in wanted])

    assert files(tmp_path).count("incoming") == 0


def test_a_part_that_a_power_cut_shortened_is_asked_for_again(parts, tmp_path):
    upload = parts.start("k", "7")
    etag = part(parts, upload, 1, b"content").etag
    (path,) = (tmp_path / "uploads").rglob("1-*")
    path.write_bytes(b"cont")

    with pytest.raises(refusals.NoSuchKey):
        parts.assemble(upload, [(1, etag)])


def test_all_parts_together_keep_to_the_limit_and_a_part_sent_again_counts_once(parts):
    upload = parts.start("k", "7")
    part(parts, upload, 1, b"x" * 60, limit=100)
    part(parts, upload, 1, b"y" * 60, limit=100)

    with pytest.raises(refusals.FileTooLarge):
        part(parts, upload, 2, b"z" * 41, limit=100)
    with pytest.raises(refusals.MalformedUpload):
        part(parts, upload, 1001, b"z", limit=100)
    assert sum(one.size_bytes for one in parts.list_parts(upload)) == 60


def test_a_persons_oldest_upload_gives_way_and_other_peoples_stay(parts):
    others = parts.start("k", "8")
    own = [parts.start(f"k{number}", "7") for number in range(UPLOADS_PER_USER)]

    newest = parts.start("k", "7")

    assert parts.find(others.id, "k") == others
    assert parts.find(newest.id, "k") == newest
    alive = [upload for upload in own if _found(parts, upload)]
    assert len(alive) == UPLOADS_PER_USER - 1


@pytest.mark.parametrize("nobody", ["", "0"])
def test_uploads_of_nobody_in_particular_do_not_push_each_other_out(parts, nobody):
    uploads = [parts.start(f"k{number}", nobody) for number in range(UPLOADS_PER_USER + 2)]

    assert all(_found(parts, upload) for upload in uploads)


def test_an_upload_belongs_to_its_key_and_ends_with_its_time(parts, tmp_path):
    upload = parts.start("k", "7")
    with pytest.raises(refusals.NoSuchKey):
        parts.find(upload.id, "another")
    with pytest.raises(refusals.NoSuchKey):
        parts.find(secrets.token_hex(16), "k")

    path = tmp_path / "uploads" / upload.id / "upload.json"
    path.write_text(path.read_text().replace(str(upload.expires), str(int(time.time()) - 1)))

    with pytest.raises(refusals.NoSuchKey):
        parts.find(upload.id, "k")
    parts.sweep()
    assert list((tmp_path / "uploads").iterdir()) == []
    assert upload.expires - time.time() <= LIFE_S


def test_a_half_made_upload_is_swept(parts, tmp_path):
    (tmp_path / "uploads" / "0123.new").mkdir()
    (tmp_path / "uploads" / "4567").mkdir()
    (tmp_path / "uploads" / "4567" / "upload.json").write_text("{")

    parts.sweep()

    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_part_for_an_upload_that_has_ended_is_refused(parts, tmp_path):
    upload = parts.start("k", "7")
    parts.abort(upload)

    with pytest.raises(refusals.NoSuchKey):
        part(parts, upload, 1, b"x")
    assert files(tmp_path) == []


def _found(parts: MultipartUploads, upload) -> bool:
    try:
        return parts.find(upload.id, upload.key) == upload
    except refusals.NoSuchKey:
        return False

"""The folder of objects: whole or not there, through full disks, killed processes and damaged files."""

from __future__ import annotations

import os
import resource
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from models.bucket import refusals
from models.bucket.objects import Objects
from models.bucket.parts import LIFE_S, UPLOADS_A_PERSON, Parts, etag_of_parts
from models.bucket.trailer import MARK
from models.errors import BadParameter, BucketUnavailable, NotFound, StorageFull
from tests.models.bucket.installations import png

WRITER = r"""
import hashlib, sys, threading
from pathlib import Path
from models.bucket.objects import Objects

objects = Objects(Path(sys.argv[1]))

def write(number):
    for turn in range(10_000):
        key = f"{number}-{turn}"
        with objects.begin() as incoming:
            for _ in range(5):
                incoming.write(hashlib.sha256(key.encode()).digest() * 2000)
            incoming.commit(key, overwrite=False)
        sys.stdout.write(key + "\n")
        sys.stdout.flush()

threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
[thread.start() for thread in threads]
"""


@pytest.fixture
def objects(tmp_path) -> Objects:
    return Objects(tmp_path)


@pytest.fixture
def parts(tmp_path, objects) -> Parts:
    return Parts(tmp_path / "uploads", objects)


@pytest.fixture
def file_limit() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def put(objects: Objects, key: str, data: bytes, *, overwrite: bool = False):
    with objects.begin() as incoming:
        incoming.write(data)
        return incoming.commit(key, overwrite=overwrite)


def files(tmp_path) -> list[str]:
    return sorted(path.parent.name for path in tmp_path.rglob("*") if path.is_file())


def test_an_object_is_a_picture_that_any_viewer_opens(objects, tmp_path):
    put(objects, "a.png", png(30, 20))

    (path,) = (tmp_path / "objects").iterdir()
    with Image.open(path) as image:
        image.load()
        assert image.size == (30, 20)


def test_what_is_not_committed_leaves_nothing(objects, tmp_path):
    with objects.begin() as incoming:
        incoming.write(png())
        assert files(tmp_path) == ["incoming"]

    assert files(tmp_path) == []
    incoming.discard()


def test_writing_on_after_the_end_is_refused(objects):
    incoming = objects.begin()
    incoming.discard()

    with pytest.raises(refusals.MalformedUpload):
        incoming.write(b"x")


def test_a_full_disk_is_said_and_leaves_nothing(objects, tmp_path, file_limit):
    with pytest.raises(StorageFull):
        put(objects, "large", bytes(2 << 20))
    with pytest.raises(StorageFull):
        put(objects, "no room for what is known of it", bytes((1 << 20) - 10))

    assert files(tmp_path) == []
    put(objects, "small", b"x")


def test_a_folder_that_cannot_be_written_is_unavailable(objects, tmp_path, expect_log):
    expect_log("the disk failed")
    (tmp_path / "incoming").rmdir()
    (tmp_path / "incoming").write_text("a file")

    with pytest.raises(BucketUnavailable):
        objects.begin()


def test_the_first_content_of_a_key_stays_without_overwrite(objects):
    first = put(objects, "k", b"one")

    assert put(objects, "k", b"one") == first
    with pytest.raises(refusals.KeyExists):
        put(objects, "k", b"two")
    assert put(objects, "k", b"two", overwrite=True).etag != first.etag
    with objects.open("k") as found:
        assert found.read(0, 100) == b"two"


def test_of_many_writers_of_one_key_one_wins_and_readers_see_whole_objects(objects):
    contents = [bytes([number]) * 100_000 for number in range(16)]

    def write(data: bytes) -> bool:
        try:
            put(objects, "k", data)
        except refusals.KeyExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(write, contents))

    assert won.count(True) == 1
    with objects.open("k") as found:
        assert found.read(0, 200_000) == contents[won.index(True)]


def test_a_deleted_object_can_still_be_read_by_who_has_it_open(objects):
    put(objects, "k", b"content")

    with objects.open("k") as found:
        assert objects.delete("k")
        assert found.read(3, 100) == b"tent"
    assert not objects.delete("k")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[1:],
        lambda data: data[:0],
        lambda data: data[: len(data) // 2],
        lambda data: data + MARK,
        lambda data: b"\0" * len(data),
        lambda data: data[:0] + b"[]" + (2).to_bytes(4) + MARK,
        lambda data: data[:0] + b"\xff\xff\xff\xff" + MARK,
        lambda data: data[:0] + MARK,
    ],
)
def test_a_damaged_file_is_no_object(objects, tmp_path, damage, expect_log):
    expect_log("damaged")
    put(objects, "k", b"content")
    (path,) = (tmp_path / "objects").iterdir()

    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(NotFound):
        objects.open("k")
    assert list(objects.every()) == []


@pytest.mark.parametrize("key", ["", "x" * 751, "\ud800"])
def test_keys_that_cannot_be_are_absent_and_cannot_be_made(objects, key, tmp_path):
    with pytest.raises(NotFound):
        objects.open(key)
    assert not objects.delete(key)
    with pytest.raises(BadParameter):
        put(objects, key, b"x")
    assert files(tmp_path) == []


def test_a_new_start_sweeps_what_the_dead_left_and_spares_the_living(objects, tmp_path):
    (tmp_path / "incoming" / "left by a killed server").write_bytes(b"half")

    with objects.begin() as incoming:
        incoming.write(b"alive")
        Objects(tmp_path)
        assert files(tmp_path) == ["incoming"]
        incoming.commit("k", overwrite=False)

    assert files(tmp_path) == ["objects"]


def test_killed_at_any_moment_every_object_is_whole_and_every_reported_one_is_there(tmp_path):
    for turn in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=os.getcwd(), text=True
        )
        assert process.stdout is not None
        reported = [process.stdout.readline().strip() for _ in range(20 + 7 * turn)]
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=10)

        again = Objects(tmp_path)
        assert files(tmp_path).count("incoming") == 0
        for stat in again.every():
            with again.open(stat.key) as found, again.begin() as check:
                check.write(found.read(0, found.stat.size_bytes))
                assert (found.stat.size_bytes, check.etag()) == (320_000, stat.etag)
        assert set(reported) <= {stat.key for stat in again.every()}
        for stat in list(again.every()):
            again.delete(stat.key)


def part(parts: Parts, upload, number: int, data: bytes, limit: int = 1 << 20):
    with parts._objects.begin_part() as content:
        content.write(data)
        return parts.add(upload, number, content, limit_bytes=limit)


def test_parts_in_any_order_make_the_whole(parts, objects):
    upload = parts.start("k", "7")
    second = part(parts, upload, 2, b"world")
    part(parts, upload, 1, b"old")
    first = part(parts, upload, 1, b"hello ")
    wanted = [(1, first.etag), (2, second.etag)]

    with parts.join(parts.find(upload.id, "k"), wanted) as whole:
        stat = whole.commit("k", overwrite=False, etag=etag_of_parts(wanted))

    with objects.open("k") as found:
        assert found.read(0, 100) == b"hello world"
    assert [(one.number, one.size_bytes) for one in parts.held(upload)] == [(1, 6), (2, 5)]
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
        parts.join(upload, [(number, etags.get(name, name)) for number, name in wanted])

    assert files(tmp_path).count("incoming") == 0


def test_a_part_that_a_power_cut_shortened_is_asked_for_again(parts, tmp_path):
    upload = parts.start("k", "7")
    etag = part(parts, upload, 1, b"content").etag
    (path,) = (tmp_path / "uploads").rglob("1-*")
    path.write_bytes(b"cont")

    with pytest.raises(refusals.NoSuchKey):
        parts.join(upload, [(1, etag)])


def test_all_parts_together_keep_to_the_limit_and_a_part_sent_again_counts_once(parts):
    upload = parts.start("k", "7")
    part(parts, upload, 1, b"x" * 60, limit=100)
    part(parts, upload, 1, b"y" * 60, limit=100)

    with pytest.raises(refusals.TooLarge):
        part(parts, upload, 2, b"z" * 41, limit=100)
    with pytest.raises(refusals.MalformedUpload):
        part(parts, upload, 1001, b"z", limit=100)
    assert sum(one.size_bytes for one in parts.held(upload)) == 60


def test_a_persons_oldest_upload_gives_way_and_other_peoples_stay(parts):
    others = parts.start("k", "8")
    own = [parts.start(f"k{number}", "7") for number in range(UPLOADS_A_PERSON)]

    newest = parts.start("k", "7")

    assert parts.find(others.id, "k") == others
    assert parts.find(newest.id, "k") == newest
    alive = [upload for upload in own if _found(parts, upload)]
    assert len(alive) == UPLOADS_A_PERSON - 1


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


def _found(parts: Parts, upload) -> bool:
    try:
        return parts.find(upload.id, upload.key) == upload
    except refusals.NoSuchKey:
        return False

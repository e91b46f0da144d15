"""The folder of objects: whole or not there, through full disks, killed processes and damaged files."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from models.bucket.embedded import errors as refusals
from models.bucket.embedded.objects import Objects
from models.bucket.embedded.trailer import MARK
from models.errors import BadParameter, BucketUnavailable, NotFound, StorageFull
from tests.models.bucket.installations import png

WRITER = r"""
import hashlib, sys, threading
from pathlib import Path
from models.bucket.embedded.objects import Objects

objects = Objects(Path(sys.argv[1]))

def write(number):
    for turn in range(10_000):
        key = f"{number}-{turn}"
        with objects.stage() as incoming:
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
def file_limit() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def put(objects: Objects, key: str, data: bytes, *, overwrite: bool = False):
    with objects.stage() as incoming:
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
    with objects.stage() as incoming:
        incoming.write(png())
        assert files(tmp_path) == ["incoming"]

    assert files(tmp_path) == []
    incoming.discard()


def test_writing_on_after_the_end_is_refused(objects):
    incoming = objects.stage()
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
    expect_log("disk error")
    (tmp_path / "incoming").rmdir()
    (tmp_path / "incoming").write_text("a file")

    with pytest.raises(BucketUnavailable):
        objects.stage()


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
    assert list(objects.iterate()) == []


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

    with objects.stage() as incoming:
        incoming.write(b"alive")
        Objects(tmp_path)
        assert files(tmp_path) == ["incoming"]
        incoming.commit("k", overwrite=False)

    assert files(tmp_path) == ["objects"]


def test_a_sweep_just_before_a_new_file_is_locked_does_not_take_it(objects, tmp_path, monkeypatch):
    """Both are single system calls: only by standing between them can a sweep be made to come there."""
    lock, swept = fcntl.flock, []

    def sweep_first(file, how):
        if not swept:
            swept.append(True)
            assert Objects(tmp_path).sweep() == 0  # its start has swept
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", sweep_first)
    with objects.stage() as incoming:
        incoming.write(b"alive")
        incoming.commit("k", overwrite=True)

    assert swept
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
        for stat in again.iterate():
            with again.open(stat.key) as found, again.stage() as check:
                check.write(found.read(0, found.stat.size_bytes))
                assert (found.stat.size_bytes, check.etag()) == (320_000, stat.etag)
        assert set(reported) <= {stat.key for stat in again.iterate()}
        for stat in list(again.iterate()):
            again.delete(stat.key)

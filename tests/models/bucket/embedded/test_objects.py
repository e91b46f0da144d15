"""The folder of objects: complete or absent, despite full disks, killed processes and damaged files."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from models.bucket import Stat
from models.bucket.embedded import errors as kodo_errors
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
    for index in range(10_000):
        key = f"{number}-{index}"
        with objects.stage() as staged:
            for _ in range(5):
                staged.write(hashlib.sha256(key.encode()).digest() * 2000)
            staged.commit(key, overwrite=False)
        sys.stdout.write(key + "\n")
        sys.stdout.flush()

threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
[thread.start() for thread in threads]
"""


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects(tmp_path)


@pytest.fixture
def file_limit() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def put(objects: Objects, key: str, data: bytes, *, overwrite: bool = False) -> Stat:
    with objects.stage() as staged:
        staged.write(data)
        return staged.commit(key, overwrite=overwrite)


def files(tmp_path: Path) -> list[str]:
    return sorted(path.parent.name for path in tmp_path.rglob("*") if path.is_file())


def test_a_stored_image_can_be_opened_by_any_viewer(objects: Objects, tmp_path: Path) -> None:
    put(objects, "a.png", png(30, 20))

    (path,) = (tmp_path / "objects").iterdir()
    with Image.open(path) as image:
        image.load()
        assert image.size == (30, 20)


def test_an_uncommitted_file_leaves_nothing(objects: Objects, tmp_path: Path) -> None:
    with objects.stage() as staged:
        staged.write(png())
        assert files(tmp_path) == ["incoming"]

    assert files(tmp_path) == []
    staged.discard()


def test_writing_to_a_discarded_file_is_rejected(objects: Objects) -> None:
    staged = objects.stage()
    staged.discard()

    with pytest.raises(kodo_errors.MalformedUpload):
        staged.write(b"x")


def test_a_full_disk_is_reported_and_leaves_nothing(objects: Objects, tmp_path: Path, file_limit: None) -> None:
    with pytest.raises(StorageFull):
        put(objects, "large", bytes(2 << 20))
    with pytest.raises(StorageFull):
        put(objects, "no space for its metadata", bytes((1 << 20) - 10))

    assert files(tmp_path) == []
    put(objects, "small", b"x")


def test_an_unwritable_folder_is_unavailable(
    objects: Objects, tmp_path: Path, expect_log: Callable[[str], None]
) -> None:
    expect_log("disk error")
    (tmp_path / "incoming").rmdir()
    (tmp_path / "incoming").write_text("a file")

    with pytest.raises(BucketUnavailable):
        objects.stage()


def test_without_overwrite_the_first_content_stays(objects: Objects) -> None:
    first = put(objects, "k", b"one")

    assert put(objects, "k", b"one") == first
    with pytest.raises(kodo_errors.KeyExists):
        put(objects, "k", b"two")
    assert put(objects, "k", b"two", overwrite=True).etag != first.etag
    with objects.open("k") as opened:
        assert opened.read(0, 100) == b"two"


def test_of_concurrent_writers_of_a_key_one_wins(objects: Objects) -> None:
    contents = [bytes([number]) * 100_000 for number in range(16)]

    def write(data: bytes) -> bool:
        try:
            put(objects, "k", data)
        except kodo_errors.KeyExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(write, contents))

    assert won.count(True) == 1
    with objects.open("k") as opened:
        assert opened.read(0, 200_000) == contents[won.index(True)]


def test_an_open_object_can_be_read_after_its_deletion(objects: Objects) -> None:
    put(objects, "k", b"content")

    with objects.open("k") as opened:
        assert objects.delete("k")
        assert opened.read(3, 100) == b"tent"
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
def test_a_damaged_file_is_not_an_object(
    objects: Objects, tmp_path: Path, damage: Callable[[bytes], bytes], expect_log: Callable[[str], None]
) -> None:
    expect_log("damaged")
    put(objects, "k", b"content")
    (path,) = (tmp_path / "objects").iterdir()

    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(NotFound):
        objects.open("k")
    assert list(objects.iterate()) == []


def test_an_upload_over_a_damaged_object_is_rejected(objects: Objects, tmp_path: Path) -> None:
    put(objects, "k", b"content")
    (path,) = (tmp_path / "objects").iterdir()
    path.write_bytes(b"damaged")

    with pytest.raises(kodo_errors.KeyExists):
        put(objects, "k", b"content")


@pytest.mark.parametrize("key", ["", "x" * 751, "\ud800"])
def test_invalid_keys_are_absent_and_cannot_be_stored(objects: Objects, key: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        objects.open(key)
    assert not objects.delete(key)
    with pytest.raises(BadParameter):
        put(objects, key, b"x")
    assert files(tmp_path) == []


def test_a_start_sweeps_abandoned_files_and_no_others(objects: Objects, tmp_path: Path) -> None:
    (tmp_path / "incoming" / "left by a killed server").write_bytes(b"half")

    with objects.stage() as staged:
        staged.write(b"alive")
        Objects(tmp_path)
        assert files(tmp_path) == ["incoming"]
        staged.commit("k", overwrite=False)

    assert files(tmp_path) == ["objects"]


def test_a_sweep_before_a_new_file_is_locked_does_no_harm(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Creating and locking are two system calls: the patch is the only way to sweep between them."""
    lock, swept = fcntl.flock, list[bool]()

    def sweep_first(file: int, how: int) -> None:
        if not swept:
            swept.append(True)
            assert Objects(tmp_path).sweep() == 0  # the constructor has swept
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", sweep_first)
    with objects.stage() as staged:
        staged.write(b"alive")
        staged.commit("k", overwrite=True)

    assert swept
    assert files(tmp_path) == ["objects"]


def test_after_a_kill_every_object_is_complete_and_every_reported_one_exists(tmp_path: Path) -> None:
    for attempt in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=os.getcwd(), text=True
        )
        assert process.stdout is not None
        reported = [process.stdout.readline().strip() for _ in range(20 + 7 * attempt)]
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=120)

        again = Objects(tmp_path)
        assert files(tmp_path).count("incoming") == 0
        for stat in again.iterate():
            with again.open(stat.key) as opened, again.stage() as check:
                check.write(opened.read(0, opened.stat.size_bytes))
                assert (opened.stat.size_bytes, check.etag()) == (320_000, stat.etag)
        assert set(reported) <= {stat.key for stat in again.iterate()}
        for stat in list(again.iterate()):
            again.delete(stat.key)


@pytest.mark.requirement(41)
def test_the_last_of_the_disk_is_kept_for_the_database(tmp_path: Path) -> None:
    """However many accounts fill it."""
    with Objects(tmp_path).stage() as staged:
        staged.write(b"picture")
        staged.commit("k", overwrite=False)
    full = Objects(tmp_path, keep_free_bytes=10**18, keep_free_share=1.0)

    for stage in (full.stage, full.stage_part):
        with pytest.raises(StorageFull):
            stage()

    with full.open("k") as opened:
        assert opened.read(0, 99) == b"picture"
    assert full.delete("k")

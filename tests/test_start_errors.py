"""A start that fails is one line with the setting, the value and what to do, and exit code 2; never a traceback."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from data_dir import StartupError, explain_os_error
from databases import open_database
from models.embedded_mongod import Mongod, MongodError, find_mongod
from settings import Settings
from tests.support.process import ROOT

WITHOUT = "import sys; sys.modules['{}'] = None; import server; sys.exit(server.main())"
WITHOUT_FCNTL = WITHOUT.format("fcntl")


def start(
    *arguments: str, command: tuple[str, ...] = (sys.executable, "server.py"), **environment: str
) -> subprocess.CompletedProcess[str]:
    """A server that is expected to refuse to start."""
    return subprocess.run(
        [*command, "--port=0", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def assert_refused(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    lines = [line for line in ended.stderr.splitlines() if line.startswith("server.py: ")]
    assert (ended.returncode, len(lines)) == (2, 1), ended.stderr
    assert "Traceback" not in ended.stderr
    assert [word for word in words if word not in lines[0]] == [], lines[0]


def test_a_data_dir_that_cannot_be_one(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    occupied = tmp_path / "occupied"
    (occupied / "lock").mkdir(parents=True)

    for path in (file, file / "below", Path("/proc/none"), occupied):
        assert_refused(start(f"--data_dir={path}"), "data_dir", str(path), "choose a folder")


def test_a_file_where_the_database_would_be(tmp_path: Path) -> None:
    file = tmp_path / "db"
    file.write_text("")

    assert_refused(start(f"--data_dir={tmp_path}"), "data_dir", f"({file})", "File exists", "choose a folder")


def test_too_many_open_files_are_no_fault_of_the_folder(tmp_path: Path) -> None:
    line = explain_os_error(tmp_path, OSError(errno.EMFILE, os.strerror(errno.EMFILE)))

    assert line.startswith("too many open files: raise the limit")


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_a_data_dir_of_somebody_else(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    assert_refused(start(f"--data_dir={tmp_path / 'data'}"), "data_dir", "Permission denied", "choose a folder")


def test_a_data_dir_that_is_full(tmp_path: Path, on_shared_mongod: tuple[str, ...]) -> None:
    mount = f"mount -t tmpfs -o size=4k,nr_inodes=2 tmpfs {tmp_path} && "
    namespace = ("unshare", "--map-root-user", "--mount", "sh", "-c")
    if subprocess.run([*namespace, f"{mount} true"], capture_output=True, check=False).returncode:
        pytest.skip("user namespaces are not allowed here")  # pragma: no cover

    ended = start(
        f"--data_dir={tmp_path}", *on_shared_mongod, command=(*namespace, f'{mount} exec "$@"', "sh", *PROGRAM)
    )

    assert_refused(ended, "data_dir", "No space left", "free space")


PROGRAM = (sys.executable, "server.py")


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("mongodb://ada:p@ss@db.example/", ("must be escaped", "%40 for @")),
        ("", ("MONGODB_URI is set and empty", "unset it")),
    ],
)
def test_a_uri_that_is_none(tmp_path: Path, uri: str, words: tuple[str, ...]) -> None:
    ended = start(f"--data_dir={tmp_path}", MONGODB_URI=uri)

    assert_refused(ended, "mongodb_uri", *words)
    assert "p@ss" not in ended.stderr


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("mongodb://db.example:99999/", ("Port must be", "65535")),
        ("mongodb://db.example:port/", ("Port contains",)),
        ("mongodb://ada:p%zz@db.example/", ("escaped",)),
    ],
)
@pytest.mark.gen_test
async def test_the_line_about_a_uri_says_what_is_wrong_with_it(
    tmp_path: Path, uri: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(StartupError) as refused:
        async with open_database(Settings(data_dir=tmp_path, mongodb_uri=uri)):
            pass

    line = str(refused.value)
    assert line.startswith("mongodb_uri: ")
    assert "\n" not in line
    assert [word for word in words if word not in line] == [], line


def test_a_name_that_no_database_can_have(tmp_path: Path) -> None:
    assert_refused(start(f"--data_dir={tmp_path}", "--database=my photos"), "database", "'my photos'", "letters")


@pytest.mark.gen_test
async def test_wrong_and_missing_credentials_are_reported_at_once(tmp_path: Path) -> None:
    binary = tmp_path / "mongod"
    binary.write_text(f'#!/bin/sh\nexec {find_mongod()} "$@" --auth\n')
    binary.chmod(0o755)
    async with Mongod(tmp_path / "db", binary=str(binary)) as mongod:
        wrong = mongod.uri.replace("mongodb://", "mongodb://ada:wrong@")
        for uri in (wrong, mongod.uri):
            ended = await asyncio.to_thread(start, f"--data_dir={tmp_path / 'data'}", MONGODB_URI=uri)
            assert_refused(ended, "mongodb_uri", "authentication failed", "authSource")
            assert "retrying" not in ended.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x7fELF\x02\x01\x01" + bytes(100), ("another architecture", "--mongodb_uri")),
        (b"#!/bin/sh\nkill -ILL $$\n", ("SIGILL", "AVX", "--mongodb_uri")),
        (b"#!/bin/sh\nkill -SEGV $$\n", ("SIGSEGV", "mongod.log", "--mongodb_uri")),
        (b"#!/none/sh\n", ("cannot run", "--mongodb_uri")),
    ],
    ids=["architecture", "AVX", "crash", "missing"],
)
@pytest.mark.gen_test
async def test_a_mongod_that_cannot_run_here(tmp_path: Path, content: bytes, words: tuple[str, ...]) -> None:
    binary = tmp_path / "mongod"
    binary.write_bytes(content)
    binary.chmod(0o755)

    with pytest.raises(MongodError) as refused:
        async with Mongod(tmp_path / "db", binary=str(binary)):
            pass

    assert [word for word in words if word not in str(refused.value)] == [], refused.value


@pytest.mark.gen_test
async def test_a_mongod_that_lacks_memory_says_why(tmp_path: Path) -> None:
    binary = tmp_path / "mongod"
    binary.write_text(f'#!/bin/bash\nulimit -v 600000\nexec {find_mongod()} "$@"\n')
    binary.chmod(0o755)

    with pytest.raises(MongodError, match=r"exited with code \d+: \S.*its log is"):
        async with Mongod(tmp_path / "db", binary=str(binary)):
            pass


def test_few_open_files(tmp_path: Path) -> None:
    limited = ("bash", "-c", 'ulimit -n 64; exec "$@"', "bash", *PROGRAM)

    assert_refused(start(f"--data_dir={tmp_path}", command=limited), "open files", "64", "256", "ulimit -n")


def test_the_database_ends_if_a_setting_is_refused_while_it_starts(tmp_path: Path) -> None:
    """The settings are read after the database is started where they are plain but for a file of a secret."""
    ended = start(f"--data_dir={tmp_path}", COOKIE_SECRET_FILE=str(tmp_path / "missing"))

    assert_refused(ended, "cookie_secret", "missing", "cannot be read")
    assert (tmp_path / "db" / "mongod.lock").read_text() == ""  # with the process id while it runs


def test_a_system_without_fcntl(tmp_path: Path) -> None:
    ended = start(f"--data_dir={tmp_path}", command=(sys.executable, "-c", WITHOUT_FCNTL))

    assert_refused(ended, "fcntl", "Linux")


def test_a_platform_without_a_mongod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(MongodError, match=r"no mongod for \w+ \w+: install MongoDB .* or use a server with"):
        find_mongod()


def test_a_platform_without_the_wheel_has_the_mongod_on_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    binary = tmp_path / "mongod"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)

    assert find_mongod() == str(binary)


def test_a_cluster_without_dask(tmp_path: Path, on_shared_mongod: tuple[str, ...]) -> None:
    without_dask = (sys.executable, "-c", WITHOUT.format("distributed"))
    options = (f"--data_dir={tmp_path / 'data'}", "--dask=tcp://127.0.0.1:1", *on_shared_mongod)

    assert_refused(start(*options, command=without_dask), "dask: ", "requirements/cluster.txt")

"""Every command that the documents show is run: here as it stands, or by the test that is named beside it.

What no test can run is named with the reason, here and in docs/contributing.md.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.client import PASSWORD, ApiClient
from tests.support.pictures import jpeg, png
from tests.support.process import ROOT, ServerProcess
from tests.support.waiting import finished

PAGES = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))]
PROGRAMS = "make|python|dask|pip|git|server\\.py|docker|systemctl|tar|mkdir|curl"
COMMAND = re.compile(rf"(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(?:{PROGRAMS})(?: .+)?")

HERE = "tests/test_commands.py"
RUN_BY = {
    "make run": f"{HERE}::test_make_run_serves_with_what_follows",
    'make run ARGS="--port=9000 --data_dir=/tmp/tessera"': f"{HERE}::test_make_run_serves_with_what_follows",
    'make run ARGS="--config=tessera.toml"': f"{HERE}::test_make_run_serves_with_what_follows",
    "make setup": f"{HERE}::test_make_setup_starts_nothing_and_help_lists_all",
    "make help": f"{HERE}::test_make_setup_starts_nothing_and_help_lists_all",
    "make test": f"{HERE}::test_make_test_runs_what_it_is_given",
    'make test ARGS="tests/contract -x"': f"{HERE}::test_make_test_runs_what_it_is_given",
    'SECURITY=full HOSTILE=all HOSTILE_FILES=FOLDER make test ARGS="tests/security -s"': (
        f"{HERE}::test_make_test_runs_what_it_is_given"
    ),
    ".venv/bin/python server.py --port=9000 --data_dir=DIR": "tests/support/process.py::ServerProcess",
    ".venv/bin/python server.py --check": "tests/test_check.py::test_the_embedded_parts_pass_every_step",
    "server.py --check": "tests/test_check.py::test_the_embedded_parts_pass_every_step",
    ".venv/bin/python server.py --config=tessera.toml --check": f"{HERE}::test_the_check_takes_a_file_of_settings",
    "PYTHONPATH=$FOLDER dask scheduler": f"{HERE}::test_a_cluster_as_the_page_starts_it_renders",
    "PYTHONPATH=$FOLDER dask worker tcp://SCHEDULER:8786 --nthreads CORES": (
        f"{HERE}::test_a_cluster_as_the_page_starts_it_renders"
    ),
    "python server.py --dask=tcp://SCHEDULER:8786": f"{HERE}::test_a_cluster_as_the_page_starts_it_renders",
    "make drills": "tests/fault_injection/test_short.py::test_nothing_is_lost_and_nothing_is_doubled",
    'make drills ARGS="kill_server --short"': (
        "tests/fault_injection/test_short.py::test_nothing_is_lost_and_nothing_is_doubled"
    ),
    "python admin.py developer ada": f"{HERE}::test_what_an_operator_types_does_what_it_says",
    "python admin.py developer ada --revoke": f"{HERE}::test_what_an_operator_types_does_what_it_says",
    "python admin.py password ada": f"{HERE}::test_what_an_operator_types_does_what_it_says",
    "python admin.py requeue 4503599627370496": f"{HERE}::test_what_an_operator_types_does_what_it_says",
    "python admin.py sweep": f"{HERE}::test_what_an_operator_types_does_what_it_says",
    "python admin.py": "tests/test_admin.py::",
    ".venv/bin/python -m processing.mosaic photo.jpg -o mosaic.png --style mosaic --cell 24": (
        f"{HERE}::test_the_engine_by_itself_makes_what_the_pages_show"
    ),
    ".venv/bin/python -m processing.mosaic photo.jpg another.jpg -o sheets/ --sheet": (
        f"{HERE}::test_the_engine_by_itself_makes_what_the_pages_show"
    ),
    "python -m processing.mosaic photo.jpg -o out.png --style photomosaic --pool holiday/ --map": (
        f"{HERE}::test_the_engine_by_itself_makes_what_the_pages_show"
    ),
    "python -m processing.mosaic --list": f"{HERE}::test_the_engine_by_itself_makes_what_the_pages_show",
}
BACKUPS = ("python admin.py --yes", "tar -C", "mkdir -m 700")
"""The commands of tests/test_operations.py, which finds them by the names of their blocks."""

LONG = {"make check", "make audit", "make coverage", "make cluster-demo", "make screenshots", "make bench"}
LONG_BEGINNINGS = ("make bench-", "python -m tests.bench.")
"""Too long for a test: it is seen that each starts a module that is there."""

NOT_RUN = ("docker compose", "systemctl", "git pull", "make lock", "pip install --require-hashes -r")
"""Beginnings. docs/contributing.md says why."""


def shown() -> dict[str, str]:
    """Every command of every page: in blocks, in indented lines, and within the text. The page by the command."""
    found = {}
    for page in PAGES:
        text = page.read_text()
        fenced = re.findall(r"^ *```([^\n]*)\n(.*?)^ *```$", text, re.M | re.S)
        blocks = [block for kind, block in fenced if kind.partition(" ")[0] in ("", "sh")]
        prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S)
        lines = [line for block in blocks for line in block.splitlines()]
        lines += re.findall(r"^    (\S.*)$", prose, re.M) + re.findall(r"`([^`\n]+)`", prose)
        for line in lines:
            command = line.partition("  #")[0].strip()
            if (
                COMMAND.fullmatch(command)
                and "  " not in command
                and not re.fullmatch(r"[a-z_.]+|dask scheduler|dask worker|pip install", command)
                and "curl -" not in command
            ):
                found[command] = page.name
    return found


def is_long(command: str) -> bool:
    return command.partition(" ARGS=")[0] in LONG or command.startswith(LONG_BEGINNINGS)


def test_every_command_that_is_shown_is_run_by_a_test_or_said_not_to_be() -> None:
    left = {
        command: page
        for command, page in shown().items()
        if command not in RUN_BY
        and not is_long(command)
        and not any(words in command for words in (*NOT_RUN, *BACKUPS))
    }

    assert left == {}
    assert set(RUN_BY) <= set(shown())
    for command in RUN_BY.values():
        path, _, name = command.partition("::")
        assert name in (ROOT / path).read_text(), command


def test_what_is_not_run_is_told_in_the_documents_with_its_reason() -> None:
    told = (ROOT / "docs" / "contributing.md").read_text().partition("## What no test runs")[2]

    assert told
    for beginning in NOT_RUN:
        assert f"`{beginning}" in told, beginning


@pytest.mark.parametrize("command", sorted(command for command in shown() if is_long(command)))
def test_long_commands_start_modules_that_there_are(command: str) -> None:
    makes = command.startswith("make")
    said = run(f"{command} --dry-run".replace("/path/to/venv", "/usr")).stdout if makes else command

    for module in re.findall(r"-m (tests\.[\w.]+)", said):
        assert any((ROOT / f"{module.replace('.', '/')}{end}").is_file() for end in (".py", "/__main__.py")), module
    assert re.search(r"-m tests\.|ruff check", said), said


def run(command: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line of a page; `python` and `make` are ours."""
    words = {".venv/bin/python": sys.executable, "python": sys.executable, "server.py": f"{sys.executable} server.py"}
    first, _, rest = command.partition(" ")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TESSERA_", "MAKE"))}
    return subprocess.run(
        ["bash", "-euc", f"{words.get(first, first)} {rest}"],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


# --- make -------------------------------------------------------------------------------------------------------------

needs_venv = pytest.mark.skipif(
    not (ROOT / ".venv" / ".installed-test").exists(), reason="these tests were not started by make: it would install"
)


def test_make_setup_starts_nothing_and_help_lists_all() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))

    assert {line.split()[0] for line in run("make help").stdout.splitlines()} == targets
    assert "server.py" not in run("make setup --dry-run").stdout


@needs_venv
@pytest.mark.parametrize("by_file", [False, True], ids=["arguments", "file"])
def test_make_run_serves_with_what_follows(tmp_path: Path, by_file: bool) -> None:
    (tmp_path / "tessera.toml").write_text(f'port = 0\ndata_dir = "{tmp_path / "data"}"\n')
    said = f"--config={tmp_path / 'tessera.toml'}" if by_file else f"--port=0 --data_dir={tmp_path / 'data'}"
    with subprocess.Popen(
        ["make", "--silent", "run", f"ARGS={said}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does: make and the server
        process.wait(30)

    assert re.fullmatch(r"Tessera is ready: http://127\.0\.0\.1:\d+\n", line)
    assert (tmp_path / "data" / "db").is_dir()


@needs_venv
@pytest.mark.parametrize(
    "command",
    [
        'make test ARGS="tests/contract -x --collect-only"',
        'SECURITY=full HOSTILE=all HOSTILE_FILES=/tmp make test ARGS="tests/security -s --collect-only"',
    ],
)
def test_make_test_runs_what_it_is_given(command: str) -> None:
    assert re.search(r"^\d+ tests collected", run(command).stdout, re.M)


# --- the server, an operator, the engine ------------------------------------------------------------------------------


def test_the_check_takes_a_file_of_settings(tmp_path: Path) -> None:
    (tmp_path / "tessera.toml").write_text(f'port = 0\ndata_dir = "{tmp_path / "data"}"\n')

    done = run(f".venv/bin/python server.py --config={tmp_path / 'tessera.toml'} --check")

    assert {line[:5] for line in done.stdout.splitlines()} == {"ok   "}


@pytest.mark.gen_test(timeout=60)
async def test_what_an_operator_types_does_what_it_says(tmp_path: Path) -> None:
    client = AsyncHTTPClient(force_instance=True)
    with ServerProcess(tmp_path / "data", "--developers=ada") as server:
        ada = await ApiClient(client, server.base_url).sign_up("ada")
        await ada.post("/api/tasks/pause/")
        task = await ada.make((await ada.upload())["url"])
        await ada.post("/api/tasks/cancel/", id=task["id"])
        assert (await finished(ada, task["id"]))["state"] == "cancelled"

        async def typed(command: str) -> str:
            there = f"admin.py --yes --data_dir={server.data_dir}"
            line = command.replace("admin.py", there).replace("4503599627370496", str(task["id"]))
            return (await asyncio.to_thread(run, line)).stdout

        assert "is a developer" in await typed("python admin.py developer ada")
        assert "no longer a developer" in await typed("python admin.py developer ada --revoke")
        assert f"{task['id']} is queued" in await typed("python admin.py requeue 4503599627370496")
        assert "adopted: 0" in await typed("python admin.py sweep")
        password = (await typed("python admin.py password ada")).split()[-1]
        assert (await ada.post("/api/user/query/", username="ada", password=PASSWORD))["login"] is False
        await ada.sign_in("ada", password)
    client.close()


def test_the_engine_by_itself_makes_what_the_pages_show(tmp_path: Path) -> None:
    for name in ("photo.jpg", "another.jpg"):
        (tmp_path / name).write_bytes(jpeg(300, 200))
    (tmp_path / "holiday").mkdir()
    for number in range(4):
        (tmp_path / "holiday" / f"{number}.png").write_bytes(png(40 + number, 40))
    engine = [
        command
        for command, test in RUN_BY.items()
        if test.endswith("::test_the_engine_by_itself_makes_what_the_pages_show")
    ]

    for command in engine:
        assert run(command, tmp_path).returncode == 0, shlex.split(command)

    assert {"mosaic.png", "out.png", "sheets"} <= {path.name for path in tmp_path.iterdir()}
    assert len(list((tmp_path / "sheets").iterdir())) == 2


SCHEDULER = "PYTHONPATH=$FOLDER dask scheduler"
WORKER = "PYTHONPATH=$FOLDER dask worker tcp://SCHEDULER:8786 --nthreads CORES"


@contextmanager
def dask(line: str, log: Path, says: str) -> Iterator[str]:
    """A line of the page, until the end of the test; gives the word after those that show it is there."""
    program = str(Path(sys.executable).with_name("dask"))
    command = ["bash", "-c", f"exec env {line.replace('dask', program, 1)} --no-dashboard"]
    environment = {**os.environ, "FOLDER": str(ROOT)}
    with log.open("w") as stream, subprocess.Popen(command, env=environment, cwd=log.parent, stderr=stream) as process:
        try:
            deadline = time.monotonic() + 30
            while says not in log.read_text():
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield log.read_text().partition(says)[2].split()[0]
        finally:
            process.terminate()


@pytest.mark.gen_test(timeout=90)
async def test_a_cluster_as_the_page_starts_it_renders(tmp_path: Path) -> None:
    assert {SCHEDULER, WORKER} <= set(shown())
    client: Any = AsyncHTTPClient(force_instance=True)
    scheduler = dask(f"{SCHEDULER} --host 127.0.0.1 --port 0", tmp_path / "scheduler.log", "Scheduler at:")
    with scheduler as address:
        line = WORKER.replace("tcp://SCHEDULER:8786", address).replace("CORES", "1")
        worker = dask(line, tmp_path / "worker.log", "Registered to:")
        with worker, ServerProcess(tmp_path / "data", f"--dask={address}") as server:
            ada = await ApiClient(client, server.base_url).sign_up("ada")
            task = await ada.make((await ada.upload())["url"])

            assert (await finished(ada, task["id"], timeout_s=40))["state"] == "done"
    client.close()

"""The commands in the documents work: each is run here, by kind, as it stands on the page.

A block with a name (```sh backup) is run by tests/test_operations.py, the script of the README by tests/test_readme.py.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from admin import read_command, run_command
from command_line import read_settings
from handlers.code_samples import OPTIONAL
from models.database import Database
from models.errors import JobError, all_errors
from processing.mosaic.cli.main import main
from tests.support.accounts import add_account
from tests.support.client import PASSWORD, ApiClient
from tests.support.pictures import jpeg, png
from tests.support.process import ROOT, ServerProcess
from tests.support.waiting import finished, until

PAGES = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))]
PROGRAM = r"(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(?:make|python|server\.py|dask|docker|systemctl|sudo|journalctl|git|pip)"
KINDS = {
    "make": r"(?:[A-Z_]+=\S+ )*make ",
    "engine": r"(?:\.venv/bin/)?python -m processing\.mosaic ",
    "module": r"(?:\.venv/bin/)?python -m tests\.",
    "admin": r"python admin\.py ",
    "server": r"(?:(?:\.venv/bin/)?python )?server\.py ",
    "dask": r"PYTHONPATH=\$FOLDER dask ",
    "not run": r"(?:[A-Z_]+=\S+ )*docker compose|systemctl|sudo|journalctl|git pull|pip install --require-hashes -r",
}
INCOMPLETE = r"  |^(?:python admin\.py|pip install|dask \w+)$"  # a table, or the name of a program in a sentence
# Placeholders of the pages that mean something only to people.
PLACEHOLDERS = {"DIR": "/tmp/tessera", "HOST": "127.0.0.1", "SCHEDULER": "127.0.0.1"}


def commands(kind: str = "") -> list[str]:
    """The commands of all pages in order, in shell blocks and in `code`; of one kind or of all."""
    lines = list[str]()
    for page in PAGES:
        text = page.read_text()
        blocks = re.findall(r"^ *```([^\n]*)\n(.*?)^ *```$", text, re.M | re.S)
        prose = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.M | re.S)
        lines += [line for language, block in blocks if language in ("", "sh") for line in block.splitlines()]
        lines += re.findall(r"(?:^    |(?<=`))[^\s`][^`\n]*(?=`|$)", prose, re.M)
    lines = [line.partition("  #")[0].strip() for line in lines]
    whole = [line for line in dict.fromkeys(lines) if re.match(f"{PROGRAM} ", line) and not re.search(INCOMPLETE, line)]
    return [line for line in whole if re.match(KINDS.get(kind, ""), line)]


def test_every_command_is_of_a_kind_that_is_tested() -> None:
    assert [line for line in commands() if not any(re.match(pattern, line) for pattern in KINDS.values())] == []
    assert all(commands(kind) for kind in KINDS)


def test_commands_that_no_test_runs_are_listed_with_the_reason() -> None:
    reasons = (ROOT / "docs" / "contributing.md").read_text().partition("## Commands that no test runs")[2]

    beginnings = tuple(re.findall(r"`([^`]+)`", reasons))
    for line in commands("not run"):
        assert re.sub(r"^[A-Z_]+=\S+ ", "", line).startswith(beginnings), line


def run(command: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line of a page, with this Python."""
    line = re.sub(r"^(?:\.venv/bin/)?python ", f"{sys.executable} ", command)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TESSERA_", "MAKE"))}
    return subprocess.run(
        ["bash", "-euc", line],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )


# --- make -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", commands("make"))
def test_make_has_the_target_and_starts_modules_that_exist(command: str) -> None:
    steps = run(f"{command} --dry-run".replace("/path/to/venv", "/usr")).stdout

    for module in re.findall(r"-m (tests\.[\w.]+)", steps):
        assert_module_exists(module)


@pytest.mark.parametrize("command", commands("module"))
def test_modules_that_are_run_exist(command: str) -> None:
    assert_module_exists(command.partition("-m ")[2].split()[0])


def assert_module_exists(name: str) -> None:
    path = ROOT / name.replace(".", "/")
    assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), name


def test_make_setup_starts_nothing_and_help_lists_all() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))

    assert {line.split()[0] for line in run("make help").stdout.splitlines()} == targets
    assert "server.py" not in run("make setup --dry-run").stdout


needs_venv = pytest.mark.skipif(
    not (ROOT / ".venv" / ".installed-test").exists(), reason="these tests were not started by make: it would install"
)


@needs_venv
def test_make_run_serves_with_what_follows(tmp_path: Path) -> None:
    (tmp_path / "tessera.toml").write_text(f'port = 1\ndata_dir = "{tmp_path / "data"}"\n')
    with subprocess.Popen(
        ["make", "--silent", "run", f"ARGS=--config={tmp_path / 'tessera.toml'} --port=0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does: make and the server
        process.wait(120)

    assert re.fullmatch(r"Tessera is ready: http://127\.0\.0\.1:\d+\n", line)
    assert (tmp_path / "data" / "db").is_dir()


def test_make_test_passes_options_on() -> None:
    arguments = "tests/contract -x --collect-only"

    assert f"-m pytest {arguments}\n" in run(f'make test --dry-run ARGS="{arguments}"').stdout


# --- the server, administration, the engine ---------------------------------------------------------------------------


@pytest.mark.parametrize("command", commands("server"))
def test_the_server_takes_the_options_of_the_pages(command: str, tmp_path: Path) -> None:
    (tmp_path / "tessera.toml").write_text("")
    options = command.partition("server.py ")[2].replace("tessera.toml", f"{tmp_path}/tessera.toml")
    for placeholder, value in PLACEHOLDERS.items():
        options = options.replace(placeholder, value)

    arguments = options.replace("/etc/", "").split()
    if "--version" in arguments:
        with pytest.raises(SystemExit, match="0"):
            read_settings(arguments)
    else:
        read_settings(arguments)


@pytest.mark.gen_test
async def test_the_administration_commands_do_what_they_say(
    tmp_path: Path, on_shared_mongod: tuple[str, ...], database: Database
) -> None:
    client = AsyncHTTPClient(force_instance=True)
    with ServerProcess(tmp_path / "data", "--developers=ada", *on_shared_mongod) as server:
        await add_account(database, "ada")
        ada = await ApiClient(client, server.base_url).sign_in("ada")
        await ada.post("/api/tasks/pause/")
        task = await ada.add_task((await ada.upload())["url"])
        await ada.post("/api/tasks/cancel/", id=task["id"])
        assert (await finished(ada, task["id"]))["state"] == "cancelled"
        failed = await ada.add_task((await ada.upload())["url"], {"seed": 1})
        failure = {"state": "failed", "error": "could_not_fetch", "finished": datetime.now(UTC)}
        await database.collection("tasks").update_one({"_id": failed["id"]}, {"$set": failure})
        outputs = dict[str, str]()
        for command in commands("admin"):
            words = command.partition("admin.py ")[2]
            options = ["--yes", f"--data_dir={server.data_dir}", *on_shared_mongod]
            arguments = [*options, *shlex.split(words.replace("4503599627370496", str(task["id"])))]
            outputs[words] = await run_command(*read_command(arguments))

        assert "password of boss, shown only once: " in outputs["account boss boss@example.com"]
        assert "is a developer" in outputs["developer ada"]
        assert "no longer a developer" in outputs["developer ada --revoke"]
        assert f"{task['id']} is queued" in outputs["requeue 4503599627370496"]
        assert "1  could_not_fetch, the last at " in outputs["failed"]
        assert outputs["failed --error=could_not_fetch"].startswith(f"{failed['id']}  ")
        assert "queued again: 1 tasks" in outputs["requeue --error=could_not_fetch --hours=24"]
        assert f"task {task['id']} of ada" in outputs["task 4503599627370496"]
        assert "adopted: 0" in outputs["sweep"]
        assert (await ada.post("/api/user/query/", username="ada", password=PASSWORD))["login"] is False
        await ada.sign_in("ada", outputs["password ada"].split()[-1])
    client.close()


def test_the_examples_name_errors_that_exist() -> None:
    named = {error for command in commands("admin") for error in re.findall(r"--error=(\S+)", command)}
    for endpoint in ("/api/queue/tasks", "/api/queue/change"):
        named.add(str(OPTIONAL[endpoint]["error"]))

    assert named
    assert named <= {kind.slug for kind in all_errors() if issubclass(kind, JobError)}


def test_the_engine_alone_makes_what_the_pages_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Posters on the same paper, with a quarter of the dots per inch."""
    for name in ("photo.jpg", "another.jpg"):
        (tmp_path / name).write_bytes(jpeg(60, 40))
    (tmp_path / "holiday").mkdir()
    for number in range(4):
        (tmp_path / "holiday" / f"{number}.png").write_bytes(png(40 + number, 40))

    monkeypatch.chdir(tmp_path)
    for command in commands("engine"):
        words = command.partition("processing.mosaic ")[2].replace("7016 --dpi 300", "1684 --dpi 72")
        assert main(shlex.split(words)) == 0, command

    assert {"mosaic.png", "out.png", "sheets"} <= {path.name for path in tmp_path.iterdir()}
    assert len(list((tmp_path / "sheets").iterdir())) == 2


SCHEDULER = "PYTHONPATH=$FOLDER dask scheduler"
WORKER = "PYTHONPATH=$FOLDER dask worker tcp://SCHEDULER:8786 --nthreads CORES"


@asynccontextmanager
async def dask(line: str, log: Path, ready: str) -> AsyncIterator[str]:
    """Run a line of the page until the end of the test. Yields the word that follows `ready` in its log."""
    program = str(Path(sys.executable).with_name("dask"))
    command = ["bash", "-c", f"exec env {line.replace('dask', program, 1)} --no-dashboard"]
    environment = {**os.environ, "FOLDER": str(ROOT)}
    with log.open("w") as stream:
        process = await asyncio.create_subprocess_exec(*command, env=environment, cwd=log.parent, stderr=stream)
        try:
            (word,) = await until(lambda: log.read_text().partition(ready)[2].split()[:1])
            yield word
        finally:
            process.terminate()
            await process.wait()


@pytest.mark.gen_test
async def test_a_cluster_as_the_page_starts_it_renders(tmp_path: Path, on_shared_mongod: tuple[str, ...]) -> None:
    assert {SCHEDULER, WORKER} == set(commands("dask"))
    client: Any = AsyncHTTPClient(force_instance=True)
    scheduler = dask(f"{SCHEDULER} --host 127.0.0.1 --port 0", tmp_path / "scheduler.log", "Scheduler at:")
    async with scheduler as address:
        line = WORKER.replace("tcp://SCHEDULER:8786", address).replace("CORES", "1")
        worker = dask(line, tmp_path / "worker.log", "Registered to:")
        async with worker:
            with ServerProcess(tmp_path / "data", f"--dask={address}", *on_shared_mongod) as server:
                ada = await ApiClient(client, server.base_url).sign_up("ada")
                task = await ada.add_task((await ada.upload())["url"])

                assert (await finished(ada, task["id"]))["state"] == "done"
    client.close()

"""docs/operations.md: the examples and the backup commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import yaml
from tornado.httpclient import AsyncHTTPClient

from command_line import read_settings
from settings import Settings
from tests.support.client import ApiClient
from tests.support.operations_page import PAGE, block
from tests.support.pictures import png
from tests.support.process import ROOT, ServerProcess

# --- containers -------------------------------------------------------------------------------------------------------


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text()))


def test_the_dockerfile_refers_to_existing_files_and_settings() -> None:
    recipe = (ROOT / "Dockerfile").read_text()

    command = json.loads(re.findall(r"^CMD (\[.*\])$", recipe, re.M)[-1])
    assert (ROOT / command[1]).is_file()
    assert read_settings(command[2:]).address == "0.0.0.0"
    probe = json.loads(re.findall(r"^    CMD (\[.*\])$", recipe, re.M)[0])
    compile(probe[2], "HEALTHCHECK", "exec")
    assert f":{Settings().port}/health" in probe[2]
    for source in re.findall(r"^COPY (\S+) ", recipe, re.M):
        assert (ROOT / source).exists()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    needed = {command[1].removesuffix(".py"), "requirements", "handlers", "processing", "models", "static"}
    assert not needed & {name.strip("/") for name in ignored}
    assert {".git", ".venv", "data"} <= set(ignored)


def test_compose_refers_to_existing_files_services_volumes_and_settings() -> None:
    services = compose()["services"]

    variables = {f"TESSERA_{name.upper()}" for name in Settings.model_fields} | {"MONGODB_URI", "PYTHONPATH"}
    for name, service in services.items():
        assert ("image" in service) != ("build" in service), name
        pinned = service.get("build", {}).get("args", {}).get("REQUIREMENTS", "run.txt")
        assert (ROOT / "requirements" / pinned).is_file()
        assert set(service.get("environment", {})) <= variables
        assert set(service.get("depends_on", ())) <= set(services)
        assert {place.partition(":")[0] for place in service.get("volumes", ())} <= set(compose()["volumes"])
    hosts = re.findall(r"(?:mongodb|tcp)://(\w+)", (ROOT / "compose.yaml").read_text())
    assert set(hosts) <= set(services)


def test_compose_starts_dask_with_valid_options() -> None:
    services = compose()["services"]

    for name in ("scheduler", "worker"):
        program, what, *words = services[name]["command"]
        manual = subprocess.run(
            [str(Path(sys.executable).with_name(program)), what, "--help"],
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        ).stdout
        for option in (word for word in words if word.startswith("--")):
            assert re.search(rf"{option}\b", manual.replace("--dashboard / --no-dashboard", "--no-dashboard")), option


def test_the_page_says_that_no_engine_has_built_them() -> None:
    assert "They have not been built or run by a container engine" in " ".join(PAGE.split())


# --- backup -----------------------------------------------------------------------------------------------------------


def run(name: str, **places: Path | str) -> str:
    """Run a block of the page in a shell. Returns what it prints."""
    environment = {**os.environ, **{key: str(path) for key, path in places.items()}}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", block(f"sh {name}")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


QUESTIONS = {"shell", "stands"}
BACKUPS = {"backup", "restore", "check", "cold backup", "cold restore"}


def test_every_named_block_is_run_here() -> None:
    assert set(re.findall(r"^```sh (.+)$", PAGE, re.M)) == QUESTIONS | BACKUPS


@pytest.mark.skipif(not (ROOT / ".venv" / "bin" / "activate").exists(), reason="the environment is not that of make")
def test_the_shell_of_the_page_has_the_servers_python_and_settings(
    tmp_path: Path, on_shared_mongod: tuple[str, ...]
) -> None:
    uri, name = (option.partition("=")[2] for option in on_shared_mongod)
    (tmp_path / "tessera.toml").write_text(f'mongodb_uri = "{uri}"\ndatabase = "{name}"\n')
    prepared = block("sh shell")
    for theirs, ours in {"/opt/tessera": ROOT, "/etc/": f"{tmp_path}/", "/var/lib/": f"{tmp_path}/"}.items():
        prepared = prepared.replace(theirs, str(ours))

    done = subprocess.run(
        ["bash", "-euc", f"{prepared}python admin.py failed; echo $TESSERA_DATA_DIR"],
        cwd=tmp_path,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert (done.stdout.splitlines(), done.stderr) == (["no task has failed", str(tmp_path / "tessera")], "")


@pytest.mark.skipif(not which("curl"), reason="curl (apt-get install curl)")
def test_what_to_ask_a_queue_that_stands(tmp_path: Path, on_shared_mongod: tuple[str, ...]) -> None:
    with ServerProcess(tmp_path / "data", *on_shared_mongod) as server:
        printed = run("stands", TESSERA=server.base_url)

    for name in ("ready", "oldest_task_seconds", "queue_tasks", "queue_tasks_left", "threads"):
        assert name in printed, printed


@pytest.mark.gen_test
async def test_both_kinds_of_backup_restore_everything(tmp_path: Path) -> None:
    client = AsyncHTTPClient(force_instance=True)
    with ServerProcess(tmp_path / "data") as server:
        ada = await ApiClient(client, server.base_url).sign_up("ada")
        uploaded = await ada.upload()
        run("backup", DATA=server.data_dir, BACKUP=tmp_path / "warm")
    run("check", BACKUP=tmp_path / "warm")
    run("cold backup", DATA=tmp_path / "data", BACKUP=tmp_path / "cold")

    run("restore", NEW_DATA=tmp_path / "from-warm", BACKUP=tmp_path / "warm")
    run("cold restore", NEW_DATA=tmp_path / "from-cold", BACKUP=tmp_path / "cold")

    path = uploaded["url"].removeprefix(server.base_url)
    for folder, still_signed_in in (("from-warm", False), ("from-cold", True)):
        restored = ServerProcess(tmp_path / folder)
        restored.base_url = server.base_url  # the name of the cookie has the port
        with restored:
            again = ApiClient(client, server.base_url, dict(ada.cookies))
            me = (await again.get("/api/session/"))["user"]
            assert (me is not None) == still_signed_in
            assert (await again.sign_in("ada")).user_id == ada.user_id
            assert (await again.get("/api/image/query/", id=uploaded["id"]))["code"] == 1
            assert (await again.get(path)).body == png()
    client.close()

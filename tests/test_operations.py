"""docs/operations.md: the examples and the backup commands."""

from __future__ import annotations

import getpass
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import yaml
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.simple_httpclient import HTTPStreamClosedError

from command_line import read_settings
from models import errors
from settings import Settings
from tests.support.client import ApiClient
from tests.support.operations_page import PAGE, block
from tests.support.pictures import png
from tests.support.process import ROOT, ServerProcess, free_port
from tests.support.waiting import finished, until

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


# --- behind nginx -----------------------------------------------------------------------------------------------------


def make_certificate(folder: Path) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "2"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )


@contextmanager
def nginx(folder: Path, *, tls_port: int, plain_port: int, server_port: int, dead_port: int) -> Iterator[None]:
    """Debian's nginx with the page's example: ports and certificate replaced, and a second server that is dead."""
    site = block("nginx")
    for theirs, ours in {
        "# server 127.0.0.1:8889": f"server 127.0.0.1:{dead_port}",
        "127.0.0.1:8888": f"127.0.0.1:{server_port}",
        "listen 80;": f"listen 127.0.0.1:{plain_port};",
        "listen 443 ssl": f"listen 127.0.0.1:{tls_port} ssl",
        "https://tessera.example": f"https://localhost:{tls_port}",
        "/etc/ssl/tessera.example.pem": str(folder / "cert.pem"),
        "/etc/ssl/tessera.example.key": str(folder / "key.pem"),
        "server_name tessera.example": "server_name localhost",
    }.items():
        assert theirs in site, theirs
        site = site.replace(theirs, ours)
    places = "".join(f"{kind}_temp_path {folder / kind};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if getpass.getuser() == "root" else ""
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder / 'nginx.pid'}; {user} events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder / 'body'}; {places}\n{site}\n}}\n"
    )
    command = ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    subprocess.run([*command, "-t"], check=True, capture_output=True, timeout=300)
    process = subprocess.Popen(command)
    try:
        yield
    finally:
        process.terminate()
        process.wait(120)


@pytest.mark.skipif(not (which("nginx") and which("openssl")), reason="nginx (apt-get install nginx-light) or openssl")
@pytest.mark.gen_test
async def test_the_nginx_example_serves_the_complete_flow_unbuffered_and_limits_uploads(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    tls, plain, port = free_port(), free_port(), free_port()
    public_url = f"https://localhost:{tls}"
    client = AsyncHTTPClient(force_instance=True, defaults={"ca_certs": str(tmp_path / "cert.pem")})
    with ExitStack() as stack:
        stack.callback(client.close)
        stack.enter_context(nginx(tmp_path, tls_port=tls, plain_port=plain, server_port=port, dead_port=free_port()))
        server = ServerProcess(
            tmp_path / "data",
            f"--public_url={public_url}",
            "--trusted_proxies=127.0.0.1",
            environment={"SSL_CERT_FILE": str(tmp_path / "cert.pem")},
        )
        server.base_url = f"http://127.0.0.1:{port}"
        stack.enter_context(server)
        heard: list[bytes] = []
        ada = await ApiClient(client, public_url).sign_up("ada")
        listening = client.fetch(
            HTTPRequest(f"{public_url}/tasks/events/", streaming_callback=heard.append, request_timeout=60),
            raise_error=False,
        )

        await until(lambda: bool(heard))
        uploaded = await ada.upload(png())
        task = await ada.add_task(uploaded["url"])
        done = await finished(ada, task["id"])

        assert done["state"] == "done"
        assert [line for line in (await ada.get("/health"))["warnings"] if "certificate" in line] == []
        await until(lambda: b'"state":"done"' in b"".join(heard))  # nginx would hold it back for longer
        assert set(ada.cookies) == {"__Host-session"}
        over = await ada.request("POST", "/up", body=b"x" * 22_200_000)
        assert (over.status, b"nginx" in over.body) == (413, True)
        moved = await ada.get(f"http://127.0.0.1:{plain}/i/7")
        assert (moved.status, moved.headers["Location"]) == (301, f"{public_url}/i/7")
        answer = await ada.get("/health")
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
        await until(lambda: f"[{answer.headers['X-Request-ID']}]" in server.log)  # written after the response
        server.stop()  # nginx has no server behind it: a stream is told to try again, everything else fails
        again = await ada.get("/api/tasks/events/")
        failed = await client.fetch(f"{public_url}/api/session/", raise_error=False)
        assert (again.status, again.headers["Content-Type"]) == (200, "text/event-stream")
        assert again.body == b"retry: 2000\nevent: reset\ndata: {}\n\n"
        assert (failed.code, failed.headers["Retry-After"]) == (503, "5")
        browser = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "zh-CN,zh;q=0.9"}
        page = await client.fetch(f"{public_url}/gallery", headers=browser, raise_error=False)
        assert (page.code, page.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
        assert f"<p>{errors.Unavailable.zh}</p>" in page.body.decode()
        assert failed.headers["Content-Type"] == "application/json"
        body = json.loads(failed.body)
        assert (body["code"], body["error"], body["message"]) == (-1, errors.Unavailable.slug, errors.Unavailable.en)
        stack.pop_all().close()
        with suppress(HTTPStreamClosedError):
            await listening


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

"""Requirements 40 to 44: what fills up, what happens when parts fail, what is logged, and what reads foreign bytes."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from handlers import API, Parts
from handlers.base import ApiHandler, JsonDict
from settings import Settings
from tests.security.attacking import cookie_line
from tests.security.measuring import FULL
from tests.support.client import PASSWORD, Answer, Api
from tests.support.pictures import encoded, photo, png
from tests.support.process import ServerProcess
from tests.support.waiting import finished, until


class TestReq40:
    @pytest.fixture
    def settings(self, settings_of: Callable[..., Settings]) -> Settings:
        """In full with the limit that a person has; of all together there may be ten more."""
        limit = Settings().user_queue_limit if FULL else 20
        return settings_of(user_queue_limit=limit, queue_limit=limit + 10)

    @pytest.mark.gen_test(timeout=240)
    async def test_req_40_nobody_fills_the_queue_for_others(self, api: Api, parts: Parts, settings: Settings) -> None:
        ada, bob, cid = [await api.newcomer().sign_up(name) for name in ("ada", "bob", "cid")]
        urls = {person.username: (await person.upload())["url"] for person in (ada, bob, cid)}
        await parts.queue.pause(True)

        async def ask(person: Api, number: int) -> Answer:
            recipe = {"style": "mosaic", "seed": number}
            return await person.post("/api/tasks/add/", url=urls[person.username], param=recipe)

        count, limit = 10_000 if FULL else 100, settings.user_queue_limit
        adas = [a for n in range(0, count, 5) for a in await asyncio.gather(*(ask(ada, n + k) for k in range(5)))]
        bobs = [await ask(bob, number) for number in range(10)]
        full = await ask(cid, 1)
        await parts.queue.pause(False)
        resumed = datetime.now(UTC)
        done = await finished(bob, bobs[0]["task"]["id"])

        refused = [answer for answer in adas if answer["code"] < 1]
        assert (len(adas), len(adas) - len(refused)) == (count, limit)
        assert {(answer.status, answer["error"]) for answer in refused} == {(429, "too_many_tasks")}
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
        assert (full.status, full["error"], int(full.headers["Retry-After"]) > 0) == (503, "queue_full", True)
        assert done["state"] == "done"
        waited_s = (datetime.fromisoformat(done["started"]) - resumed).total_seconds()
        assert waited_s < 2
        print(f"{len(refused)} of {count} refused; somebody else's started after {waited_s:.2f} s")


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system of its own can be mounted by root alone")
class TestReq41:
    @pytest.fixture
    def settings(self, settings_of: Callable[..., Settings], tmp_path: Path) -> Iterator[Settings]:
        folder = tmp_path / "data" / "bucket"
        folder.mkdir(parents=True)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)], check=False)
        if mounted.returncode:
            pytest.skip("nothing may be mounted here")
        yield settings_of()
        subprocess.run(["umount", "-l", str(folder)], check=True)

    @pytest.mark.gen_test(timeout=60)
    async def test_req_41_a_full_disk_is_507_leaves_nothing_behind_and_heals(
        self, api: Api, parts: Parts, settings: Settings, expect_log: Any
    ) -> None:
        expect_log("storage_full|507 POST /up")
        ada = await api.sign_up("ada")
        folder = settings.data_dir / "bucket"
        small = await ada.upload()
        large = encoded(photo(1100, 900), "PNG")
        assert len(large) > 2 << 20
        grant = await ada.post("/api/image/token/", filename="a.png")
        fields = {"token": grant["token"], "key": grant["key"]}

        refused = await ada.post_form(grant["upload_url"], fields, "a.png", large)

        assert refused.status == 507
        assert "error" in refused.json
        assert files(folder / "incoming") == []
        assert all(path.stat().st_size < len(large) for path in files(folder))
        assert await parts.database.collection("images").count({}) == 1
        assert (await ada.get(small["url"])).status == 200
        await asyncio.to_thread(subprocess.run, ["mount", "-o", "remount,size=20m", str(folder)], check=True)
        assert (await ada.post_form(grant["upload_url"], fields, "a.png", large)).status == 200


class Broken(ApiHandler):
    """Fails as nobody foresaw."""

    async def reply(self, asked: Any) -> JsonDict:
        raise RuntimeError("inner words of /srv/secret/place")


@pytest.mark.gen_test
async def test_req_42_what_nobody_foresaw_tells_nothing_and_is_logged_once(
    api: Api, app: Any, parts: Parts, log_watch: Any, expect_log: Any
) -> None:
    expect_log("RuntimeError|500 GET /api/broken")
    app.add_handlers(".*", [("/api/broken", Broken, {"authentication": parts.authentication})])

    answer = await api.get("/api/broken", headers={"X-Request-ID": "known1"})

    assert answer.status == 500
    assert answer.json.keys() == {"code", "error", "message"}
    assert (answer["error"], answer.headers["X-Request-ID"]) == ("internal", "known1")
    assert not re.search(r"RuntimeError|secret|Traceback|\.py", answer.body.decode())
    traces = [line for line in log_watch.lines if "Traceback" in line]
    assert len(traces) == 1
    assert "[known1]" in traces[0]


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
@pytest.mark.gen_test(timeout=60)
async def test_req_42_the_log_holds_no_secret_and_one_line_for_each_event(
    tmp_path: Path, mongodb_uri: str, database_name: str, client: AsyncHTTPClient, as_json: bool
) -> None:
    chosen = (f"--mongodb_uri={mongodb_uri}", f"--database={database_name}", f"--log_json={as_json}")
    secret_password = "correct horse battery 4711"
    with ServerProcess(tmp_path / "data", *chosen) as server:
        ada = await Api(client, server.base_url).sign_up("ada", secret_password)
        found = await ada.get("/api/user/query/", username="ada", password=secret_password)
        await ada.get("/api/session/", headers={"Authorization": f"Bearer {found['token']}"})
        grant = await ada.post("/api/image/token/", filename="a.png")
        fields = {"token": grant["token"], "key": grant["key"], "fname": "a\r\nINJECTED line"}
        uploaded = await ada.post_form(grant["upload_url"], fields, "a.png", png())
        await ada.post("/api/user/query/", username="a\r\nINJECTED line", password=secret_password)
        await ada.get("/nowhere/%0d%0aINJECTED%20line", headers={"X-Request-ID": "a-INJECTED"})
        await ada.post("/api/tasks/add/", url=f"{uploaded['url']}", param="\r\nINJECTED line")
        await ada.post("/api/user/change/", password=secret_password, new_password=secret_password + "x")
        await server_log_settles(server)
        log = server.log
        keys = json.loads((server.data_dir / "bucket-keys.json").read_text())
        kept = (server.data_dir / "cookie-secret").read_text()

    secrets = [secret_password, found["token"], grant["token"], kept, *ada.cookies.values(), *map(str, keys.values())]
    assert [secret for secret in secrets if secret in log or secret.replace(" ", "+") in log] == []
    assert "Authorization" not in log
    assert [line for line in log.splitlines() if line.startswith("INJECTED")] == []
    shape = re.compile(r"\{.*\}" if as_json else r"\d{4}-\d\d-\d\d .*")
    assert [line for line in log.splitlines() if line and not shape.fullmatch(line)] == []


async def server_log_settles(server: ServerProcess) -> None:
    async def told() -> bool:
        return "/api/user/change/" in server.log

    await until(told)


@pytest.mark.gen_test(timeout=90)
async def test_req_43_without_its_database_the_server_lets_nobody_in_and_says_so_soon(
    tmp_path: Path, client: AsyncHTTPClient
) -> None:
    with ServerProcess(tmp_path / "data") as server:
        ada = await Api(client, server.base_url).sign_up("ada")
        url = (await ada.upload())["url"]
        mongod = int(server.log.split("mongod ")[1].split()[0])
        os.kill(mongod, signal.SIGSTOP)
        values = {
            "id": 7, "username": "ada", "email": "a@example.com", "password": PASSWORD, "from_user_name": "ada",
            "to_user_name": "bob", "follow_bool": 1, "url": url, "filename": "a", "user_id": ada.user_id,
        }  # fmt: skip
        without = ("/api/styles", "/api/preview", "/api/image/upload", "/tasks/events", "/api/tasks/events")
        paths = [path for path, _, _ in API if "(?P<" not in path and path not in without]

        async def timed(path: str, method: str) -> tuple[str, int, float]:
            started = time.monotonic()
            answer = await (ada.get(path, **values) if method == "GET" else ada.post(path, **values))
            return f"{method} {path}", answer.status, time.monotonic() - started

        asked = [(path, method) for path in paths for method in ("GET", "POST")]
        asked += [("/u/ada", "GET"), ("/i/7", "GET"), ("/thumbnail/7/320", "GET")]
        answers = await asyncio.gather(*(timed(*each) for each in asked))
        os.kill(mongod, signal.SIGCONT)

        assert [answer for answer in answers if answer[1] not in (503, 405)] == []
        assert max(took for _, _, took in answers) < (5 if FULL else 8), "on a machine with nothing else to do: 5"
        print(f"at most {max(took for _, _, took in answers):.1f} s")

        async def back() -> bool:
            return (await ada.get("/api/session/")).status == 200

        await until(back, timeout_s=20)  # as whom is open: signing out was asked as well, and may have been done late


@pytest.mark.gen_test(timeout=60)
async def test_req_43_a_forged_session_is_nobodys_whether_the_database_answers_or_not(
    api: Api, database: Any, parts: Parts
) -> None:
    ada = await api.sign_up("ada")
    line = cookie_line(ada)

    await parts.sessions.close_all(ada.user_id)

    answer = await api.newcomer().post("/api/image/token/", headers={"Cookie": line.partition(": ")[2]})
    assert answer.status == 401


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in importlib.metadata.version(name).split(".")[:3])


def test_req_44_what_reads_foreign_bytes_is_recent_and_pinned() -> None:
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", Path("requirements/run.txt").read_text(), re.M))

    assert _version("tornado") >= (6, 5, 7)
    assert _version("pillow") >= (12, 3, 0)
    for name in ("tornado", "pillow", "motor", "pymongo", "pydantic-core", "python-multipart", "argon2-cffi"):
        assert pins[name] == importlib.metadata.version(name), f"{name} is not the pinned one"
    assert "--hash=sha256:" in Path("requirements/run.txt").read_text()


def test_req_44_leaving_motor_is_a_change_of_one_file() -> None:
    """Its critical fixes end in May 2027; PyMongo's own client has the same calls."""
    ours = [path for folder in ("handlers", "processing", "models") for path in Path(folder).rglob("*.py")]

    assert [str(path) for path in [*ours, Path("server.py")] if "motor.motor_asyncio" in path.read_text()] == [
        "models/database.py"
    ]

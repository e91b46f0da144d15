"""Requirements 10 to 13: hostile pictures, sent to the whole server as uploads and as sources of tasks.

Of the heavy part of the corpus a few are sent; `HOSTILE=all make test` sends all of it, one after the other, and
`HOSTILE_FILES=FOLDER` every file of a folder as well (Pillow's own Tests/images, say).
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tornado.httpclient import AsyncHTTPClient

from processing import mosaic
from processing.mosaic.codec.decode import MAX_MEGAPIXELS, decode
from processing.mosaic.progress import Stage
from settings import Settings
from tests.hostile import CORPUS, Hostile, jpeg, others, png
from tests.security.measuring import Probe, at_rest, forget_peak, memory_mib
from tests.support.client import Api
from tests.support.fake_hosts import Origin, origin, reply
from tests.support.pictures import encoded, photo
from tests.support.process import ServerProcess
from tests.support.waiting import finished, until

LIGHT = [hostile for hostile in CORPUS if not hostile.heavy]
FEW = ("scans-2000-3000px.jpg", "fill-bytes-4M.jpg", "limit-progressive-cmyk.jpg", "limit-alpha.webp")
PIECE = 10
LIMIT_S = 30.0
HEAVY = [each for each in CORPUS if each.heavy and (os.environ.get("HOSTILE") == "all" or each.name in FEW)]
PIECES = [HEAVY[first : first + PIECE] for first in range(0, len(HEAVY), PIECE)]
FOLDER = os.environ.get("HOSTILE_FILES", "")


@pytest.fixture
def shelf() -> dict[str, bytes]:
    """What the allowed server has, by path."""
    return {}


@pytest.fixture
def outside(shelf: dict[str, bytes]) -> Iterator[Origin]:
    with origin(b"") as server:

        def answer(connection: socket.socket) -> None:
            data = shelf.get(connection_path(server))
            connection.sendall(reply(data) if data is not None else reply(status="404 Not Found"))

        server.answer = answer
        yield server


def connection_path(server: Origin) -> str:
    """Of the newest request: these tests' tasks are fetched by few threads, each path once."""
    return server.requests[-1].split(b" ")[1].decode()


@pytest.fixture
def chosen(mongodb_uri: str, database_name: str, outside: Origin) -> tuple[str, ...]:
    return (f"--mongodb_uri={mongodb_uri}", f"--database={database_name}", f"--allowed_sources={outside.place}")


@pytest.fixture
def server(tmp_path: Path, chosen: tuple[str, ...]) -> Iterator[ServerProcess]:
    """One job at a time, so that memory is that of one picture."""
    with ServerProcess(tmp_path / "data", *chosen, "--workers=1") as started:
        yield started


@pytest.fixture
def at_once(tmp_path: Path, chosen: tuple[str, ...]) -> Iterator[ServerProcess]:
    """Eight jobs at a time, however few the cores."""
    with ServerProcess(tmp_path / "data", *chosen, "--workers=8") as started:
        yield started


async def all_over(person: Api, ids: set[int], *, timeout_s: float) -> dict[int, dict[str, Any]]:
    async def look() -> dict[int, dict[str, Any]] | None:
        done = {task["id"]: task for task in (await person.get("/tasks/query/", limit=1000))["done"]}
        return done if ids <= done.keys() else None

    return await until(look, timeout_s=timeout_s) or {}


async def sent_as_upload(person: Api, name: str, data: bytes) -> int:
    """The status."""
    grant = await person.post("/api/image/token/", filename=name)
    fields = {"token": grant["token"], "key": grant["key"]}
    return (await person.post_form(grant["upload_url"], fields, name, data)).status


def foreseen(hostile: Hostile, end: dict[str, Any]) -> bool:
    refusals = ("not_a_picture", "too_many_pixels", "recipe_impossible")
    if end["state"] == "done":
        return hostile.outcome != "refused"
    return end["state"] == "failed" and end["error"] in refusals and hostile.outcome != "done"


@pytest.mark.gen_test(timeout=150)
async def test_req_10_every_light_hostile_file_is_done_or_failed(
    server: ServerProcess, client: AsyncHTTPClient, outside: Origin, shelf: dict[str, bytes]
) -> None:
    ada = await Api(client, server.base_url).sign_up("ada")
    statuses, tasks, base, pid = Counter[int](), dict[int, Hostile](), memory_mib(server.pid), server.pid

    for hostile in LIGHT:
        shelf[f"/{hostile.name}"] = data = hostile.make()
        statuses[await sent_as_upload(ada, hostile.name, data)] += 1
        tasks[(await ada.make(outside.url(f"/{hostile.name}")))["id"]] = hostile
    ended = await all_over(ada, set(tasks), timeout_s=60)

    ends = [(hostile, ended[number]) for number, hostile in tasks.items()]
    assert [(hostile.name, end["error"]) for hostile, end in ends if not foreseen(hostile, end)] == []
    assert statuses.keys() <= {200, 400, 403, 413}
    assert memory_mib(server.pid, peak=True) < base + 600
    await works_at_once(ada, server, pid)


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: f"from-{piece[0].name}")
@pytest.mark.gen_test(timeout=PIECE * 2 * LIMIT_S)
async def test_req_10_a_heavy_hostile_file_takes_neither_long_nor_all_memory(
    server: ServerProcess, client: AsyncHTTPClient, outside: Origin, shelf: dict[str, bytes], piece: list[Hostile]
) -> None:
    ada, pid = await Api(client, server.base_url).sign_up("ada"), server.pid
    shelf["/warm.jpg"] = jpeg.flat(64)
    await finished(ada, (await ada.make(outside.url("/warm.jpg")))["id"])
    base, took_s, took_mib, unforeseen = memory_mib(server.pid), {}, {}, []
    statuses = Counter[int]()

    for hostile in piece:
        shelf[f"/{hostile.name}"] = data = await asyncio.to_thread(hostile.make)
        forget_peak(server.pid)
        statuses[await sent_as_upload(ada, hostile.name, data)] += 1
        await at_rest(server.pid)
        as_upload_mib = memory_mib(server.pid, peak=True) - base
        forget_peak(server.pid)
        started = time.monotonic()
        end = await finished(ada, (await ada.make(outside.url(f"/{hostile.name}")))["id"], timeout_s=90)
        took_s[hostile.name] = round(time.monotonic() - started, 1)
        await at_rest(server.pid)
        took_mib[hostile.name] = (round(as_upload_mib), round(memory_mib(server.pid, peak=True) - base))
        if not foreseen(hostile, end):
            unforeseen.append((hostile.name, end["error"]))

    assert unforeseen == []
    assert statuses.keys() <= {200, 400, 403, 413}
    assert max(took_s.values()) < LIMIT_S, took_s
    assert max(max(mib) for mib in took_mib.values()) < 600, took_mib  # one job, or one thumbnail beside it
    await works_at_once(ada, server, pid)
    slowest, largest = max(took_s, key=lambda name: took_s[name]), max(took_mib, key=lambda name: max(took_mib[name]))
    print(f"{len(piece)} files; {slowest} {took_s[slowest]} s; {largest} {max(took_mib[largest])} MiB")


async def works_at_once(person: Api, server: ServerProcess, pid: int) -> None:
    """A normal photograph becomes a mosaic, and it is still the same process that makes it."""
    photograph = await person.upload(encoded(photo(4000, 3000), "JPEG"), "holiday.jpg")
    task = await finished(person, (await person.make(photograph["url"]))["id"], timeout_s=LIMIT_S)
    assert (task["state"], server.pid) == ("done", pid)
    assert "Traceback" not in server.log


def files_below(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size]


@pytest.mark.skipif(not FOLDER, reason="HOSTILE_FILES names no folder")
@pytest.mark.gen_test(timeout=3600)
async def test_req_10_every_file_of_a_folder_is_done_or_failed(
    server: ServerProcess, client: AsyncHTTPClient, outside: Origin, shelf: dict[str, bytes]
) -> None:
    """Whoever has a corpus of his own: its files as tasks and as uploads."""
    ada, pid = await Api(client, server.base_url).sign_up("ada"), server.pid
    statuses, states, took_s = Counter[int](), Counter[str](), {}
    base = memory_mib(server.pid)
    paths = await asyncio.to_thread(files_below, Path(FOLDER))

    for number, path in enumerate(paths):
        shelf[f"/{number}"] = data = path.read_bytes()
        started = time.monotonic()
        if len(data) < 20_000_000:
            statuses[await sent_as_upload(ada, "a.jpg", data)] += 1
        end = await finished(ada, (await ada.make(outside.url(f"/{number}")))["id"], timeout_s=LIMIT_S)
        states[f"{end['state']} {end['error'] or ''}"] += 1
        took_s[path.name] = time.monotonic() - started

    assert {state.split()[0] for state in states} <= {"done", "failed"}
    assert {state for state in states if "job_failed" in state or "crashed" in state} == set()
    assert statuses.keys() <= {200, 400, 403, 413}
    assert memory_mib(server.pid, peak=True) < base + 600
    await works_at_once(ada, server, pid)
    mib = memory_mib(server.pid, peak=True) - base
    print(f"{len(paths)} files; {dict(states)}; {dict(statuses)}; {max(took_s.values()):.1f} s; {mib:.0f} MiB")


@pytest.mark.gen_test(timeout=60)
async def test_req_11_what_claims_too_many_pixels_is_refused_before_it_is_loaded(
    server: ServerProcess, client: AsyncHTTPClient, outside: Origin, shelf: dict[str, bytes]
) -> None:
    ada = await Api(client, server.base_url).sign_up("ada")
    shelf["/warm.jpg"] = jpeg.flat(64)
    await finished(ada, (await ada.make(outside.url("/warm.jpg")))["id"])
    claims = [each for each in LIGHT if each.name.startswith("claim-") and each.outcome == "refused"]
    base = memory_mib(server.pid)
    forget_peak(server.pid)

    for hostile in claims:
        shelf[f"/{hostile.name}"] = hostile.make()
    ids = {(await ada.make(outside.url(f"/{hostile.name}")))["id"] for hostile in claims}
    ended = await all_over(ada, ids, timeout_s=40)

    assert {ended[number]["state"] for number in ids} == {"failed"}
    assert "too_many_pixels" in {ended[number]["error"] for number in ids}
    assert memory_mib(server.pid, peak=True) < base + 50


@pytest.mark.parametrize("name", ["claim-13000.jpg", "claim-13000.webp", "claim-65535.gif", "claim-30000-1bit.png"])
def test_req_11_and_soon(name: str) -> None:
    data = next(each for each in CORPUS if each.name == name).make()
    started = time.thread_time()

    with pytest.raises(mosaic.TooManyPixels):
        decode(data, Stage())

    assert time.thread_time() - started < 0.1


def test_req_11_the_server_and_the_engine_have_the_same_limit() -> None:
    assert Settings().max_megapixels == MAX_MEGAPIXELS == 50


@pytest.mark.gen_test(timeout=150)
async def test_req_12_eight_of_each_of_the_dearest_at_once_leave_the_server_answering(
    at_once: ServerProcess, client: AsyncHTTPClient, outside: Origin, shelf: dict[str, bytes]
) -> None:
    server = at_once
    ada = await Api(client, server.base_url).sign_up("ada")
    kinds = {
        "scans": jpeg.scans(3000, 1000),
        "fill": jpeg.fill_bytes(4_000_000),
        "chunks": png.chunk_flood(300_000),
        "frames": others.gif_frames(4000, 2000),
    }
    shelf.update({f"/{kind}/{number}": data for kind, data in kinds.items() for number in range(8)})
    async with Probe(server.base_url) as quiet:
        await asyncio.sleep(0.5)

    async with Probe(server.base_url) as busy:
        ids = {(await ada.make(outside.url(path)))["id"] for path in shelf}
        ended = await all_over(ada, ids, timeout_s=90)

    assert Counter(ended[number]["state"] for number in ids) == {"failed": 24, "done": 8}
    assert busy.slower_than(0.3, quiet) == ""
    print(f"{len(ids)} tasks; others waited {busy.slow_s:.3f} s")
    assert (await finished(ada, (await ada.make((await ada.upload())["url"]))["id"]))["state"] == "done"


def children_of(pid: int) -> set[str]:
    """Programs that a process runs just now."""
    return {child for task in Path(f"/proc/{pid}/task").iterdir() for child in _text(task / "children").split()}


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):  # a thread that has ended since
        return ""


@pytest.mark.gen_test(timeout=60)
async def test_req_13_other_formats_named_jpg_are_refused_and_start_no_program(
    server: ServerProcess, client: AsyncHTTPClient, outside: Origin, shelf: dict[str, bytes]
) -> None:
    ada = await Api(client, server.base_url).sign_up("ada")
    names = [each for each in LIGHT if each.name.startswith("whole-")]
    shelf.update({f"/{each.name}": each.make() for each in names})
    shelf["/svg.jpg"] = b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"
    shelf["/xbm.jpg"] = encoded(Image.new("1", (8, 8)), "XBM")
    shelf["/psd.jpg"] = b"8BPS\0\1" + bytes(6) + b"\0\3" + b"\0\0\0\x08" * 2 + b"\0\x08\0\3" + bytes(100)
    shelf["/fits.jpg"] = b"SIMPLE  =                    T".ljust(2880)
    shelf["/blp.jpg"] = b"BLP1" + bytes(200)

    children: set[str] = set()
    ids = {(await ada.make(outside.url(path)))["id"] for path in shelf}

    async def look() -> bool:
        children.update(children_of(server.pid))
        done = {each["id"] for each in (await ada.get("/tasks/query/", limit=1000))["done"]}
        return ids <= done

    await until(look, timeout_s=40)
    ended = await all_over(ada, ids, timeout_s=5)

    assert {ended[number]["error"] for number in ids} == {"not_a_picture"}
    assert children == set()
    assert {await sent_as_upload(ada, "a.jpg", data) for data in shelf.values()} == {403}

"""Requirements 10 to 13: hostile images, sent to the whole server as uploads and as sources of tasks.

The heavy part of the corpus is sent by the drill `hostile_images`.
"""

from __future__ import annotations

import re
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from tornado.httpclient import AsyncHTTPClient

from processing import mosaic
from processing.mosaic.codec.decode import MAX_MEGAPIXELS, decode
from processing.mosaic.progress import Progress
from settings import Settings
from tests.hostile import CORPUS, Hostile, jpeg
from tests.security.hostile_sources import (
    UPLOAD_STATUSES,
    FileHost,
    file_host,
    final_tasks,
    is_expected,
    upload_status,
)
from tests.security.process_memory import memory_mib, reset_peak_memory
from tests.support.client import ApiClient
from tests.support.pictures import encoded, photo
from tests.support.process import ServerProcess
from tests.support.waiting import finished, until

LIGHT = [hostile for hostile in CORPUS if not hostile.heavy]
ALIKE = re.compile("changed-([3-9]|1)|cut-(10|9)|orientation-([0-57-9]|65535)|whole-")
SENT = [each for each in LIGHT if not ALIKE.match(each.name)]
"""Of files that are alike one: tests/hostile decodes them all, and formats that we do not read have a test below."""


@pytest.fixture(scope="module")
def host() -> Iterator[FileHost]:
    with file_host() as server:
        yield server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str, host: FileHost) -> Iterator[ServerProcess]:
    """One worker, so that the peak memory is that of one image."""
    database = f"hostile_{secrets.token_hex(4)}"
    options = (f"--mongodb_uri={mongodb_uri}", f"--database={database}", f"--allowed_sources={host.address}")
    with ServerProcess(tmp_path_factory.mktemp("hostile") / "data", *options, "--workers=1") as started:
        yield started


@pytest.mark.requirement(10)
@pytest.mark.gen_test
async def test_every_light_hostile_file_is_rendered_or_refused(
    server: ServerProcess, client: AsyncHTTPClient, host: FileHost
) -> None:
    ada = await ApiClient(client, server.base_url).sign_up("ada")
    statuses, tasks = Counter[int](), dict[int, Hostile]()
    base_mib, pid = memory_mib(server.pid), server.pid

    for number, hostile in enumerate(SENT):
        data = hostile.make()
        if number % 3 == 0:  # an upload meets the same decoder, for its thumbnail
            statuses[await upload_status(ada, hostile.name, data)] += 1
        tasks[(await ada.add_task(host.add(hostile.name, data)))["id"]] = hostile
    ends = await final_tasks(ada, set(tasks))

    assert [(each.name, ends[task]["error"]) for task, each in tasks.items() if not is_expected(each, ends[task])] == []
    assert statuses.keys() <= UPLOAD_STATUSES
    assert memory_mib(server.pid, peak=True) < base_mib + 600
    photograph = await ada.upload(encoded(photo(1200, 900), "JPEG"), "holiday.jpg")
    done = await finished(ada, (await ada.add_task(photograph["url"]))["id"])
    assert (done["state"], server.pid) == ("done", pid), "the same process still renders"
    assert "Traceback" not in server.log


@pytest.mark.requirement(11)
@pytest.mark.gen_test
async def test_an_image_that_claims_too_many_pixels_is_refused_without_using_memory(
    server: ServerProcess, client: AsyncHTTPClient, host: FileHost
) -> None:
    bea = await ApiClient(client, server.base_url).sign_up("bea")
    await finished(bea, (await bea.add_task(host.add("first.jpg", jpeg.flat(64))))["id"])
    claims = [each for each in LIGHT if each.name.startswith("claim-") and each.outcome == "refused"]
    base_mib = memory_mib(server.pid)
    reset_peak_memory(server.pid)

    ids = {(await bea.add_task(host.add(f"claims/{each.name}", each.make())))["id"] for each in claims}
    ends = await final_tasks(bea, ids)

    assert {ends[number]["state"] for number in ids} == {"failed"}
    assert "too_many_pixels" in {ends[number]["error"] for number in ids}
    assert memory_mib(server.pid, peak=True) < base_mib + 50


@pytest.mark.requirement(11)
@pytest.mark.parametrize("name", ["claim-13000.jpg", "claim-13000.webp", "claim-65535.gif", "claim-30000-1bit.png"])
def test_a_claim_of_too_many_pixels_costs_no_cpu_time(name: str) -> None:
    data = next(each for each in CORPUS if each.name == name).make()
    started = time.thread_time()

    with pytest.raises(mosaic.TooManyPixels):
        decode(data, Progress())

    assert time.thread_time() - started < 0.1


@pytest.mark.requirement(11)
def test_server_and_engine_have_the_same_pixel_limit() -> None:
    assert Settings().max_megapixels == MAX_MEGAPIXELS == 50


def children_of(pid: int) -> set[str]:
    """The child processes of a process."""
    return {child for task in Path(f"/proc/{pid}/task").iterdir() for child in _read(task / "children").split()}


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):  # the thread has ended meanwhile
        return ""


@pytest.mark.requirement(13)
@pytest.mark.gen_test
async def test_other_formats_named_jpg_are_refused_and_start_no_process(
    server: ServerProcess, client: AsyncHTTPClient, host: FileHost
) -> None:
    cleo = await ApiClient(client, server.base_url).sign_up("cleo")
    files = {each.name: each.make() for each in LIGHT if each.name.startswith("whole-")}
    files |= {
        "svg.jpg": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        "xbm.jpg": encoded(Image.new("1", (8, 8)), "XBM"),
        "psd.jpg": b"8BPS\0\1" + bytes(6) + b"\0\3" + b"\0\0\0\x08" * 2 + b"\0\x08\0\3" + bytes(100),
        "fits.jpg": b"SIMPLE  =                    T".ljust(2880),
        "blp.jpg": b"BLP1" + bytes(200),
    }
    children: set[str] = set()

    ids = {(await cleo.add_task(host.add(f"others/{name}", data)))["id"] for name, data in files.items()}

    async def all_final() -> bool:
        children.update(children_of(server.pid))
        return ids <= {each["id"] for each in (await cleo.get("/tasks/query/", limit=1000))["done"]}

    await until(all_final)
    ends = await final_tasks(cleo, ids)

    assert {ends[number]["error"] for number in ids} == {"not_a_picture"}
    assert children == set()
    assert {await upload_status(cleo, "a.jpg", data) for data in files.values()} == {403}

"""docs/architecture.md: the files of each flow exist and are executed in that flow, and there are few of them."""

from __future__ import annotations

import io
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest
from PIL import Image

from processing.mosaic import parse, render
from tests.handlers.sse_client import open_event_stream
from tests.support.client import ApiClient
from tests.support.pictures import png
from tests.support.process import ROOT
from tests.support.waiting import finished

PAGE = (ROOT / "docs" / "architecture.md").read_text()
LIMITS = {"A task": 20, "An upload": 12, "A style": 12, "An event": 12}


def files_of(flow: str) -> list[str]:
    section = PAGE.partition(f"### {flow}\n")[2].partition("\n##")[0]
    return re.findall(r"^\d+\. `([\w/]+\.py)` \S", section, re.M)


class Trace:
    """The files of ours in which a function is called, in any thread that starts meanwhile and in this one."""

    def __init__(self) -> None:
        self.files: set[str] = set()

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(f"{ROOT}/"):
            self.files.add(frame.f_code.co_filename.removeprefix(f"{ROOT}/"))


@contextmanager
def traced() -> Iterator[Trace]:
    trace = Trace()
    threading.setprofile(trace)
    sys.setprofile(trace)
    try:
        yield trace
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


@pytest.fixture
def trace(io_loop: Any) -> Iterator[Trace]:
    """Requested before the server, so that its threads are traced too."""
    with traced() as started:
        yield started


@pytest.mark.parametrize("flow", LIMITS)
def test_a_flow_is_a_short_list_of_files_that_exist(flow: str) -> None:
    files = files_of(flow)

    assert 5 <= len(files) <= LIMITS[flow]
    assert len(files) == len(set(files))
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_every_flow_of_the_page_is_followed() -> None:
    assert re.findall(r"^### (.+)$", PAGE.partition("## Four flows")[2].partition("\n## ")[0], re.M) == list(LIMITS)


@pytest.mark.gen_test
async def test_an_upload_and_a_task_pass_through_the_files_of_their_flows(trace: Trace, api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    trace.files.clear()

    uploaded = await ada.upload()
    of_upload = set(trace.files)
    task = await ada.add_task(uploaded["url"])
    await finished(ada, task["id"])

    assert set(files_of("An upload")) - of_upload - {"handlers/__init__.py"} == set()
    assert set(files_of("A task")) - trace.files - {"handlers/__init__.py"} == set()


@pytest.mark.gen_test
async def test_an_event_passes_through_the_files_of_its_flow(trace: Trace, api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    uploaded = await ada.upload()
    async with open_event_stream(ada) as stream:
        await stream.until(lambda event: event.kind == "queue")
        trace.files.clear()

        task = await ada.add_task(uploaded["url"])
        await stream.state(task["id"], "done")

    assert set(files_of("An event")) - trace.files == set()


def test_a_style_passes_through_the_files_of_its_flow() -> None:
    with traced() as trace:
        result = render(png(), parse({"style": "mosaic"}))

    assert Image.open(io.BytesIO(result.data)).size == (60, 40)
    assert set(files_of("A style")) - trace.files == set()

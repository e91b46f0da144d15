"""The ten lines of the README work, on a new server."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tests.support.pictures import jpeg
from tests.support.process import ROOT, ServerProcess

LINES = 10


@pytest.fixture
def script() -> str:
    text = (ROOT / "README.md").read_text()
    match = re.search(r"## The API in ten lines.*?```sh\n(.*?)```", text, re.DOTALL)
    assert match is not None
    return match[1]


def test_the_api_is_shown_in_ten_lines(script: str) -> None:
    assert len(script.splitlines()) == LINES


def test_the_ten_lines_end_with_a_mosaic(script: str, tmp_path: Path, on_shared_mongod: tuple[str, ...]) -> None:
    (tmp_path / "photo.jpg").write_bytes(jpeg(400, 300))
    with ServerProcess(tmp_path / "data", *on_shared_mongod) as server:
        commands = script.replace("http://127.0.0.1:8888", server.base_url)
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    assert ended.returncode == 0, ended.stderr
    with Image.open(tmp_path / "mosaic.png") as mosaic:
        assert (mosaic.format, mosaic.size) == ("PNG", (400, 300))

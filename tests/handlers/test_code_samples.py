"""The examples of the API's reference: each is valid, and those of the endpoints that only read run as they are."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from shutil import which

import pytest

from settings import Settings
from tests.support.client import PASSWORD, ApiClient
from tests.support.openapi_check import document

READABLE = (
    "/api/feed",
    "/api/queue/status",
    "/api/queue/tasks",
    "/api/session",
    "/api/styles",
    "/health",
    "/tasks/query",
)
"""What an empty server answers with JSON to a GET of nothing in particular."""


@dataclass(frozen=True, slots=True)
class Sample:
    path: str
    method: str
    source: str


def samples(language: str) -> list[Sample]:
    """Every example in a language."""
    return [
        Sample(path, method, sample["source"])
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        for sample in operation["x-codeSamples"]
        if sample["label"] == language
    ]


def test_every_operation_has_a_valid_example_in_both_languages() -> None:
    operations = sum(len(item) for item in document()["paths"].values())
    python, shell = samples("Python"), samples("curl")

    assert len(python) == len(shell) == operations
    for sample in python:
        compile(sample.source, sample.path, "exec")
    script = "\n".join(sample.source for sample in shell)
    subprocess.run(["bash", "-n", "-c", script], check=True, timeout=300)


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    return settings_of(developers=("dev",))


@pytest.mark.usefixtures("accounts_of_developers")
@pytest.mark.gen_test
async def test_the_examples_run_as_they_are(api: ApiClient) -> None:
    session = await api.post("/api/user/query/", username="dev", password=PASSWORD)
    environment = {**os.environ, "TESSERA": api.base_url, "TOKEN": session["token"]}
    chosen = {("get", path) for path in READABLE}
    python, curl = (
        "\n".join(sample.source for sample in samples(language) if (sample.method, sample.path) in chosen)
        for language in ("Python", "curl")
    )

    printed = await asyncio.to_thread(run, [sys.executable, "-c", python], environment)
    assert printed.count("'code': 1") == len(READABLE), printed
    if which("curl"):
        printed = await asyncio.to_thread(run, ["bash", "-euc", curl], environment)
        assert printed.count('"code":1') == len(READABLE), printed


def run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout

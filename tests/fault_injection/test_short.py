"""Short forms of the drills; `make drills` runs them in full."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fault_injection import (
    bucket_faults,
    change_primary,
    drain,
    hostile_images,
    kill_mongod,
    kill_scheduler,
    kill_server,
    password_flood,
    two_servers,
)
from tests.fault_injection.__main__ import main
from tests.fault_injection.report import DrillReport

needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="the extra `cluster` is not installed")
DRILLS = [
    pytest.param(kill_server.drill, id="kill_server"),
    pytest.param(kill_mongod.drill, id="kill_mongod"),
    pytest.param(bucket_faults.drill, id="bucket_faults"),
    pytest.param(drain.drill, id="drain"),
    pytest.param(two_servers.drill, id="two_servers"),
    pytest.param(change_primary.drill, id="change_primary"),
    pytest.param(kill_scheduler.drill, id="kill_scheduler", marks=needs_dask),
    pytest.param(hostile_images.drill, id="hostile_images", marks=pytest.mark.requirement(10, 12)),
    pytest.param(password_flood.drill, id="password_flood", marks=pytest.mark.requirement(27)),
]


@pytest.mark.parametrize("drill", DRILLS)
@pytest.mark.gen_test(timeout=150)
async def test_the_expectations_of_a_drill_are_met(
    drill: Callable[..., Awaitable[DrillReport]], tmp_path: Path, expect_log: Callable[[str], None]
) -> None:
    expect_log("mongod: exited with code")  # the drill kills its own database

    report = await drill(tmp_path, short=True)

    assert report.failures == []
    assert report.done > 0


@pytest.mark.parametrize("word", ["--help", "--shrot", "kill_serevr"])
def test_a_word_that_names_no_drill_starts_none(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([word])

    printed = capsys.readouterr()
    assert "change_primary" in printed.out + printed.err or "usage" in printed.err

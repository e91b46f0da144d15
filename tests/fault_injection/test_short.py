"""Short forms of the drills; `make drills` runs them in full."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.fault_injection import bucket_faults, drain, kill_mongod, kill_server, two_servers
from tests.fault_injection.report import DrillReport

DRILLS = [module.drill for module in (kill_server, kill_mongod, bucket_faults, drain, two_servers)]


@pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.__module__.rpartition(".")[2])
@pytest.mark.gen_test(timeout=90)
async def test_no_task_is_lost_or_duplicated(
    drill: Callable[..., Awaitable[DrillReport]], tmp_path: Path, expect_log: Callable[[str], None]
) -> None:
    expect_log("mongod ended with code")  # the drill kills its own database

    report = await drill(tmp_path, short=True)

    assert report.failures == []
    assert report.done > 0

"""Short forms of the drills; `make drills` runs them whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fault_injection import bucket_faults, drain, kill_mongod, kill_server, two_servers

SHORT = [kill_server, kill_mongod, bucket_faults, drain, two_servers]


@pytest.mark.parametrize("drill", SHORT, ids=lambda one: one.__name__)
@pytest.mark.gen_test(timeout=90)
async def test_nothing_is_lost_and_nothing_is_doubled(
    drill: object, tmp_path: Path, expect_log: Callable[[str], None]
) -> None:
    expect_log("mongod ended with code")  # the drill's own database, killed by the drill

    figures = await drill.drill(tmp_path, short=True)

    assert figures.broken == []
    assert figures.done > 0

"""How a process that renders is set up, seen from outside."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest

from processing.runtime import COLLECTIONS, settle

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's heap, counted by the kernel")
def test_renders_share_touched_memory_and_hand_it_back_at_rest() -> None:
    """12 megapixels are 48 MB, 12,000 pages; what was touched once serves the next render, whichever thread it is."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.processing.rendering"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    figures = json.loads(ran.stdout)

    assert figures["faults"][-1] < 4000, figures
    assert figures["rest_mib"] < figures["kept_mib"] - 50, figures
    assert figures["blas"] == [1], figures


def test_what_a_server_is_made_of_is_not_looked_at_again_by_the_collector() -> None:
    before, there = gc.get_threshold(), len(gc.get_objects())
    try:
        settle()

        assert len(gc.get_objects()) < there / 10
        assert gc.get_threshold() == COLLECTIONS
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)

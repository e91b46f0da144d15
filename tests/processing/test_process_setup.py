"""How a process that renders is set up, seen from outside."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from processing.process_setup import COLLECTIONS, settle

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


@pytest.mark.parametrize("loaded", ["before", "after"])
def test_matrix_products_take_one_thread_whenever_their_library_is_loaded(loaded: str) -> None:
    """A style loads SciPy, which brings a BLAS of its own, when it is first used."""
    libraries, prepared = "import numpy, scipy.linalg", "from processing.process_setup import prepare; prepare()"
    steps = [libraries, prepared] if loaded == "before" else [prepared, libraries]
    seen = "from threadpoolctl import threadpool_info; print([pool['num_threads'] for pool in threadpool_info()])"
    ran = subprocess.run(
        [sys.executable, "-c", "; ".join([*steps, seen])],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
        env={name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")},
    )  # fmt: skip

    counts = json.loads(ran.stdout)
    assert counts
    assert set(counts) == {1}


def test_what_a_server_is_made_of_is_not_looked_at_again_by_the_collector() -> None:
    before, there = gc.get_threshold(), len(gc.get_objects())
    try:
        settle()

        assert len(gc.get_objects()) < there / 10
        assert gc.get_threshold() == COLLECTIONS
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)

"""The setup of a process that renders, measured from outside.

engine/test_dask.py checks that jobs on a cluster run with Pillow's pixel limit.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys

import pytest

from processing.process_setup import GC_THRESHOLDS, freeze_gc
from tests.support.process import ROOT

BOMB = """
import os, sys
from tests.processing.bomb_check import error_of_a_bomb
from processing.process_setup import limit_pillow_pixels
from processing.mosaic.codec.decode import decode
from processing.mosaic.progress import Progress
from tests.hostile import png
from PIL import Image
for steps in sys.argv[1:]:
    if not (child := os.fork()):
        try:
            exec(steps)
            print(error_of_a_bomb(), Image.MAX_IMAGE_PIXELS, flush=True)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
"""
LARGE = "png.black(13500, 13400, depth=1, colour=png.GREY)"
LIMITS = {
    "": "nothing 89478485",
    "limit_pillow_pixels(50)": "DecompressionBombWarning 89478485",
    "limit_pillow_pixels(50); limit_pillow_pixels(50)": "DecompressionBombWarning 89478485",
    "limit_pillow_pixels(150)": "nothing 150000000",
    "limit_pillow_pixels(150); limit_pillow_pixels(50)": "nothing 150000000",
    # 180 megapixels, which Pillow refuses by default
    f"limit_pillow_pixels(200); decode({LARGE}, Progress(), megapixels=200)": "nothing 200000000",
}
"""What a process does -> the error of an image that claims too many pixels, and Pillow's limit."""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's heap, counted by the kernel")
def test_renders_share_touched_memory_and_release_it_when_idle() -> None:
    """12 megapixels are 48 MB, 12,000 pages: pages touched once serve the next render, in whichever thread it runs."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.processing.render_process"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    figures = json.loads(process.stdout)

    assert figures["faults"][-1] < 4000, figures
    assert figures["idle_mib"] < figures["busy_mib"] - 50, figures
    assert figures["blas"] == [1], figures


@pytest.mark.parametrize("loaded", ["before", "after"])
def test_matrix_products_take_one_thread_whenever_their_library_is_loaded(loaded: str) -> None:
    """A style loads SciPy, which brings a BLAS of its own, when it is first used."""
    libraries, tune = "import numpy, scipy.linalg", "from processing.process_setup import tune_process; tune_process()"
    steps = [libraries, tune] if loaded == "before" else [tune, libraries]
    report = "from threadpoolctl import threadpool_info; print([pool['num_threads'] for pool in threadpool_info()])"
    process = subprocess.run(
        [sys.executable, "-c", "; ".join([*steps, report])],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=True,
        env={name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")},
    )  # fmt: skip

    counts = json.loads(process.stdout)
    assert counts
    assert set(counts) == {1}


def test_the_garbage_collector_skips_objects_made_at_startup() -> None:
    thresholds, count = gc.get_threshold(), len(gc.get_objects())
    gc.disable()  # as while the server starts
    try:
        freeze_gc()

        assert gc.isenabled()
        assert len(gc.get_objects()) < count / 10
        assert gc.get_threshold() == GC_THRESHOLDS
    finally:
        gc.enable()
        gc.set_threshold(*thresholds)  # and no gc.unfreeze(): later collections would look through all test modules


def test_an_image_that_claims_more_pixels_than_the_limit_is_an_error_and_one_below_is_decoded() -> None:
    command = [sys.executable, "-W", "ignore", "-c", BOMB, *LIMITS]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)

    assert dict(zip(LIMITS, process.stdout.splitlines(), strict=True)) == LIMITS

"""A photomosaic of 7,500 cells from 2,000 tiles beside other libraries: file to file, and painting alone.

The other libraries need other versions of Pillow; they run in a virtual environment of their own, whose interpreter
PEERS names:

    python -m venv peers && peers/bin/pip install phomo pytomosaic requests
    PEERS=peers/bin/python make bench-engine ARGS=photomosaics
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from processing.mosaic import STYLES, TilePool, build_pool, parse, render
from processing.mosaic.codec.decode import decode
from processing.mosaic.progress import Progress
from processing.mosaic.style import RenderContext
from tests.bench.photos import pool, saved
from tests.bench.style_renders import TILES, plain_photomosaic
from tests.bench.timing import table

ROUNDS = 5
COMPETITORS = {"pytomosaic": ROUNDS, "phomo": 1}  # rounds of each; phomo takes minutes
RECIPE = {"style": "photomosaic", "cell": 40, "format": "jpeg", "quality": 75}
HEAD = ("implementation", "file to file, CPU ms", "painting alone, CPU ms")
CpuTimes = dict[str, tuple[list[float], list[float]]]


def report(data: bytes) -> str:
    with tempfile.TemporaryDirectory() as folder:
        workdir = Path(folder)
        tiles = _prepare_files(workdir, data)
        times: CpuTimes = {}
        missing: dict[str, str] = {}
        for number in range(ROUNDS):
            _measure_tessera(times, workdir, tiles)
            for name, rounds in COMPETITORS.items():
                if number < rounds:
                    missing[name] = _measure_competitor(times, workdir, name)
    rows = [(name, _median(files), _median(painting)) for name, (files, painting) in times.items()]
    return table(HEAD, rows + [(f"{name}: {reason}", "", "") for name, reason in missing.items() if reason])


def _prepare_files(workdir: Path, data: bytes) -> TilePool:
    (workdir / "source.jpg").write_bytes(data)
    Image.open(workdir / "source.jpg").convert("RGB").save(workdir / "source.ppm")
    (workdir / "tiles").mkdir()
    for number, tile in enumerate(pool(TILES).tiles):
        (workdir / "tiles" / f"{number:04}.jpg").write_bytes(saved(Image.fromarray(tile), 90))
    return build_pool(((int(file.stem), file.read_bytes()) for file in (workdir / "tiles").iterdir()), side=40)


def _measure_tessera(times: CpuTimes, workdir: Path, tiles: TilePool) -> None:
    recipe = parse(RECIPE)
    file, result = workdir / "source.jpg", workdir / "ours.jpg"
    source = decode(file.read_bytes(), Progress())
    context = RenderContext(source, recipe.params, Progress(), pool=tiles)
    _record(
        times,
        "**`photomosaic`**",
        lambda: result.write_bytes(render(file.read_bytes(), recipe, pool=tiles).data),
        lambda: STYLES["photomosaic"].paint(context),
    )
    _record(
        times,
        "Pillow and NumPy, by mean colour, a loop",
        lambda: result.write_bytes(saved(plain_photomosaic(Image.open(file)), 75)),
        lambda: plain_photomosaic(source.image),
    )


def _measure_competitor(times: CpuTimes, workdir: Path, name: str) -> str:
    """Measure one library in its environment. Returns why that failed, or ""."""
    python = os.environ.get("PEERS", sys.executable)
    script = Path(__file__).with_name("photomosaic_peer.py")
    command = [python, "-P", script, name, workdir / "source.jpg", workdir / "tiles", workdir / "peer.jpg", "1"]
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if run.returncode:
        return "not installed" if "ModuleNotFoundError" in run.stderr else run.stderr.splitlines()[-1]
    output: dict[str, Any] = json.loads(run.stdout)
    reduced = ", source and tiles at a fifth of the size" if name == "phomo" else ", by mean colour"
    files, painting = times.setdefault(f"{name} {output['version']}{reduced}", ([], []))
    files += output["files"]
    painting += output["painting"]
    return ""


def _record(times: CpuTimes, name: str, *calls: Callable[[], object]) -> None:
    for cpu_times, call in zip(times.setdefault(name, ([], [])), calls, strict=True):
        started = time.process_time()
        call()
        cpu_times.append(time.process_time() - started)


def _median(times: list[float]) -> str:
    return f"{statistics.median(times) * 1000:,.0f}"

"""A photomosaic of 7,500 cells over 2,000 tiles, beside pip's: file to file, and painting alone, pool ready.

The libraries of others ask for other versions of Pillow than ours; they run in an environment of their own, named by
PEERS (its python):

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
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from processing.mosaic import STYLES, Pool, collect, parse, render
from processing.mosaic.codec.decode import decode
from processing.mosaic.progress import Stage
from tests.bench.paintings import TILES, plain_photomosaic
from tests.bench.photos import pool, saved
from tests.bench.timing import table

ROUNDS = 5
PEERS = {"pytomosaic": ROUNDS, "phomo": 1}  # in how many of the rounds: phomo takes minutes
RECIPE = {"style": "photomosaic", "cell": 40, "format": "jpeg", "quality": 75}
HEAD = ("way", "file to file, processor ms", "painting alone, processor ms")
Spent = dict[str, tuple[list[float], list[float]]]


def report(data: bytes) -> str:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        tiles = _lay_out(place, data)
        spent: Spent = {}
        absent: dict[str, str] = {}
        for number in range(ROUNDS):
            _ours(spent, place, tiles)
            for name, rounds in PEERS.items():
                if number < rounds:
                    absent[name] = _peer(spent, place, name)
    rows = [(name, _median(files), _median(painting)) for name, (files, painting) in spent.items()]
    return table(HEAD, rows + [(f"{name}: {said}", "", "") for name, said in absent.items() if said])


def _lay_out(place: Path, data: bytes) -> Pool:
    (place / "source.jpg").write_bytes(data)
    Image.open(place / "source.jpg").convert("RGB").save(place / "source.ppm")
    (place / "tiles").mkdir()
    for number, tile in enumerate(pool(TILES).tiles):
        (place / "tiles" / f"{number:04}.jpg").write_bytes(saved(Image.fromarray(tile), 90))
    return collect(((int(file.stem), file.read_bytes()) for file in (place / "tiles").iterdir()), side=40)


def _ours(spent: Spent, place: Path, tiles: Pool) -> None:
    recipe = parse(RECIPE)
    file, result = place / "source.jpg", place / "ours.jpg"
    source = replace(decode(file.read_bytes(), Stage()), pool=tiles)
    _note(
        spent,
        "**`photomosaic`**",
        lambda: result.write_bytes(render(file.read_bytes(), recipe, pool=tiles).data),
        lambda: STYLES["photomosaic"].paint(source, recipe.params, Stage()),
    )
    _note(
        spent,
        "Pillow and NumPy, by mean colour, a loop",
        lambda: result.write_bytes(saved(plain_photomosaic(Image.open(file)), 75)),
        lambda: plain_photomosaic(source.image),
    )


def _peer(spent: Spent, place: Path, name: str) -> str:
    """Why it could not be measured, "" where it was."""
    python = os.environ.get("PEERS", sys.executable)
    script = Path(__file__).with_name("photomosaic_peer.py")
    words = [python, "-P", script, name, place / "source.jpg", place / "tiles", place / "peer.jpg", "1"]
    run = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if run.returncode:
        return "not installed" if "ModuleNotFoundError" in run.stderr else run.stderr.splitlines()[-1]
    made: dict[str, Any] = json.loads(run.stdout)
    reduced = ", source and tiles at a fifth of the size" if name == "phomo" else ", by mean colour"
    files, painting = spent.setdefault(f"{name} {made['version']}{reduced}", ([], []))
    files += made["files"]
    painting += made["painting"]
    return ""


def _note(spent: Spent, name: str, *ways: Callable[[], object]) -> None:
    for times, way in zip(spent.setdefault(name, ([], [])), ways, strict=True):
        started = time.process_time()
        way()
        times.append(time.process_time() - started)


def _median(times: list[float]) -> str:
    return f"{statistics.median(times) * 1000:,.0f}"

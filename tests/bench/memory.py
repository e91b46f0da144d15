"""What a render takes in memory at its highest, from JPEG to finished file: each in a process of its own. Linux."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from processing.mosaic import STYLES, parse, render
from processing.process_setup import hand_back, prepare
from tests.bench.paintings import GRIDS, SAID
from tests.bench.timing import table

BYTES_A_PIXEL = 12
HARD: dict[str, dict[str, Any]] = {
    **{name: {"cell": STYLES[name].params.model_fields["cell"].metadata[0].ge} for name in STYLES},
    "voronoi": {"cells": 25_000},
    "quadtree": {"cell": 2, "cells": 100_000},
}
"""As many cells as a style can have."""


def report(data: bytes) -> str:
    wanted: list[dict[str, Any]] = [{"style": name, **SAID.get(name, {})} for name in STYLES]
    wanted += [{"style": name, **SAID.get(name, {}), **said} for name, said in HARD.items()]
    wanted += [{"style": name, "cell": 2, "palette": "auto-12", "dither": True} for name in (*GRIDS, "dots", "mosaic")]
    wanted += [{"style": name, **SAID.get(name, {}), "format": "webp"} for name in ("hexagon", "redact")]
    size = Image.open(io.BytesIO(data)).size
    limit = f"of {BYTES_A_PIXEL * size[0] * size[1] / 2**20:.0f} ({BYTES_A_PIXEL} bytes a pixel)"
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(data)
        return table(("recipe", "MiB", limit), [_row(file.name, recipe) for recipe in wanted])


def _row(photo: str, recipe: dict[str, Any]) -> tuple[str, ...]:
    words = [sys.executable, "-m", "tests.bench.memory", photo, json.dumps(recipe)]
    taken, limit = map(float, subprocess.run(words, check=True, capture_output=True, text=True).stdout.split())
    said = ", ".join(f"{name} {value}" for name, value in recipe.items() if name != "style")
    return f"`{recipe['style']}`" + (f", {said}" if said else ""), f"{taken:.0f}", f"{taken / limit:.0%}"


def _kib(name: str) -> int:
    """A line of proc_pid_status(5)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def main() -> None:
    """Over what the process holds once it has rendered a small picture, so that libraries do not count."""
    prepare()
    photo, recipe = Path(sys.argv[1]).read_bytes(), parse(sys.argv[2])
    with Image.open(io.BytesIO(photo)) as image:
        size, small = image.size, io.BytesIO()
        image.convert("RGB").reduce(20).save(small, "JPEG")
    render(small.getvalue(), recipe)
    hand_back()
    before = _kib("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the highest so far is forgotten
    render(photo, recipe)
    print((_kib("VmHWM") - before) / 1024, BYTES_A_PIXEL * size[0] * size[1] / 2**20)


if __name__ == "__main__":
    main()

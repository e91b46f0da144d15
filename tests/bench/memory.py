"""Peak memory of a render from JPEG to finished file, each in a process of its own. Linux only."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from processing.mosaic import STYLES, parse, release_free_memory, render
from processing.process_setup import tune_process
from tests.bench.style_renders import EXTRA_PARAMS, GRIDS
from tests.bench.timing import table

BYTES_A_PIXEL = 12
MAX_CELL_PARAMS: dict[str, dict[str, Any]] = {
    **{name: {"cell": STYLES[name].params.model_fields["cell"].metadata[0].ge} for name in STYLES},
    "voronoi": {"cells": 25_000, "panes": "voronoi"},
    "quadtree": {"cell": 2, "cells": 100_000},
}
"""The parameters that give each style its largest number of cells."""


def report(data: bytes) -> str:
    recipes: list[dict[str, Any]] = [{"style": name, **EXTRA_PARAMS.get(name, {})} for name in STYLES]
    recipes += [{"style": name, **EXTRA_PARAMS.get(name, {}), **params} for name, params in MAX_CELL_PARAMS.items()]
    recipes += [{"style": name, "cell": 2, "palette": "auto-12", "dither": True} for name in (*GRIDS, "dots", "mosaic")]
    recipes += [{"style": name, **EXTRA_PARAMS.get(name, {}), "format": "webp"} for name in ("hexagon", "redact")]
    size = Image.open(io.BytesIO(data)).size
    limit = f"of {BYTES_A_PIXEL * size[0] * size[1] / 2**20:.0f} ({BYTES_A_PIXEL} bytes per pixel)"
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(data)
        return table(("recipe", "MiB", limit), [_row(file.name, recipe) for recipe in recipes])


def _row(photo: str, recipe: dict[str, Any]) -> tuple[str, ...]:
    command = [sys.executable, "-m", "tests.bench.memory", photo, json.dumps(recipe)]
    peak_mib, limit_mib = map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    params = ", ".join(f"{name} {value}" for name, value in recipe.items() if name != "style")
    return f"`{recipe['style']}`" + (f", {params}" if params else ""), f"{peak_mib:.0f}", f"{peak_mib / limit_mib:.0%}"


def status_kib(name: str) -> int:
    """A value of /proc/self/status, see proc_pid_status(5)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def main() -> None:
    """Measure above the memory after a small render, so that imported libraries do not count."""
    tune_process()
    photo, recipe = Path(sys.argv[1]).read_bytes(), parse(sys.argv[2])
    with Image.open(io.BytesIO(photo)) as image:
        size, small = image.size, io.BytesIO()
        image.convert("RGB").reduce(20).save(small, "JPEG")
    render(small.getvalue(), recipe)
    release_free_memory()
    before = status_kib("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak (proc_pid_clear_refs(5))
    render(photo, recipe)
    print((status_kib("VmHWM") - before) / 1024, BYTES_A_PIXEL * size[0] * size[1] / 2**20)


if __name__ == "__main__":
    main()

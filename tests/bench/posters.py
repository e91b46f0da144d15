"""Results from 12 to 140 megapixels: processor time, peak memory and file size of every style, and of other programs.

    .venv/bin/python -m tests.bench.posters [a4 a2 a1 140mp 12mp pdf webp peers floor] [--styles=hexagon] [--photo=FILE]

Without words: everything. Each result is made in a process of its own, a JPEG from a JPEG of 12 megapixels. Memory is
what the process takes above its memory after a small render, less the pixels of the decoded source. A task can be
cancelled when it reports its progress. The rows of photomosaics and of other programs paste 7,500 tiles that are
decoded once; see poster_peer.py. `floor` compares `hexagon` at A2 with Pillow decoding the source and encoding the
finished pixels, alternately. Linux only.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from processing.mosaic import STYLES, TilePool, parse, pool_from_tiles, release_free_memory, render
from processing.process_setup import tune_process
from tests.bench.memory import status_kib
from tests.bench.photos import photo
from tests.bench.timing import table

SIZES = {"12mp": 4000, "a4": 3508, "a2": 7016, "a1": 9933, "140mp": 13_664}
"""The longer side in pixels; paper at 300 dots per inch."""
FORMATS_SIZE = "a2"
"""At which a PDF and a WebP are made."""
COLUMNS, ROWS, TILES = 100, 75, 200
SOURCE_MB = 4000 * 3000 * 4 / 1e6
PEERS = ("pillow", "pyvips", "montage", "metapixel")


def print_styles(size: str, styles: Sequence[str], source: Path, format: str = "jpeg") -> None:
    """Row by row, as this takes minutes."""
    print(table((f"{size}, {format}", "CPU s", "MB", "file, MB", "longest without a report, CPU s"), []))
    for style in styles:
        measured = _measured(source, {"style": style, "size": SIZES[size], "dpi": 300, "format": format})
        if "error" in measured:
            print(f"| `{style}` | {measured['error']} | | | |", flush=True)
            continue
        memory = max(0.0, measured["peak_mb"] - SOURCE_MB)
        numbers = (
            f"{measured['cpu_s']:.2f}",
            f"{memory:.0f}",
            f"{measured['file_mb']:.1f}",
            f"{measured['silent_s']:.2f}",
        )
        print("| " + " | ".join((f"`{style}`", *numbers)) + " |", flush=True)


def _measured(source: Path, recipe: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.posters", "one", str(source), json.dumps(recipe)]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return answer


def measure(source: Path, recipe: dict[str, Any]) -> dict[str, Any]:
    """In this process: the figures of one result, or why it is refused."""
    tune_process()
    data, parsed = source.read_bytes(), parse(recipe)
    side = round(recipe["size"] / COLUMNS)
    pool = tile_pool(side) if recipe["style"] == "photomosaic" else None
    if pool is not None:
        parsed = parse({**recipe, "cell": side})
    with Image.open(io.BytesIO(data)) as image:
        small = io.BytesIO()
        image.convert("RGB").reduce(20).save(small, "JPEG")
    render(small.getvalue(), parse({"style": recipe["style"]}), pool=pool)
    release_free_memory()
    before = status_kib("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak (proc_pid_clear_refs(5))
    started = time.process_time()
    moments = [started]
    try:
        result = render(data, parsed, lambda _: moments.append(time.process_time()), pool=pool)
    except ValueError as error:
        return {"error": f"refused: {error}"}
    seconds, silent = time.process_time() - started, float(np.diff(moments).max())
    megabytes = (status_kib("VmHWM") - before) * 1024 / 1e6
    return {"cpu_s": seconds, "silent_s": silent, "peak_mb": megabytes, "file_mb": len(result.data) / 1e6}


def tiles_of(side: int) -> np.ndarray:
    """(TILES, side, side, 3): parts of the photo, as detailed as photos are."""
    with Image.open(io.BytesIO(photo())) as image:
        places = np.random.default_rng(3).integers(0, 2600, (TILES, 2)).tolist()
        parts = [image.resize((side, side), Image.Resampling.BOX, (x, y, x + 400, y + 400)) for x, y in places]
    return np.stack([np.asarray(part) for part in parts])


def tile_pool(side: int) -> TilePool:
    whole = -(-side // 8) * 8
    return pool_from_tiles(range(TILES), tiles_of(whole))


def print_peers(size: str, source: Path) -> None:
    """Other programs that assemble the same number of tiles. PEERS names a Python that has pyvips."""
    side = round(SIZES[size] / COLUMNS)
    print(table((f"{size}, {COLUMNS} x {ROWS} tiles", "CPU s", "MB of the process", "file, MB"), []), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        tiles, result = Path(folder, "tiles"), Path(folder, "result.jpg")
        tiles.mkdir()
        for number, tile in enumerate(tiles_of(side)):
            Image.fromarray(tile).save(tiles / f"{number:04}.png")
        for peer in PEERS:
            command = _peer_command(peer, tiles, source, result, side)
            if command is None:
                print(f"| {peer} | not installed | | |", flush=True)
                continue
            result.unlink(missing_ok=True)
            seconds, megabytes = _run(command)
            file = f"{result.stat().st_size / 1e6:.1f}" if result.exists() else "none"
            print(f"| {peer} | {seconds:.2f} | {megabytes:.0f} | {file} |", flush=True)


def _peer_command(peer: str, tiles: Path, source: Path, result: Path, side: int) -> list[str] | None:
    script = [str(Path(__file__).with_name("poster_peer.py")), peer, str(tiles), str(result), str(COLUMNS), str(ROWS)]
    if peer == "pillow":
        return [sys.executable, *script]
    if peer == "pyvips":
        return [os.environ["PEERS"], *script] if "PEERS" in os.environ else None
    if shutil.which(peer) is None:
        return None
    if peer == "montage":
        listed = tiles.with_suffix(".txt")
        names = [str(tiles / f"{number % TILES:04}.png") for number in range(COLUMNS * ROWS)]
        listed.write_text("\n".join(names))
        return [peer, f"@{listed}", "-tile", f"{COLUMNS}x{ROWS}", "-geometry", "+0+0", "-quality", "90", str(result)]
    library = tiles.with_name("library")
    if not library.exists():
        library.mkdir()
        subprocess.run(
            ["metapixel-prepare", f"--width={side}", f"--height={side}", str(tiles), str(library)],
            check=True,
            capture_output=True,
        )
    with Image.open(source) as image:
        enlarged = tiles.with_suffix(".png")
        image.resize((COLUMNS * side // 4, ROWS * side // 4)).save(enlarged, compress_level=1)
    options = [f"--library={library}", f"--width={side}", f"--height={side}", "--scale=4", "--distance=4"]
    return [peer, *options, "--metapixel", str(enlarged), str(result)]


_MEASURING = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)
"""


def _run(command: list[str]) -> tuple[float, float]:
    """CPU seconds and peak MB of a process, whose parent must be small: it begins with the memory of its parent."""
    measuring = [sys.executable, "-c", _MEASURING, *command]
    seconds, megabytes = subprocess.run(measuring, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), float(megabytes)


def floor_table(source: Path, rounds: int = 7) -> str:
    """`hexagon` at A2 beside Pillow decoding the source and encoding pixels of that size, alternately."""
    tune_process()
    data = source.read_bytes()
    recipe = parse({"style": "hexagon", "size": SIZES["a2"], "dpi": 300, "format": "jpeg"})
    with Image.open(io.BytesIO(render(data, recipe).data)) as image:
        finished = image.copy()
    with Image.open(io.BytesIO(data)) as image:
        enlarged = image.resize(finished.size)
    encoded = {"finished": (finished, {}), "finished, no subsampling": (finished, {"subsampling": 0})}
    encoded["photo, no subsampling"] = (enlarged, {"subsampling": 0})
    times: dict[str, list[float]] = {"hexagon": []} | {name: [] for name in encoded}
    for _ in range(rounds):
        times["hexagon"].append(_cpu_s(lambda: render(data, recipe)))
        for name, (pixels, options) in encoded.items():

            def pillow(pixels: Image.Image = pixels, options: dict[str, Any] = options) -> None:
                Image.open(io.BytesIO(data)).load()
                pixels.save(io.BytesIO(), "JPEG", quality=90, **options)

            times[name].append(_cpu_s(pillow))
    ours = statistics.median(times["hexagon"])
    rows = [
        (name, f"{statistics.median(each):.2f}", f"{ours / statistics.median(each):.1f}")
        for name, each in times.items()
    ]
    return table(("hexagon at A2; Pillow decodes the source and encodes", "CPU s", "hexagon / it"), rows)


def _cpu_s(call: Any) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def main(words: list[str]) -> None:
    options = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
    chosen = [word for word in words if not word.startswith("--")] or [*SIZES, "pdf", "webp", "peers", "floor"]
    styles = options.get("styles", ",".join(name for name in STYLES if name != "redact")).split(",")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(options.get("photo", Path(folder, "photo.jpg")))
        if "photo" not in options:
            source.write_bytes(photo())
        for word in chosen:
            if word == "floor":
                print(floor_table(source), flush=True)
            elif word == "peers":
                for size in ("a2", "140mp"):
                    print_peers(size, source)
            elif word in ("pdf", "webp"):
                print_styles(FORMATS_SIZE, styles, source, word)
            else:
                print_styles(word, styles, source)
            print(flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(measure(Path(sys.argv[2]), json.loads(sys.argv[3]))))
    else:
        main(sys.argv[1:])

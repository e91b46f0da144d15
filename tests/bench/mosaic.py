"""Square blocks of 16 pixels on a 12 megapixel JPEG, beside the ways that pip offers, interleaved in one run.

    .venv/bin/python -m tests.bench.mosaic [photo.jpg]

Peers that are not installed are left out (`pip install opencv-python-headless pyvips pyvips-binary`). Prints medians
of processor time and the mean error against exact block means, in linear light and of the encoded numbers.
"""

from __future__ import annotations

import importlib.util
import io
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from processing.mosaic import parse, render
from processing.mosaic.light import to_linear, to_srgb

CELL = 16
ROUNDS = 9


def photo() -> bytes:
    """4000 x 3000 of soft shapes, edges and grain, as a camera would save it."""
    rng = np.random.default_rng(12)
    coarse = Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)).resize(
        (4000, 3000), Image.Resampling.BICUBIC
    )
    edges = Image.fromarray(rng.integers(0, 90, (200, 260, 3), dtype=np.uint8)).resize(
        (4000, 3000), Image.Resampling.NEAREST
    )
    grain = rng.normal(0, 5, (3000, 4000, 1))
    pixels = np.asarray(coarse) * 0.7 + np.asarray(edges) + grain
    return saved(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), 90)


def saved(image: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def ours(data: bytes, **params: object) -> Callable[[], bytes]:
    recipe = parse({"cell": CELL, "quality": 85, **params})
    return lambda: render(data, recipe).data


def plain_pillow(data: bytes) -> bytes:
    image = Image.open(io.BytesIO(data))
    small = image.resize((-(-image.width // CELL), -(-image.height // CELL)), Image.Resampling.BOX)
    return saved(small.resize(image.size, Image.Resampling.NEAREST), 85)


def pillow_reduce(data: bytes) -> bytes:
    image = Image.open(io.BytesIO(data))
    small = image.reduce(CELL)
    large = small.resize((small.width * CELL, small.height * CELL), Image.Resampling.NEAREST)
    return saved(large.crop((0, 0, *image.size)), 85)


def opencv(data: bytes) -> bytes:
    import cv2

    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    height, width = image.shape[:2]
    small = cv2.resize(image, (-(-width // CELL), -(-height // CELL)), interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    return bytes(cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, 85])[1])


def vips(data: bytes) -> bytes:
    import pyvips

    image = pyvips.Image.new_from_buffer(data, "")
    large = image.shrink(CELL, CELL, ceil=True).zoom(CELL, CELL)
    return bytes(large.crop(0, 0, image.width, image.height).write_to_buffer(".jpg", Q=85))


def decode_alone(data: bytes, scale: int) -> None:
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (image.width // scale, image.height // scale))
    image.load()


def exact(data: bytes, linear: bool) -> np.ndarray:
    """The picture that would have no error, as floats 0..255."""
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) / 255
    height, width = pixels.shape[:2]
    light = to_linear(pixels) if linear else pixels
    tops, lefts = np.arange(0, height, CELL), np.arange(0, width, CELL)
    sums = np.add.reduceat(np.add.reduceat(light, tops, axis=0), lefts, axis=1)
    areas = np.outer(np.diff(tops, append=height), np.diff(lefts, append=width))
    means = sums / areas[..., None]
    means = (to_srgb(means) if linear else means) * 255
    return means.repeat(CELL, 0)[:height].repeat(CELL, 1)[:, :width]


def main() -> None:
    data = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else photo()
    ways: dict[str, Callable[[], bytes | None]] = {
        "ours, exact, PNG": ours(data),
        "ours, exact, JPEG": ours(data, format="jpeg"),
        "ours, draft, PNG": ours(data, draft=True),
        "ours, draft, JPEG": ours(data, draft=True, format="jpeg"),
        "ours, draft, encoded numbers, JPEG": ours(data, draft=True, format="jpeg", linear=False),
        "plain Pillow, JPEG": lambda: plain_pillow(data),
        "Pillow reduce, JPEG": lambda: pillow_reduce(data),
        "decoding alone": lambda: decode_alone(data, 1),
        "decoding alone at 1/8": lambda: decode_alone(data, 8),
    }
    if importlib.util.find_spec("cv2"):
        ways["OpenCV, JPEG"] = lambda: opencv(data)
    if importlib.util.find_spec("pyvips"):
        ways["pyvips, JPEG"] = lambda: vips(data)
    times: dict[str, list[float]] = {name: [] for name in ways}
    made: dict[str, bytes | None] = {}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = time.process_time()
            made[name] = way()
            times[name].append(time.process_time() - started)
    truth = {"linear": exact(data, True), "encoded": exact(data, False)}
    print(f"{len(data) / 1e6:.1f} MB JPEG, cell {CELL}, medians of {ROUNDS} rounds")
    for name, result in made.items():
        row = f"{name:36s}{statistics.median(times[name]) * 1000:7.0f} ms"
        if result is not None:
            pixels = np.asarray(Image.open(io.BytesIO(result)).convert("RGB")).astype(float)
            errors = [f"{light} {np.abs(pixels - means).mean():.2f}" for light, means in truth.items()]
            row += f"   {len(result) / 1000:5.0f} kB   mean error: {', '.join(errors)}"
        print(row)


if __name__ == "__main__":
    main()

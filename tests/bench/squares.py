"""Square blocks of 16 pixels, JPEG to file, beside other libraries."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from processing.mosaic import parse, render
from processing.mosaic.colour.srgb import encode_srgb, linearise
from tests.bench.photos import saved
from tests.bench.timing import table, time_alternately

CELL = 16
ROUNDS = 9
HEAD = ("implementation", "CPU ms", "mean error of 255, light / numbers", "result kB")


def report(data: bytes) -> str:
    times_ms, results = time_alternately(variants(data), ROUNDS)
    truth = [exact(data, True), exact(data, False)]
    rows = []
    for name, result in results.items():
        row = (name, f"{times_ms[name]:.0f}", "", "")
        if result is not None:
            pixels = np.asarray(Image.open(io.BytesIO(result)).convert("RGB")).astype(np.float32)
            errors = [f"{np.abs(pixels - means).mean():.2f}" for means in truth]
            row = (*row[:2], " / ".join(errors), f"{len(result) / 1000:.0f}")
        rows.append(row)
    return table(HEAD, rows)


def variants(data: bytes) -> dict[str, Callable[[], bytes | None]]:
    """Libraries that are not installed are left out."""
    calls: dict[str, Callable[[], bytes | None]] = {
        "exact, PNG": tessera(data),
        "exact, JPEG": tessera(data, format="jpeg"),
        "exact, numbers, JPEG": tessera(data, format="jpeg", linear=False),
        "draft, PNG": tessera(data, draft=True),
        "draft, JPEG": tessera(data, draft=True, format="jpeg"),
        "draft, numbers, JPEG": tessera(data, draft=True, format="jpeg", linear=False),
        "plain Pillow (BOX down, NEAREST up), JPEG": lambda: plain_pillow(data),
        "Pillow `reduce`, JPEG": lambda: pillow_reduce(data),
    }
    if importlib.util.find_spec("cv2"):
        calls["OpenCV (AREA, NEAREST), JPEG"] = lambda: opencv(data)
        calls["OpenCV, decoded at 1/8, JPEG"] = lambda: opencv(data, 8)
    if importlib.util.find_spec("pyvips"):
        calls["pyvips (shrink, zoom), JPEG"] = lambda: vips(data)
        calls["pyvips, decoded at 1/8, JPEG"] = lambda: vips(data, 8)
    calls["decoding alone"] = lambda: decode_alone(data, 1)
    calls["decoding alone at 1/8 (the floor)"] = lambda: decode_alone(data, 8)
    return calls


def tessera(data: bytes, **params: object) -> Callable[[], bytes]:
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


def opencv(data: bytes, shrink: int = 1) -> bytes:
    import cv2

    width, height = Image.open(io.BytesIO(data)).size
    flag = cv2.IMREAD_REDUCED_COLOR_8 if shrink == 8 else cv2.IMREAD_COLOR
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    small = cv2.resize(image, (-(-width // CELL), -(-height // CELL)), interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    return bytes(cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, 85])[1])


def vips(data: bytes, shrink: int = 1) -> bytes:
    import pyvips

    width, height = Image.open(io.BytesIO(data)).size
    image = pyvips.Image.new_from_buffer(data, "", shrink=shrink)
    large = image.shrink(CELL // shrink, CELL // shrink, ceil=True).zoom(CELL, CELL)
    return bytes(large.crop(0, 0, width, height).write_to_buffer(".jpg", Q=85))


def decode_alone(data: bytes, scale: int) -> None:
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (image.width // scale, image.height // scale))
    image.load()


def exact(data: bytes, linear: bool) -> np.ndarray:
    """The exact result, as floats 0..255."""
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    height, width = pixels.shape[:2]
    values = np.arange(256) / 255
    light = (linearise(values) if linear else values)[pixels]
    tops, lefts = np.arange(0, height, CELL), np.arange(0, width, CELL)
    sums = np.add.reduceat(np.add.reduceat(light, tops, axis=0), lefts, axis=1)
    areas = np.outer(np.diff(tops, append=height), np.diff(lefts, append=width))
    means = sums / areas[..., None]
    means = ((encode_srgb(means) if linear else means) * 255).astype(np.float32)
    return means.repeat(CELL, 0)[:height].repeat(CELL, 1)[:, :width]

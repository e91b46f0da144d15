"""Decoding in a separate process, for formats whose decoders are large and have a record of memory errors.

A crash there, too much memory or too much time end that process alone, and the picture is refused as damaged. The
process costs about a tenth of a second a picture.
"""

from __future__ import annotations

import json
import mmap
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import DAMAGED, NotAPicture
from .deep import DeepPicture
from .profiles.icc import Colour

PROGRAM = Path(__file__).with_name("heif_decoder.py")
_POLL_S = 0.05
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class IsolatedPicture:
    """image: L, RGB or RGBA. colour: still to be converted to sRGB. orientation: 1 to 8, still to be undone."""

    image: Image.Image
    colour: Colour
    orientation: int


def decode_isolated(
    data: bytes, format: str, max_pixels: int, colour: Colour, poll: Callable[[], None]
) -> IsolatedPicture:
    """format: HEIF or AVIF. max_pixels: by which the memory of the process is limited. colour: what the container says;
    a profile in the file goes before it.

    poll: called twenty times a second; what it raises ends the process and is raised here.
    Raises NotAPicture.
    """
    with scratch_file() as source, scratch_file() as target:
        source.write(data)
        source.seek(0)
        status = _run([sys.executable, "-I", str(PROGRAM), format, str(max_pixels)], source, target, poll)
        if status != 0:
            raise NotAPicture(DAMAGED)
        target.seek(0)
        about = json.loads(target.readline())
        colour = target.read(about["profile_bytes"]) or colour
        size = about["size"][0], about["size"][1]
        if about["bits"] > 8:
            image, colour = _deep_picture(target, size, about["bits"], about["mode"]).to_srgb(colour, poll), None
        else:
            image = Image.new(about["mode"], size)
            with mmap.mmap(target.fileno(), 0, access=mmap.ACCESS_READ) as pixels:
                image.frombytes(memoryview(pixels)[target.tell() :])
    return IsolatedPicture(image, colour, about["orientation"])


def _deep_picture(file: BinaryIO, size: tuple[int, int], bits: int, mode: str) -> DeepPicture:
    """Of the samples that follow in the file; each has its bits at the top of 16."""
    channels, start = len(mode), file.tell()
    row_bytes = 2 * channels * size[0]

    def rows(top: int, bottom: int) -> NDArray[np.uint16]:
        file.seek(start + top * row_bytes)
        samples = np.frombuffer(file.read((bottom - top) * row_bytes), np.uint16)
        white: NDArray[np.uint16] = (samples | samples >> bits).astype(np.uint16)  # is 65535
        return white.reshape(bottom - top, size[0], channels)

    return DeepPicture(size, channels, rows)


def scratch_file() -> BinaryIO:
    """A file without a name, in memory where the system can."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("picture", os.MFD_CLOEXEC), "w+b")
    return tempfile.TemporaryFile()  # pragma: no cover - on Linux there is always memory


def _run(command: list[str], source: BinaryIO, target: BinaryIO, poll: Callable[[], None]) -> int:
    process = subprocess.Popen(command, stdin=source, stdout=target, stderr=subprocess.DEVNULL, env={})
    waited = 0.0
    try:
        while waited < _TIMEOUT_S:
            try:
                return process.wait(_POLL_S)
            except subprocess.TimeoutExpired:
                waited += _POLL_S
                poll()
        return -1  # pragma: no cover - a decoder that hangs for longer than a test should
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()

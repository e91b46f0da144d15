"""A file that is written in parts is what was written, and takes little more memory than that."""

from __future__ import annotations

import subprocess
import sys

import pytest

from processing.mosaic.codec.encoders.file_buffer import FileBuffer

MEGABYTE = 1 << 20

PEAK = """
import re
import numpy as np
from pathlib import Path
from processing.mosaic.codec.encoders.file_buffer import FileBuffer
from processing.process_setup import tune_process
tune_process()
memory = lambda name: int(re.search(name + r":\\s*([0-9]+)", Path("/proc/self/status").read_text())[1]) * 1024
before, file, parts = memory("VmRSS"), FileBuffer((10_000, 8_000)), np.random.default_rng(1)
for _ in range(180):
    strip = np.ones((128, 2000, 4), np.uint8)  # as an encoder needs beside what it writes
    file.write(parts.bytes(int(parts.integers(200_000, 700_000))))
written = len(file.finish())
print(written, memory("VmHWM") - before)
"""


@pytest.mark.parametrize("size", [(40, 30), (10_000, 8_000)])
@pytest.mark.parametrize("megabytes", [0, 3, 40])
def test_a_file_is_what_was_written(megabytes: int, size: tuple[int, int]) -> None:
    file, parts = FileBuffer(size), [bytes([number]) * MEGABYTE for number in range(megabytes)]

    for part in parts:
        file.write(part)

    assert file.finish() == b"".join(parts)


def test_the_file_of_a_large_picture_takes_little_more_memory_than_its_bytes() -> None:
    command = [sys.executable, "-c", PEAK]
    written, peak = map(int, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())

    assert written > 70 * MEGABYTE
    assert peak < 1.4 * written

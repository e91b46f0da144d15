"""Where the time of the exact default goes: each part of a render of 12 megapixels alone, beside plain Pillow.

    .venv/bin/python -m tests.bench.square_parts [photo.jpg]

All parts are timed alternately, so that other load on the machine affects all of them alike: compare the shares.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from processing.mosaic.cells.block_means import block_means
from processing.mosaic.codec.decode import decode
from processing.mosaic.codec.encoders.block_encoders import encode_block_jpeg
from processing.mosaic.colour.oklab import delta_e
from processing.mosaic.colour.pixels import look_up, pixels
from processing.mosaic.colour.srgb import linear_lut
from processing.mosaic.progress import BAND_PX, Progress
from processing.mosaic.report import reference
from processing.process_setup import tune_process
from tests.bench.photos import photo
from tests.bench.squares import CELL, decode_alone, plain_pillow, tessera
from tests.bench.timing import table, time_alternately

ROUNDS = 9
LOOKED_UP_PX = 1 << 18


def main(data: bytes) -> None:
    tune_process()
    source = decode(data, Progress())
    image, size = source.image, source.image.size
    rows = BAND_PX // image.width // CELL * CELL
    boxes = [(0, top, image.width, min(image.height, top + rows)) for top in range(0, image.height, rows)]
    bands = [image.crop(box) for box in boxes]
    lut = linear_lut(True)
    means = block_means(image, CELL, True, Progress())
    small = np.asarray(reference(source, size).image)

    def look_up_all(sum_rows: bool) -> None:
        for band in bands:
            for values in np.array_split(pixels(band), max(1, band.width * band.height // LOOKED_UP_PX)):
                light = look_up(values, lut)
                if sum_rows:
                    light.sum(axis=0)

    parts: dict[str, Callable[[], object]] = {
        "the whole, exact, JPEG": tessera(data, format="jpeg"),
        "plain Pillow (BOX down, NEAREST up), JPEG": lambda: plain_pillow(data),
        "libjpeg's decoding, which both need": lambda: decode_alone(data, 1),
        "decoding with the check that no pixel is missing": lambda: decode(data, Progress()),
        "the means": lambda: block_means(image, CELL, True, Progress()),
        "of the means: copying bands": lambda: [image.crop(box) for box in boxes],
        "of the means: looking up light": lambda: look_up_all(False),
        "of the means: looking up light and summing it": lambda: look_up_all(True),
        "report: reducing the source": lambda: reference(source, size),
        "report: comparing in OKLab": lambda: delta_e(small, small),
        "encoding": lambda: encode_block_jpeg(means, CELL, size, 85, Progress()),
    }
    times_ms, _ = time_alternately(parts, ROUNDS)
    whole_ms = times_ms["the whole, exact, JPEG"]
    lines = [(name, f"{ms:.1f}", f"{ms / whole_ms:.2f}") for name, ms in times_ms.items()]
    print(table(("part", "CPU ms", "of the whole"), lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else photo())

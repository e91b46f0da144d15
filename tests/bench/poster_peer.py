"""A large picture of tiles that are decoded once, by another library: see posters.py.

python poster_peer.py pillow|pyvips TILES_FOLDER RESULT COLUMNS ROWS
"""

from __future__ import annotations

import sys
from pathlib import Path

QUALITY = 90


def pillow(tiles: list[Path], result: Path, columns: int, rows: int) -> None:
    """The whole picture in memory."""
    from PIL import Image

    images = [Image.open(path).convert("RGB") for path in tiles]
    side = images[0].width
    picture = Image.new("RGB", (columns * side, rows * side))
    for number in range(columns * rows):
        row, column = divmod(number, columns)
        picture.paste(images[number % len(images)], (column * side, row * side))
    picture.save(result, quality=QUALITY, subsampling=0)


def pyvips(tiles: list[Path], result: Path, columns: int, rows: int) -> None:
    import pyvips as vips

    images = [vips.Image.new_from_file(str(path)).copy_memory() for path in tiles]
    all_cells = [images[number % len(images)] for number in range(columns * rows)]
    vips.Image.arrayjoin(all_cells, across=columns).jpegsave(str(result), Q=QUALITY, subsample_mode="off")


def main() -> None:
    library, tiles, result, columns, rows = sys.argv[1:]
    files = sorted(Path(tiles).glob("*.png"))
    {"pillow": pillow, "pyvips": pyvips}[library](files, Path(result), int(columns), int(rows))


if __name__ == "__main__":
    main()

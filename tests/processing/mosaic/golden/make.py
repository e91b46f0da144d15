"""Golden images: what every style makes of one small photo. Look at them whenever they change.

    .venv/bin/python -m tests.processing.mosaic.golden.make hexagon dots

renders the images of the named styles and leaves all others untouched. source.png: Chelsea the cat by Stefan van der
Walt (CC0), reduced.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from processing.mosaic import STYLES, parse, render
from tests.processing.mosaic.samples import sample

FOLDER = Path(__file__).parent
CELLS = {"photomosaic": 14, "quadtree": 3}
DEFAULT_CELL = 7


def render_golden(style: str) -> bytes:
    """The style's PNG of the source, at a cell size that shows the style."""
    source = (FOLDER / "source.png").read_bytes()
    smallest = STYLES[style].params.model_fields["cell"].metadata[0].ge
    return render(source, parse(sample(style, cell=max(smallest, CELLS.get(style, DEFAULT_CELL))))).data


def main(arguments: Sequence[str] | None = None, folder: Path = FOLDER) -> None:
    parser = argparse.ArgumentParser(description="Renders the golden images of the named styles.")
    parser.add_argument("styles", nargs="+", choices=list(STYLES), metavar="STYLE", help=", ".join(STYLES))
    for style in parser.parse_args(arguments).styles:
        (folder / f"{style}.png").write_bytes(render_golden(style))


if __name__ == "__main__":
    main()

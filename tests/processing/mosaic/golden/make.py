"""Golden pictures: what every style makes of one small photo, to be looked at when a test says that they changed.

    .venv/bin/python -m tests.processing.mosaic.golden.make

makes them anew. source.png: Chelsea the cat by Stefan van der Walt (CC0), made smaller.
"""

from __future__ import annotations

from pathlib import Path

from processing.mosaic import STYLES, parse, render
from tests.processing.mosaic.samples import sample

FOLDER = Path(__file__).parent
CELLS = {"photomosaic": 14, "quadtree": 3}
USUAL_CELL = 7


def render_golden(style: str) -> bytes:
    """The style's PNG of the source, at a cell size that leaves something to see."""
    source = (FOLDER / "source.png").read_bytes()
    smallest = STYLES[style].params.model_fields["cell"].metadata[0].ge
    return render(source, parse(sample(style, cell=max(smallest, CELLS.get(style, USUAL_CELL))))).data


if __name__ == "__main__":
    for name in STYLES:
        (FOLDER / f"{name}.png").write_bytes(render_golden(name))

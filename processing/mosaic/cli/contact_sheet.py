"""A contact sheet: one picture beside the result of every style with default parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from PIL import Image, ImageDraw, ImageFont

from ..codec.decode import contain_size, decode
from ..codec.encoders.encode import encode
from ..progress import Progress

SIDE = 320
DRAWN_SIDE = 2 * SIDE
"""Of what is drawn: as many studs and stones as people get, only smaller."""
REQUIRED_PARAMS = MappingProxyType({"redact": {"regions": [[0.32, 0.08, 0.72, 0.48]]}})
"""Parameters without a default: there is none for what to hide."""

_COLUMNS = 4
_QUALITY = 62
_MARGIN_PX = 12
_LABEL_PX = 26
_PAPER, _INK = "#f6f4ef", "#26241f"

DrawStyle = Callable[[str], bytes]


def draw_sheet(source: bytes, labels: Mapping[str, str], draw: DrawStyle) -> bytes:
    """A JPEG with the source and one picture for each style.

    labels: by style. draw: style -> its result as a file, whose longer side should be DRAWN_SIDE pixels.
    """
    pictures = [("Source", _decode_thumbnail(source))]
    pictures += [(label, _decode_thumbnail(draw(style))) for style, label in labels.items()]
    width, height = (max(image.size[axis] for _, image in pictures) + _MARGIN_PX for axis in (0, 1))
    height += _LABEL_PX
    rows = -(-len(pictures) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * width + _MARGIN_PX, rows * height + _MARGIN_PX), _PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for index, (label, image) in enumerate(pictures):
        x, y = index % _COLUMNS * width + _MARGIN_PX, index // _COLUMNS * height + _MARGIN_PX
        sheet.paste(image, (x, y))
        pen.text((x, y + image.height + 4), label, fill=_INK, font=font)
    return encode(sheet, "jpeg", _QUALITY, Progress())


def _decode_thumbnail(data: bytes) -> Image.Image:
    source = decode(data, Progress())
    return source.image.resize(contain_size(source.width, source.height, SIDE), Image.Resampling.BOX)

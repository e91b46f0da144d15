"""A contact sheet: one picture beside what every style makes of it, with the defaults untouched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from PIL import Image, ImageDraw, ImageFont

from ..codec.decode import decode
from ..codec.encode import encode
from ..progress import Stage

SIDE = 320
NEEDED = MappingProxyType({"redact": {"regions": [[0.32, 0.08, 0.72, 0.48]]}})
"""What a style cannot do without: there is no default for what to hide."""

_COLUMNS = 4
_QUALITY = 62
_MARGIN_PX = 12
_LABEL_PX = 26
_PAPER, _INK = "#f6f4ef", "#26241f"

Draw = Callable[[str], bytes]


def draw_sheet(source: bytes, names: Mapping[str, str], draw: Draw) -> bytes:
    """A JPEG with the source and one picture a style.

    names: style -> its label. draw: style -> the finished picture, whose longer side should be SIDE pixels.
    """
    pictures = [("Source", _opened(source))]
    pictures += [(label, _opened(draw(style))) for style, label in names.items()]
    width, height = (max(image.size[axis] for _, image in pictures) + _MARGIN_PX for axis in (0, 1))
    height += _LABEL_PX
    rows = -(-len(pictures) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * width + _MARGIN_PX, rows * height + _MARGIN_PX), _PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for place, (label, image) in enumerate(pictures):
        x, y = place % _COLUMNS * width + _MARGIN_PX, place // _COLUMNS * height + _MARGIN_PX
        sheet.paste(image, (x, y))
        pen.text((x, y + image.height + 4), label, fill=_INK, font=font)
    return encode(sheet, "jpeg", _QUALITY, Stage())


def _opened(data: bytes) -> Image.Image:
    return decode(data, Stage(), max_side=SIDE).image

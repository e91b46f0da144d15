"""A PDF document whose pages are drawn in millimetres from their upper left corner."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pydyf
from PIL import Image

from ..colour.palette import hex_to_rgb
from ..colour.srgb import Colours
from ..units import POINTS_PER_MM
from .fonts import encode_text, font_objects, text_width

_LEVEL = 6  # of compression
_BASELINE = 0.36  # of the size: how far below the middle of its digits the baseline of a text is
_START, _MIDDLE, _END = 0.0, 0.5, 1.0
ALIGN = {"left": _START, "centre": _MIDDLE, "right": _END}


@dataclass(frozen=True, slots=True)
class PdfImage:
    """A picture in a document, which pages draw by its name. width, height: in pixels."""

    name: str
    width: int
    height: int


class PdfPage:
    """The content of one page; lengths are millimetres, y grows downwards, colours are #rrggbb."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        flipped = f"{POINTS_PER_MM:.6f} 0 0 {-POINTS_PER_MM:.6f} 0 {height * POINTS_PER_MM:.4f} cm"
        self._operators: list[bytes] = [flipped.encode()]

    @property
    def content(self) -> bytes:
        return b"\n".join(self._operators)

    def add(self, operators: bytes) -> None:
        """Operators of the PDF language, in the page's coordinates."""
        self._operators.append(operators)

    @contextmanager
    def clipped(self, left: float, top: float, width: float, height: float) -> Iterator[None]:
        """What is drawn inside shows only in that box."""
        self.add(b"q %s W n" % _box(left, top, width, height))
        yield
        self.add(b"Q")

    def fill(self, boxes: Sequence[tuple[float, float, float, float]], colour: str) -> None:
        """boxes: left, top, width and height of each."""
        self.add(b"%s rg %s f" % (colour_operands(colour), b" ".join(_box(*box) for box in boxes)))

    def outline(self, boxes: Sequence[tuple[float, float, float, float]], width: float, colour: str) -> None:
        """Lines of that width around boxes."""
        outlines = b" ".join(_box(*box) for box in boxes)
        self.add(b"%s RG %s w %s S" % (colour_operands(colour), _number(width), outlines))

    def lines(self, ends: Sequence[tuple[float, float, float, float]], width: float, colour: str) -> None:
        """ends: x and y of the start and of the end of each line."""
        paths = b" ".join(b"%s %s m %s %s l" % tuple(map(_number, each)) for each in ends)
        self.add(b"%s RG %s w %s S" % (colour_operands(colour), _number(width), paths))

    def polygon(self, points: Sequence[tuple[float, float]], colour: str, *, line: float | None = None) -> None:
        """A filled polygon; with `line`, its outline of that width."""
        first, *others = (b"%s %s" % (_number(x), _number(y)) for x, y in points)
        path = b" ".join([first + b" m", *(point + b" l" for point in others)])
        if line is None:
            self.add(b"%s rg %s f" % (colour_operands(colour), path))
        else:
            self.add(b"%s RG %s w %s s" % (colour_operands(colour), _number(line), path))

    def image(self, image: PdfImage, left: float, top: float, width: float, height: float) -> None:
        """A picture stretched over a box."""
        matrix = b" ".join(map(_number, (width, 0, 0, -height, left, top + height)))
        self.add(b"q %s cm /%s Do Q" % (matrix, image.name.encode()))

    def text(
        self,
        text: str,
        x: float,
        y: float,
        size: float,
        *,
        align: str = "left",
        bold: bool = False,
        colour: str = "#000000",
        fit: float | None = None,
        narrowed: float = 1.0,
    ) -> None:
        """One line of text whose capitals are about centred on y.

        size: in millimetres. align: whether the text begins, is centred or ends at x. fit: the width that it must not
        exceed; it is set smaller if it would. narrowed: letters are as much narrower.
        """
        width = text_width(text)
        if fit is not None and width * size > fit:
            size = fit / width
        font, string = encode_text(text, bold=bold)
        left, baseline = x - ALIGN[align] * width * size * narrowed, y + _BASELINE * size
        self.add(
            b"%s rg BT /%s %s Tf %s 0 0 -1 %s %s Tm %s Tj ET"
            % (colour_operands(colour), font.encode(), *map(_number, (size, narrowed, left, baseline)), string)
        )


class _LargeStream(pydyf.Stream):  # type: ignore[misc]  # pydyf has no types
    """Bytes that `_Pdf` writes as they are; pydyf would copy them several times."""

    @property
    def indirect(self) -> list[bytes]:
        head = pydyf.Dictionary({**self.extra, "Length": len(self.stream[0])})
        number = b"%d %d obj\n" % (self.number, self.generation)
        return [number, head.data, b"\nstream\n", self.stream[0], b"\nendstream\nendobj\n"]


class _Pdf(pydyf.PDF):  # type: ignore[misc]
    def write_line(self, content: bytes | list[bytes], output: io.BytesIO) -> None:
        """content: also an object in parts."""
        if isinstance(content, bytes):
            super().write_line(content, output)
            return
        for part in content:
            self.current_position += len(part)
            output.write(part)


class PdfDocument:
    """The same calls give the same bytes: there is no date and no identifier in the file."""

    def __init__(self, *, title: str = "") -> None:
        self._pdf = _Pdf()
        self._pdf.info["Producer"] = pydyf.String("Tessera")
        if title:
            self._pdf.info["Title"] = pydyf.String(title)
        self._drawn, self._shadings, self._states = pydyf.Dictionary(), pydyf.Dictionary(), pydyf.Dictionary()
        self._named = pydyf.Dictionary(
            {"Font": font_objects(self._pdf), "XObject": self._drawn, "Shading": self._shadings}
        )
        self._pdf.add_object(self._named)
        self._resources = self._named.reference

    def add_jpeg(self, data: bytes, size: tuple[int, int], opacity: Image.Image | None = None) -> PdfImage:
        """A JPEG in RGB, which is stored as it is. size: its width and height. opacity: of each pixel, mode L."""
        mask = {} if opacity is None else {"SMask": self._image_stream(opacity).reference.decode()}
        return self._add_image([data], size, mask | {"Filter": "/DCTDecode"})

    def add_opacity(self, opacity: Image.Image) -> PdfImage:
        """Grey pixels for a mask, mode L."""
        return self._add_drawn(self._image_stream(opacity), opacity.size)

    def add_pixels(self, pixels: Colours) -> PdfImage:
        """pixels: (height, width, 3)."""
        height, width, _ = pixels.shape
        data = zlib.compress(np.ascontiguousarray(pixels).data, _LEVEL)
        return self._add_image([data], (width, height), {"Filter": "/FlateDecode"})

    def add_form(self, content: bytes, size: tuple[int, int], mask: bytes | None = None) -> PdfImage:
        """Operators in pixels of a picture, y downwards, as an object that is drawn like a picture.

        mask: operators in grey; the light of what they draw is the opacity, 0 where they draw nothing.
        """
        width, height = size
        matrix = f"[{1 / width:.12f} 0 0 {-1 / height:.12f} 0 1]"
        if mask is None:
            return self._add_drawn(self._form(content, size, {"Matrix": matrix}), size)
        light = self._form(mask, size, {"Group": "<</S /Transparency/CS /DeviceGray/I true>>"})
        self._pdf.add_object(light)
        name = f"G{len(self._states) + 1}"
        self._named["ExtGState"] = self._states
        self._states[name] = pydyf.Dictionary({"SMask": pydyf.Dictionary({"S": "/Luminosity", "G": light.reference})})
        group = self._form(content, size, {"Group": "<</S /Transparency/CS /DeviceRGB>>"})  # masked as a whole
        masked = b"/%s gs /%s Do" % (name.encode(), self._add_drawn(group, size).name.encode())
        return self._add_drawn(self._form(masked, size, {"Matrix": matrix}), size)

    def _form(self, content: bytes, size: tuple[int, int], more: dict[str, str]) -> pydyf.Stream:
        extra = {"Type": "/XObject", "Subtype": "/Form", "BBox": f"[0 0 {size[0]} {size[1]}]"}
        extra |= more | {"Filter": "/FlateDecode"}
        return pydyf.Stream([zlib.compress(content, _LEVEL)], extra | {"Resources": self._resources})

    def add_mesh(self, vertices: bytes, size: tuple[int, int]) -> str:
        """The name of a shading of type 4 for forms. vertices: each a flag of 8 bits, x and y of 32 as shares of the
        size, and R, G, B."""
        extra = {"ShadingType": 4, "ColorSpace": "/DeviceRGB", "BitsPerCoordinate": 32, "BitsPerComponent": 8}
        extra |= {"BitsPerFlag": 8, "Decode": f"[0 {size[0]} 0 {size[1]} 0 1 0 1 0 1]", "Filter": "/FlateDecode"}
        stream = pydyf.Stream([zlib.compress(vertices, _LEVEL)], extra)
        self._pdf.add_object(stream)
        name = f"S{len(self._shadings) + 1}"
        self._shadings[name] = stream.reference
        return name

    @contextmanager
    def page(self, width: float, height: float) -> Iterator[PdfPage]:
        """A new last page of that size in millimetres, which is finished at the end of the block."""
        page = PdfPage(width, height)
        yield page
        content = pydyf.Stream([zlib.compress(page.content, _LEVEL)], {"Filter": "/FlateDecode"})
        self._pdf.add_object(content)
        box = pydyf.Array([0, 0, width * POINTS_PER_MM, height * POINTS_PER_MM])
        self._pdf.add_page(
            pydyf.Dictionary(
                {"Type": "/Page", "Parent": self._pdf.pages.reference, "MediaBox": box}
                | {"Contents": content.reference, "Resources": self._resources}
            )
        )

    def save(self) -> bytes:
        """The file; called once."""
        file = io.BytesIO()
        self._pdf.write(file)
        return file.getvalue()

    def _image_stream(self, grey: Image.Image) -> pydyf.Stream:
        extra = {"Type": "/XObject", "Subtype": "/Image", "Width": grey.width, "Height": grey.height}
        extra |= {"ColorSpace": "/DeviceGray", "BitsPerComponent": 8, "Filter": "/FlateDecode"}
        stream = pydyf.Stream([zlib.compress(grey.tobytes(), _LEVEL)], extra)
        self._pdf.add_object(stream)
        return stream

    def _add_image(self, parts: list[bytes], size: tuple[int, int], more: dict[str, str]) -> PdfImage:
        extra = {"Type": "/XObject", "Subtype": "/Image", "Width": size[0], "Height": size[1]}
        extra |= {"ColorSpace": "/DeviceRGB", "BitsPerComponent": 8}
        return self._add_drawn(_LargeStream(parts, extra | more), size)

    def _add_drawn(self, stream: pydyf.Stream, size: tuple[int, int]) -> PdfImage:
        image = PdfImage(f"I{len(self._drawn) + 1}", *size)
        if stream.number is None:
            self._pdf.add_object(stream)
        self._drawn[image.name] = stream.reference
        return image


def colour_operands(colour: str) -> bytes:
    """The three numbers of a colour #rrggbb, 0 to 1."""
    return b" ".join(_number(value / 255) for value in hex_to_rgb(colour))


def _box(left: float, top: float, width: float, height: float) -> bytes:
    return b"%s re" % b" ".join(map(_number, (left, top, width, height)))


def _number(value: float) -> bytes:
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return b"0" if text in ("-0", "") else text.encode()

"""Containers: what a file tells about its picture, read before any pixel is decoded.

Decoders get as much of the file as its first picture needs: no metadata, no second frame, no trailer.
"""

from __future__ import annotations

from dataclasses import dataclass

from .formats.apng import first_frame
from .formats.isobmff import HeifFile, brand_format, read_heif
from .formats.jpeg import CompressedData, compressed_data, without_metadata
from .formats.orientation import jpeg_orientation, png_orientation, webp_orientation
from .formats.png import SIGNATURE, PngFile, read_png
from .formats.scan import check_jpeg, first_frame_end
from .profiles.icc import Colour, heif_colour, png_colour


@dataclass(frozen=True, slots=True)
class Container:
    """format: JPEG, PNG, GIF, WEBP, HEIF, AVIF, or "" for anything else.

    pixels: the file, or as much of it as its first picture needs. orientation: 1 to 8, as EXIF counts (HEIF and AVIF:
    see isolated). colour: what the container says instead of a profile. png, jpeg, heif: more about these formats.
    canvas: width and height of the picture where `pixels` hold a part of it only. offset: left and top of that part.
    """

    format: str
    pixels: bytes
    orientation: int = 1
    colour: Colour = None
    png: PngFile | None = None
    jpeg: CompressedData | None = None
    heif: HeifFile | None = None
    canvas: tuple[int, int] | None = None
    offset: tuple[int, int] = (0, 0)


def read_container(data: bytes, megapixels: float) -> Container:
    """Raises NotAPicture for a file that is damaged or whose structure alone would be expensive to read, and
    TooManyPixels for a HEIF or AVIF of more than `megapixels`."""
    if data.startswith(b"\xff\xd8\xff"):
        check_jpeg(data)
        pixels = without_metadata(data)
        jpeg = compressed_data(pixels)
        if jpeg is not None and not jpeg.has_end:
            pixels = pixels[: jpeg.end] + b"\xff\xd9"
        return Container("JPEG", pixels, jpeg_orientation(data), jpeg=jpeg)
    if data.startswith(SIGNATURE):
        png = read_png(data)
        orientation, colour = png_orientation(png), png_colour(png.chunks)
        if (frame := first_frame(data)) is not None:
            canvas, offset, png = png.size, (frame.left, frame.top), read_png(frame.file())
            return Container("PNG", png.readable, orientation, colour, png=png, canvas=canvas, offset=offset)
        return Container("PNG", png.readable, orientation, colour, png=png)
    if data.startswith(b"GIF8"):
        return Container("GIF", data[: first_frame_end(data)] + b";")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Container("WEBP", data, webp_orientation(data))
    if brand_format(data[:256]):
        heif = read_heif(data, megapixels)
        colour = heif_colour(*heif.cicp, heif.peak_nits) if heif.cicp else None
        return Container(heif.format, data, colour=colour, heif=heif)
    return Container("", data)

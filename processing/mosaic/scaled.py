"""An image seen at another size, resampled piece by piece: a poster's pixels are never all in memory at once."""

from __future__ import annotations

from typing import Protocol

from PIL import Image

from .progress import BAND_PX, pieces

_COMPARED_SIDE_PX = 320

Box = tuple[float, float, float, float]


class Picture(Protocol):
    """What styles read of a source: a Pillow image, or a ScaledImage."""

    @property
    def size(self) -> tuple[int, int]: ...

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    def crop(self, box: tuple[int, int, int, int], /) -> Image.Image: ...

    def reduce(self, factor: int, box: tuple[int, int, int, int] | None = None) -> Image.Image: ...

    def resize(self, size: tuple[int, int], resample: Image.Resampling, box: Box | None = None) -> Image.Image: ...


class Drawing(Protocol):
    """What styles draw on: a Pillow image, a StripCanvas, or a RegionCanvas, which has the `box` that it keeps."""

    @property
    def size(self) -> tuple[int, int]: ...

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    def paste(
        self,
        content: Image.Image | str,
        box: tuple[int, int] | tuple[int, int, int, int],
        mask: Image.Image | None = None,
        /,
    ) -> None: ...


def visible_box(drawing: Drawing) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is kept of a drawing: all, or a part of it."""
    box: tuple[int, int, int, int] = getattr(drawing, "box", (0, 0, *drawing.size))
    return box


def is_visible(drawing: Drawing, top: int, bottom: int) -> bool:
    """Whether anything is kept of the rows top to bottom - 1; the others need not be drawn."""
    _, first, _, last = visible_box(drawing)
    return top < last and bottom > first


class ScaledImage:
    """`image` as if it had been resized to `size`: smaller by area means, larger by linear interpolation.

    Neighbouring pieces fit together without a seam, since each is computed from the whole image.
    """

    def __init__(self, image: Image.Image, size: tuple[int, int]) -> None:
        self.image, self.size = image, size
        self.width, self.height = size
        self._scale = (image.width / size[0], image.height / size[1])

    def crop(self, box: tuple[int, int, int, int]) -> Image.Image:
        """The pixels of a box, which must lie inside."""
        size = (box[2] - box[0], box[3] - box[1])
        return self.resize(size, Image.Resampling.BOX, box)

    def reduce(self, factor: int, box: tuple[int, int, int, int] | None = None) -> Image.Image:
        """As of Pillow's images: `factor` times smaller, rounded up."""
        box = box or (0, 0, *self.size)
        width, height = box[2] - box[0], box[3] - box[1]
        if width % factor or height % factor:  # the last means are of fewer pixels
            result = Image.new(self.image.mode, (-(-width // factor), -(-height // factor)))
            for rows in pieces(height, max(1, BAND_PX // (width * factor)) * factor):
                part = self.crop((box[0], box[1] + rows.start, box[2], box[1] + rows.stop))
                result.paste(part.reduce(factor), (0, rows.start // factor))
            return result
        return self.resize((width // factor, height // factor), Image.Resampling.BOX, box)

    def resize(self, size: tuple[int, int], resample: Image.Resampling, box: Box | None = None) -> Image.Image:
        """A piece at another size, from the image itself. resample: to reduce; it is enlarged linearly."""
        original = self._original(box or (0, 0, *self.size))
        if size[0] > original[2] - original[0] or size[1] > original[3] - original[1]:
            resample = Image.Resampling.BILINEAR
        return self.image.resize(size, resample, box=original)

    def _original(self, box: Box) -> Box:
        across, down = self._scale
        right, bottom = min(box[2] * across, self.image.width), min(box[3] * down, self.image.height)
        return (box[0] * across, box[1] * down, right, bottom)


def scaled(image: Image.Image, size: tuple[int, int]) -> Picture:
    """The image itself where it has that size already."""
    return image if image.size == size else ScaledImage(image, size)


def compared_factor(size: tuple[int, int]) -> int:
    """How many times a result is reduced for the quality report: the blur of one cell hides all finer detail."""
    return -(-max(size) // _COMPARED_SIDE_PX)


def thinned(image: Image.Image, factor: int, size: tuple[int, int]) -> Image.Image:
    """The image reduced as one of `size` pixels reduced by `factor` would be, rounded up."""
    if image.size == size:
        return image.reduce(factor)
    small = (-(-size[0] // factor), -(-size[1] // factor))
    return image.resize(small, Image.Resampling.BOX, reducing_gap=3.0)

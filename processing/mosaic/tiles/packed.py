"""Packed features: what is stored of each picture, some hundred bytes, so that it is decoded once for all mosaics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..codec.decode import MAX_MEGAPIXELS
from .cutting import ASPECTS, TILE_PX, cut_image, decode_for_tiles
from .features import GRID, Features, features_of_means, thumbnail_means

FEATURES_VERSION = 2
"""Raised whenever the same picture gets other features."""

_MINIATURE_PX = 12
_STEPS = 6  # centerings are multiples of 1/6
RECORD = np.dtype(
    [
        ("means", np.uint8, (len(ASPECTS), GRID * GRID, 3)),
        ("centerings", np.uint8, (len(ASPECTS), 2)),
        ("miniature", np.uint8, (_MINIATURE_PX, _MINIATURE_PX, 3)),
        ("aspect", "<f4"),
    ]
)


def measure_features(data: bytes, *, megapixels: float = MAX_MEGAPIXELS) -> bytes:
    """The features of an image file, for tiles of every shape. Raises NotAPicture, TooManyPixels."""
    image = decode_for_tiles(data, TILE_PX, megapixels)
    tiles = [cut_image(image, (TILE_PX, TILE_PX), shape) for shape in ASPECTS]
    record = np.zeros((), RECORD)
    record["means"] = thumbnail_means(np.stack([tile.pixels for tile in tiles]))
    record["centerings"] = np.rint(np.array([tile.centering for tile in tiles]) * _STEPS)
    miniature = image.resize((_MINIATURE_PX, _MINIATURE_PX), Image.Resampling.HAMMING, reducing_gap=2.0)
    record["miniature"], record["aspect"] = np.asarray(miniature), image.width / image.height
    return record.tobytes()


@dataclass(frozen=True, slots=True, eq=False)
class PackedFeatures:
    """The features of n pictures for tiles of one shape.

    centerings: (n, 2). miniatures: (n, 12, 12, 3), the whole pictures, squeezed to squares. aspects: (n,), theirs.
    """

    features: Features
    centerings: NDArray[np.float64]
    miniatures: NDArray[np.uint8]
    aspects: NDArray[np.float32]
    shape: str

    @classmethod
    def of(cls, packed: Sequence[bytes], shape: str) -> PackedFeatures:
        """packed: what `measure_features` returned."""
        records = np.frombuffer(b"".join(packed), RECORD)
        index = list(ASPECTS).index(shape)
        return cls(
            features_of_means(records["means"][:, index]),
            records["centerings"][:, index] / _STEPS,
            np.ascontiguousarray(records["miniature"]),
            records["aspect"].copy(),
            shape,
        )

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, indices: NDArray[np.intp]) -> PackedFeatures:
        return replace(
            self,
            features=self.features[indices],
            centerings=self.centerings[indices],
            miniatures=self.miniatures[indices],
            aspects=self.aspects[indices],
        )

    def cut(self, indices: NDArray[np.intp], size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
        """Tiles from the miniatures, without any file: for cells so small that nothing more can be seen."""
        for index in indices.tolist():
            share = ASPECTS[self.shape] / float(self.aspects[index])  # width of the tile / width of the picture
            wide, high = _MINIATURE_PX * min(1.0, share), _MINIATURE_PX * min(1.0, 1 / share)
            left, top = self.centerings[index] * (_MINIATURE_PX - wide, _MINIATURE_PX - high)
            box = left, top, min(left + wide, _MINIATURE_PX), min(top + high, _MINIATURE_PX)
            image = Image.fromarray(self.miniatures[index])
            yield np.asarray(image.resize(size, Image.Resampling.BICUBIC, box=box))

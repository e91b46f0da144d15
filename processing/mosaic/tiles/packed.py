"""Packed features: what is stored of each picture, some hundred bytes, so that it is decoded once for all mosaics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..codec.decode import MAX_MEGAPIXELS
from ..colour.srgb import linearise, to_bytes
from ..progress import pieces
from .centering import CORNER_SIZE, CROPS, tile_centering, tile_crops
from .cutting import ASPECTS, TILE_PX, crop_box, cut_image, decode_for_tiles
from .features import GRID, Features, features_of_means, thumbnail_means

FEATURES_VERSION = 2
"""Raised whenever the same picture gets other features."""

_MINIATURE_PX = 12
_PIECE_PICTURES = 1 << 10
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
    centerings = [tile_centering(image, aspect) for aspect in ASPECTS.values()]
    tiles = [
        cut_image(image, (TILE_PX, TILE_PX), shape, (*centering, 1.0))
        for shape, centering in zip(ASPECTS, centerings, strict=True)
    ]
    record = np.zeros((), RECORD)
    record["means"] = thumbnail_means(np.stack(tiles))
    record["centerings"] = np.rint(np.array(centerings) * _STEPS)
    miniature = image.resize((_MINIATURE_PX, _MINIATURE_PX), Image.Resampling.HAMMING, reducing_gap=2.0)
    record["miniature"], record["aspect"] = np.asarray(miniature), image.width / image.height
    return record.tobytes()


@dataclass(frozen=True, slots=True, eq=False)
class PackedFeatures:
    """The features of n pictures for tiles of one shape, CROPS of each.

    features: (n * CROPS, GRID * GRID, 3). crops: (n * CROPS, 3). pictures: (n * CROPS,), the index of each tile's
    picture in the others. miniatures: (n, 12, 12, 3), the whole pictures, squeezed to squares. aspects: (n,), theirs.
    """

    features: Features
    crops: NDArray[np.float64]
    pictures: NDArray[np.intp]
    miniatures: NDArray[np.uint8]
    aspects: NDArray[np.float32]
    shape: str

    @classmethod
    def of(cls, packed: Sequence[bytes], shape: str) -> PackedFeatures:
        """packed: what `measure_features` returned. The corners are measured in the miniatures."""
        records = np.frombuffer(b"".join(packed), RECORD)
        index = list(ASPECTS).index(shape)
        miniatures, aspects = np.ascontiguousarray(records["miniature"]), records["aspect"].copy()
        crops = tile_crops(records["centerings"][:, index] / _STEPS, aspects, ASPECTS[shape])
        features = np.empty((len(records), CROPS, GRID * GRID, 3), np.float32)
        for piece in pieces(len(records), _PIECE_PICTURES):
            features[piece, 0] = features_of_means(records["means"][piece, index])
            features[piece, 1:] = _corner_features(miniatures[piece], ASPECTS[shape] / aspects[piece], crops[piece])
        return cls(
            features.reshape(-1, GRID * GRID, 3),
            crops.reshape(-1, 3),
            np.repeat(np.arange(len(records)), CROPS),
            miniatures,
            aspects,
            shape,
        )

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, indices: NDArray[np.intp]) -> PackedFeatures:
        return replace(
            self,
            features=self.features[indices],
            crops=self.crops[indices],
            pictures=self.pictures[indices],
        )

    def cut(self, indices: NDArray[np.intp], size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
        """Tiles from the miniatures, without any file: for cells so small that nothing more can be seen."""
        for index in indices.tolist():
            picture = self.pictures[index]
            squeezed = ASPECTS[self.shape] / float(self.aspects[picture])  # aspect of the tile in the miniature
            box = crop_box(self.crops[index].tolist(), (_MINIATURE_PX, _MINIATURE_PX), squeezed)
            image = Image.fromarray(self.miniatures[picture])
            yield np.asarray(image.resize(size, Image.Resampling.BICUBIC, box=box))


def _corner_features(
    miniatures: NDArray[np.uint8], aspects: NDArray[np.floating[Any]], crops: NDArray[np.float64]
) -> Features:
    """(n, CROPS - 1, GRID * GRID, 3): of all crops but the first. aspects: of the tiles in the miniatures.

    The corners are two lefts with two tops each, so that lines are averaged in linear light once for two of them.
    """
    count = len(miniatures)
    light = linearise(np.arange(256) / 255.0).astype(np.float32)[miniatures].reshape(count, _MINIATURE_PX, -1)
    wide, high = np.minimum(1.0, aspects) * CORNER_SIZE, np.minimum(1.0, 1.0 / aspects) * CORNER_SIZE
    down = _weights(crops[:, 1::2, 1] * (1.0 - high[:, None]), high) @ light  # (n, tops and rows, columns and colours)
    down = down.reshape(count, 2 * GRID, _MINIATURE_PX, 3).transpose(0, 2, 1, 3).reshape(count, _MINIATURE_PX, -1)
    means = _weights(crops[:, 1:3, 0] * (1.0 - wide[:, None]), wide) @ down  # (n, lefts and columns, tops, rows, 3)
    fields = means.reshape(count, 2, GRID, 2, GRID, 3).transpose(0, 3, 1, 4, 2, 5)
    return features_of_means(to_bytes(fields.reshape(-1, GRID * GRID, 3), linear=True)).reshape(
        count, CROPS - 1, GRID * GRID, 3
    )


def _weights(starts: NDArray[np.float64], lengths: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """(n, 2 * GRID, pixels): of a line's pixels in the means of the fields of two crops. starts: (n, 2), of 1."""
    edges = starts[:, :, None] + lengths[:, None, None] * np.arange(GRID + 1) / GRID
    pixels = np.arange(_MINIATURE_PX + 1) / _MINIATURE_PX
    overlaps = np.minimum(edges[..., 1:, None], pixels[1:]) - np.maximum(edges[..., :-1, None], pixels[:-1])
    weights = np.maximum(overlaps, 0.0).reshape(len(starts), 2 * GRID, _MINIATURE_PX)
    normalised: NDArray[np.float32] = (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)
    return normalised

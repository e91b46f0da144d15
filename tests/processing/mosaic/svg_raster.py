"""A simple rasteriser for our own SVGs: each shape in order, by the centres of pixels or their parts, even-odd."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np

_SHAPES = {"rect", "circle", "polygon"}


def rasterised(data: bytes, samples: int = 1) -> np.ndarray:
    """(height, width, 3) uint8; pixels that no shape covers are magenta. samples: a pixel, across and down."""
    root = ElementTree.fromstring(data)
    width, height = (int(root.attrib[side]) * samples for side in ("width", "height"))
    y, x = (np.mgrid[0:height, 0:width] + 0.5) / samples
    pixels = np.full((height, width, 3), (255, 0, 255), np.uint8)
    for shape in root.iter():
        if shape.tag.rpartition("}")[2] not in _SHAPES:
            continue  # a group, or one that is drawn once more
        box = _bounding_box(shape, samples)
        pixels[box][_inside_shape(shape, x[box], y[box])] = tuple(bytes.fromhex(shape.attrib["fill"][1:]))
    blocks = pixels.reshape(height // samples, samples, width // samples, samples, 3).mean(axis=(1, 3))
    return np.asarray(np.rint(blocks), np.uint8)


def rasterised_by_area(data: bytes) -> np.ndarray:
    """(height, width, 3) uint8: the mean colour of each pixel. Of an SVG of upright polygons that do not overlap, on a
    rectangle as large as the picture."""
    root = ElementTree.fromstring(data)
    ground, *shapes = (shape for shape in root.iter() if shape.tag.rpartition("}")[2] in _SHAPES)
    width, height = (int(root.attrib[side]) for side in ("width", "height"))
    ground_colour = np.array(list(bytes.fromhex(ground.attrib["fill"][1:])), float)
    pixels = np.tile(ground_colour, (height, width, 1))
    for shape in shapes:
        points = np.array([point.split(",") for point in shape.attrib["points"].split()], float)
        across, down = (
            np.clip(np.minimum(np.arange(side) + 1, high) - np.maximum(np.arange(side), low), 0, 1)
            for side, low, high in zip((width, height), points.min(axis=0), points.max(axis=0), strict=True)
        )
        colour = np.array(list(bytes.fromhex(shape.attrib["fill"][1:])), float)
        pixels += np.multiply.outer(down, across)[..., None] * (colour - ground_colour)
    return np.asarray(np.rint(pixels), np.uint8)


def inside(points: list[tuple[float, ...]], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which of the points x, y lie in the polygon (even-odd; left and upper edges belong to it)."""
    mask = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
        if y0 > y1:  # neighbours share an edge in opposite directions and must compute equal crossings
            x0, y0, x1, y1 = x1, y1, x0, y0
        if y0 != y1:
            mask ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return mask


def _bounding_box(shape: ElementTree.Element, samples: int) -> tuple[slice, slice]:
    """Rows and columns of samples that the shape can cover."""
    if "points" not in shape.attrib:
        return slice(None), slice(None)
    xs, ys = np.array([point.split(",") for point in shape.attrib["points"].split()], float).T * samples
    columns, rows = (slice(max(0, int(v.min()) - 1), max(0, int(v.max()) + 2)) for v in (xs, ys))
    return rows, columns


def _inside_shape(shape: ElementTree.Element, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    kind, attributes = shape.tag.rpartition("}")[2], shape.attrib
    if kind == "rect":
        return np.ones(x.shape, bool)
    if kind == "circle":
        radius = float(attributes["r"])
        return (x - float(attributes["cx"])) ** 2 + (y - float(attributes["cy"])) ** 2 < radius**2
    return inside([tuple(map(float, point.split(","))) for point in attributes["points"].split()], x, y)

"""A plain reading of our own SVGs: each shape in order, by pixel centres, even-odd."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np


def rasterised(data: bytes) -> np.ndarray:
    """(height, width, 3) uint8; what no shape covers is magenta."""
    root = ElementTree.fromstring(data)
    width, height = int(root.attrib["width"]), int(root.attrib["height"])
    y, x = np.mgrid[0:height, 0:width] + 0.5
    pixels = np.full((height, width, 3), (255, 0, 255), np.uint8)
    for shape in root:
        pixels[_inside(shape, x, y)] = tuple(bytes.fromhex(shape.attrib["fill"][1:]))
    return pixels


def _inside(shape: ElementTree.Element, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    kind, said = shape.tag.rpartition("}")[2], shape.attrib
    if kind == "rect":
        return np.ones(x.shape, bool)
    if kind == "circle":
        radius = float(said["r"])
        return (x - float(said["cx"])) ** 2 + (y - float(said["cy"])) ** 2 < radius**2
    return inside([tuple(map(float, point.split(","))) for point in said["points"].split()], x, y)


def inside(points: list[tuple[float, ...]], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which of the places lie in the polygon (even-odd; left and upper edges belong to it)."""
    found = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
        if y0 != y1:
            found ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return found

"""The style `voronoi`."""

from .voronoi import VORONOI

__all__ = ["VORONOI"]

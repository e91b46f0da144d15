"""The style `photomosaic`."""

from .photomosaic import PHOTOMOSAIC

__all__ = ["PHOTOMOSAIC"]

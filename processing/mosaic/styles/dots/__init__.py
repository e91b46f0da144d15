"""The style `dots`."""

from .dots import DOTS

__all__ = ["DOTS"]

"""The style `lowpoly`."""

from .lowpoly import LOWPOLY

__all__ = ["LOWPOLY"]

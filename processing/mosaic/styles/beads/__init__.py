"""The style `beads`."""

from .beads import BEADS_STYLE

__all__ = ["BEADS_STYLE"]

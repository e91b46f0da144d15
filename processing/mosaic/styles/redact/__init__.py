"""The style `redact`."""

from .redact import REDACT

__all__ = ["REDACT"]

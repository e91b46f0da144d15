"""A zlib stream that chooses its strategy by its first bytes (RFC 1950; zlib manual, deflateInit2)."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

_LEVEL = 1
_STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_RLE)
_TRIAL_BYTES = 1 << 12  # compressed
_CLEARLY_SMALLER = 0.95  # what textures repeat may begin later


class Deflate:
    """Z_RLE looks for runs of one byte alone: differences inside flat cells become a quarter to two thirds smaller.

    Where textures repeat, as studs and beads do, the default strategy writes half as much.
    """

    def __init__(self) -> None:
        self._streams = [zlib.compressobj(_LEVEL, strategy=strategy) for strategy in _STRATEGIES]
        self._trials = [b"" for _ in _STRATEGIES]

    def compress(self, rows: NDArray[np.uint8]) -> bytes:
        """rows: contiguous. What the stream has grown by: nothing until the strategy is chosen."""
        if len(self._streams) == 1:
            return self._streams[0].compress(rows.data)
        streams = zip(self._trials, self._streams, strict=True)
        self._trials = [trial + stream.compress(rows.data) for trial, stream in streams]
        return self._choose() if min(self._trial_bytes()) >= _TRIAL_BYTES else b""

    def flush(self) -> bytes:
        """The end of the stream; called once."""
        return (self._choose() if len(self._streams) > 1 else b"") + self._streams[0].flush()

    def _choose(self) -> bytes:
        usual, runs = self._trial_bytes()
        best = 1 if runs < _CLEARLY_SMALLER * usual else 0
        self._streams = [self._streams[best]]
        return self._trials[best]

    def _trial_bytes(self) -> list[int]:
        """Of each stream, with what it still holds back."""
        return [
            len(trial) + len(stream.copy().flush()) for trial, stream in zip(self._trials, self._streams, strict=True)
        ]

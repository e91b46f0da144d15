"""Rows of pixels that repeat each other, as rows of blocks of a JPEG that need not be encoded twice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .codec.encoders.strip_encoders import BLOCK

Packed = NDArray[np.uint32]


class RepeatedBlocks:
    """Takes the rows of a picture from top to bottom. Rows that do not fill a row of blocks wait for the next ones."""

    def __init__(self, width: int, height: int) -> None:
        self._rows_left = height
        self._waiting: Packed = np.empty((0, width), np.uint32)
        self._waiting_equal = np.empty(0, np.bool_)
        self._above_is_flat = False  # the rows of the last row of blocks equal each other

    def add(self, packed: Packed, repeats: NDArray[np.int64]) -> tuple[Packed, NDArray[np.intp]]:
        """packed: (n, width) rows, each of which follows `repeats` times. Returns rows of blocks that differ from the
        one above, and for each row of blocks which of them it is, from 1; 0 is the last one that was returned before.
        """
        waiting = len(self._waiting)
        index = np.concatenate([np.arange(waiting), waiting + np.repeat(np.arange(len(packed)), repeats)])
        equal = np.diff(index, prepend=-1) == 0
        equal[:waiting] = self._waiting_equal
        self._rows_left -= len(index) - waiting
        whole = len(index) if self._rows_left == 0 else len(index) // BLOCK * BLOCK
        padding = -whole % BLOCK  # a row of blocks that the picture cuts is new
        by_block = np.append(equal[:whole], np.zeros(padding, np.bool_)).reshape(-1, BLOCK)
        is_flat = np.append(self._above_is_flat, by_block[:, 1:].all(axis=1))
        new = ~(by_block.all(axis=1) & is_flat[:-1])
        self._above_is_flat = bool(is_flat[-1])
        chosen = index[:whole][np.repeat(new, BLOCK)[:whole]]
        distinct = self._select(packed, chosen)
        self._waiting, self._waiting_equal = self._select(packed, index[whole:]), equal[whole:]
        return distinct, np.cumsum(new)

    def _select(self, packed: Packed, index: NDArray[np.intp]) -> Packed:
        """Rows of those that wait, followed by `packed`."""
        result = np.empty((len(index), packed.shape[1]), np.uint32)
        first = int(np.searchsorted(index, len(self._waiting)))
        result[:first] = self._waiting[index[:first]]
        np.take(packed, index[first:] - len(self._waiting), axis=0, out=result[first:], mode="clip")
        return result

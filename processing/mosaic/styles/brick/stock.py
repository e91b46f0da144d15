"""Colours for a plate that is built from the pieces that someone has."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...colour.palette import squared_distances
from ...colour.srgb import Colours
from ...errors import BadParameter, Message, shorten
from ...progress import Progress
from .bricks import CHROMA_PENALTY, COLOURS, named_colours

MAX_STUDS = 1_000_000
STOCK_PATTERN = "null, or an object with names of brick colours and how many studs there are of each, 1 to {most:,}"
ALLOWED_STOCK = Message(STOCK_PATTERN, most=MAX_STUDS)
_NAMES = ", ".join(COLOURS)


def check_stock(stock: Mapping[str, int]) -> None:
    """Raises ValueError, which names what is wrong: an empty stock, a colour that does not exist, or a count out of
    range."""
    if not stock:
        raise ValueError(ALLOWED_STOCK)
    for name, count in stock.items():
        if name not in COLOURS:
            facts = {"most": MAX_STUDS, "name": shorten(name), "names": _NAMES}
            raise ValueError(Message(STOCK_PATTERN + "; no colour is called {name!r}, the names are {names}", **facts))
        if not 1 <= count <= MAX_STUDS:
            facts = {"most": MAX_STUDS, "count": count, "name": name}
            raise ValueError(Message(STOCK_PATTERN + "; {count} of {name!r} is not", **facts))


def stock_colours(
    colours: Colours, palette: Colours, stock: Mapping[str, int], progress: Progress
) -> NDArray[np.int32]:
    """(n,): the index in `palette`, that of `named_colours(stock)`, of each stud's piece.

    Raises BadParameter if there are fewer pieces than studs.
    """
    counts = np.array([stock[name] for name in named_colours(stock)[1]], np.int64)
    if counts.sum() < len(colours):
        allowed = Message("at least {studs} studs together, or fewer columns", studs=len(colours))
        raise BadParameter(field="stock", value=Message("{studs} studs", studs=int(counts.sum())), allowed=allowed)
    return assign_stock(squared_distances(colours, palette, CHROMA_PENALTY), counts, progress)


def assign_stock(distances: NDArray[np.float32], counts: NDArray[np.int64], progress: Progress) -> NDArray[np.int32]:
    """(n,): a colour for each stud, none more often than there are pieces.

    distances: (n, k), of each stud's own colour from those of the stock. counts: (k,), at least n together. Every stud
    takes the nearest colour that is left; where more of them want it than there are, those get it that would lose most.
    """
    colours, left, waiting = np.empty(len(distances), np.int32), counts.copy(), np.arange(len(distances))
    while len(waiting):
        choices = np.flatnonzero(left)
        costs = distances[np.ix_(waiting, choices)]
        best = costs.argmin(axis=1)
        nearest_two = np.partition(costs, min(1, len(choices) - 1), axis=1)[:, :2]
        loss = nearest_two[:, -1] - nearest_two[:, 0]
        order = np.lexsort((-loss, best))
        starts = np.flatnonzero(np.diff(best[order], prepend=-1))
        rank = np.empty(len(waiting), np.int64)
        rank[order] = np.arange(len(waiting)) - np.repeat(starts, np.diff(starts, append=len(waiting)))
        accepted = rank < left[choices[best]]
        colours[waiting[accepted]] = choices[best[accepted]]
        left -= np.bincount(choices[best[accepted]], minlength=len(left))
        waiting = waiting[~accepted]
        progress(1 - len(waiting) / len(distances))
    return colours

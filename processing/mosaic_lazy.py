"""The mosaic engine, imported when something of it is first used: that takes a quarter of the time of a start.

`from processing import mosaic_lazy as mosaic` has the names of `processing.mosaic`. The server imports the engine in a
thread as soon as it answers requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from processing.mosaic import *  # noqa: F403
else:

    def __getattr__(name: str) -> object:
        if name.startswith("__"):  # tools ask every module for names of theirs
            raise AttributeError(name)
        from processing import mosaic

        return getattr(mosaic, name)


def import_engine() -> None:
    """Takes a tenth of a second and more; harmless when repeated."""
    from processing import mosaic  # noqa: F401

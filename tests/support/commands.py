"""The calls of the driver to MongoDB, as it makes them."""

from __future__ import annotations

import copy
from typing import Any

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent


class CommandRecorder(CommandListener):
    """commands: every call, in order; empty it to start over."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, dict[str, Any]]] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.commands.append((event.command_name, copy.deepcopy(dict(event.command))))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Not counted."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Not counted."""

    def names(self, collection: str) -> list[str]:
        """The names of the calls about one collection, in order."""
        return [name for name, command in self.commands if command.get(name) == collection]

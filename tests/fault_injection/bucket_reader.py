"""The embedded bucket of a drill, read beside its server."""

from __future__ import annotations

from collections.abc import Callable

from models.bucket.embedded.objects import Objects
from tests.fault_injection.environment import Server


def reader(server: Server) -> Callable[[str], bytes]:
    """An object's bytes by key. Raises NotFound."""
    objects = Objects(server.data_dir / "bucket")

    def read(key: str) -> bytes:
        with objects.open(key) as found:
            return found.read(0, found.stat.size_bytes)

    return read

"""Reads the embedded bucket of a drill's server from outside."""

from __future__ import annotations

from collections.abc import Callable

from models.bucket.embedded.objects import Objects
from tests.fault_injection.environment import DrillServer


def bucket_reader(server: DrillServer) -> Callable[[str], bytes]:
    """A function that returns an object's bytes by key and raises NotFound."""
    objects = Objects(server.data_dir / "bucket")

    def read(key: str) -> bytes:
        with objects.open(key) as file:
            return file.read(0, file.stat.size_bytes)

    return read

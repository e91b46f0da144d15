"""The key pair that signs a bucket's tokens and callbacks."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Keys:
    """access: public, part of every token. secret: never leaves the server, not even in logs."""

    access: str
    secret: str = field(repr=False)


def load_or_create_keys(path: Path) -> Keys:
    """The embedded bucket's keys, generated on first use; only the owner of the process can read the file."""
    if not path.exists():
        _write_once(path, Keys(secrets.token_urlsafe(30), secrets.token_urlsafe(30)))
    stored = json.loads(path.read_text())
    return Keys(stored["access_key"], stored["secret_key"])


def _write_once(path: Path, keys: Keys) -> None:
    """Write to a temporary name, then link: a crash leaves no partial file, and of two servers one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"access_key": keys.access, "secret_key": keys.secret}, file)
        file.flush()
        os.fsync(descriptor)
    try:
        os.link(draft, path)
    except FileExistsError:  # pragma: no cover - two servers start on a new folder at the same moment
        pass
    finally:
        draft.unlink()

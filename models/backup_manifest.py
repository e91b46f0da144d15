"""The manifest of a backup: format, counts and checksums. It is written last, so a folder without one is incomplete."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MANIFEST = "manifest.json"
LISTING = "bucket.jsonl"
FORMAT = 1
"""Of the folder; a version that changes it adds one."""
CHUNK_BYTES = 1024 * 1024


class BackupError(Exception):
    """The folder has no complete backup, or cannot be written; the text is one line."""


class StoredObject(BaseModel):
    """One line of the listing. key, mime: in the bucket. sha256: of the content."""

    model_config = ConfigDict(frozen=True)

    key: str
    mime: str
    sha256: str


class CollectionFile(BaseModel):
    """`database/NAME.bson`."""

    documents: int
    sha256: str


class Manifest(BaseModel):
    """collections: by name. listing: the checksum of `bucket.jsonl`, which has those of the objects."""

    format: int = FORMAT
    collections: dict[str, CollectionFile] = Field(default_factory=dict)
    objects: int = 0
    listing: str = ""


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """How many documents and objects a backup has."""

    documents: int
    objects: int


def write_manifest(folder: Path, manifest: Manifest) -> None:
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n")


def check_backup(folder: Path) -> tuple[Manifest, BackupSummary]:
    """(blocks) Read every file and compare it with the manifest. Raises BackupError."""
    manifest = _read_manifest(folder)
    for name, file in manifest.collections.items():
        _compare(collection_path(folder, name), file.sha256)
    _compare(folder / LISTING, manifest.listing)
    count = 0
    for stored in read_listing(folder):
        _compare(object_path(folder, stored.key), stored.sha256)
        count += 1
    if count != manifest.objects:
        raise BackupError(f"{folder} is damaged: {LISTING} has {count} objects, the manifest {manifest.objects}")
    return manifest, BackupSummary(sum(file.documents for file in manifest.collections.values()), count)


def read_listing(folder: Path) -> Iterator[StoredObject]:
    """The objects of a backup. Raises BackupError."""
    with (folder / LISTING).open() as lines:
        for line in lines:
            try:
                yield StoredObject.model_validate_json(line)
            except ValidationError as error:
                raise BackupError(f"{folder / LISTING} is damaged") from error


def collection_path(folder: Path, name: str) -> Path:
    """Raises BackupError for a name that leads out of the folder."""
    return _inside(folder / "database", f"{name}.bson")


def object_path(folder: Path, key: str) -> Path:
    """Raises BackupError for a key that leads out of the folder."""
    return _inside(folder / "bucket", key)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_manifest(folder: Path) -> Manifest:
    try:
        document: Any = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError as error:
        raise BackupError(f"{folder} has no complete backup: there is no {MANIFEST}") from error
    except (OSError, ValueError) as error:
        raise BackupError(f"{folder / MANIFEST} cannot be read") from error
    number = document.get("format") if isinstance(document, dict) else None
    if isinstance(number, int) and number > FORMAT:
        raise BackupError(
            f"{folder} is of a newer version (format {number}, here {FORMAT}): restore it with that version"
        )
    try:
        return Manifest.model_validate(document)
    except ValidationError as error:
        raise BackupError(f"{folder / MANIFEST} is damaged") from error


def _compare(path: Path, sha256: str) -> None:
    """Raises BackupError unless the file has this checksum."""
    try:
        checksum = digest_of(path)
    except FileNotFoundError as error:
        raise BackupError(f"{path} is missing") from error
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}") from error
    if checksum != sha256:
        raise BackupError(f"{path} is damaged: its checksum is not that of the manifest")


def _inside(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BackupError(f"{name!r} is not a valid name")
    return path

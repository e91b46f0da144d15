"""Users, and the session of a client."""

from __future__ import annotations

from typing import Literal

from pydantic import MISSING

from handlers.params import MAX_ALT_LENGTH, MAX_IDS, MAX_REDUCTION, MAX_RENDITION_PX, MAX_TITLE_LENGTH, Id
from handlers.schemas.base import Schema, SuccessResponse
from models.accounts.passwords import MIN_PASSWORD_LENGTH
from models.accounts.usernames import MAX_USERNAME_LENGTH
from models.images.image_formats import IMAGE_FORMATS
from models.queue.selection import MAX_COUNT
from processing.images.previews import MAX_REGION_MEGAPIXELS


class UserResponse(SuccessResponse):
    """A user; `id` and `token` only with the right password.

    follow_user, followed_user: the names of the newest 10,000, oldest first. follow_count, followed_count: of all.
    """

    username: str
    email: str
    login: bool
    follow_user: list[str]
    followed_user: list[str]
    follow_count: int
    followed_count: int
    id: Id | MISSING = MISSING
    token: str | MISSING = MISSING


class StorageUsage(Schema):
    """What a person has, with pending uploads, and may have. Sizes in bytes."""

    pictures: int
    size_bytes: int
    max_pictures: int
    max_size_bytes: int


class CurrentUser(Schema):
    id: Id
    username: str
    email: str
    developer: bool
    storage: StorageUsage


class ClientConfig(Schema):
    """What a client may send. formats: media types of images that can be read; lengths are in characters.

    max_ids: images of one change of visibility. max_rendition_px: the longer side of a copy for browsers.
    max_region_megapixels, max_reduction: of a part of a preview. max_counted_tasks: up to where
    tasks are counted for developers. protects_files: whether the files of private images need a signed address.
    """

    max_upload_mb: int
    max_megapixels: int
    max_result_megapixels: int
    max_pool_pictures: int
    formats: tuple[str, ...] = tuple(IMAGE_FORMATS)
    upload_part_bytes: int = 4 * 2**20
    max_title_length: int = MAX_TITLE_LENGTH
    max_alt_length: int = MAX_ALT_LENGTH
    max_ids: int = MAX_IDS
    max_rendition_px: int = MAX_RENDITION_PX
    max_region_megapixels: float = MAX_REGION_MEGAPIXELS
    max_reduction: int = MAX_REDUCTION
    max_counted_tasks: int = MAX_COUNT
    max_username_length: int = MAX_USERNAME_LENGTH
    min_password_length: int = MIN_PASSWORD_LENGTH
    protects_files: bool = True


class SessionResponse(SuccessResponse):
    """guest: whether this is a session without an account. guests_allowed: whether one can be opened."""

    user: CurrentUser | None
    guest: bool
    guests_allowed: bool
    access: Literal["session", "open"]
    limits: ClientConfig


class DeletionResponse(SuccessResponse):
    """finished: whether everything is deleted already; the server deletes the rest in the background."""

    finished: bool

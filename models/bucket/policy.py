"""The upload policy: what an upload token allows. Signed by `qiniu.Auth`, checked by the embedded bucket.

The SDK silently drops unknown fields, so that a typo in fsizeLimit would mean no limit at all. Here an unknown field is
an error, when signing and when checking.
"""

from __future__ import annotations

import hmac
import logging
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.bucket.callback import CALLBACK_BODY, KEY_LIMIT_BYTES
from models.bucket.embedded import errors as kodo_errors
from models.bucket.keys import Keys
from models.bucket.signature import FORM, decode, sign
from models.errors import BadParameter, BucketUnavailable, Phrase
from models.images.image_formats import IMAGE_FORMATS

log = logging.getLogger(__name__)

TOKEN_LIFE_S = 20 * 60
IMAGE_TYPES = ";".join(IMAGE_FORMATS)
TOKEN_LIMIT_BYTES = 16 * 1024


class UploadPolicy(BaseModel):
    """Kodo's names (developer.qiniu.com/kodo/1206). deadline: Unix time in seconds. Sizes in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    scope: str = Field(min_length=1, max_length=1000)
    deadline: int
    isPrefixalScope: int = 0
    insertOnly: int = 0
    endUser: str = ""
    callbackUrl: str = ""
    callbackHost: str = ""
    callbackBody: str = ""
    callbackBodyType: str = FORM
    returnBody: str = ""
    saveKey: str = ""
    forceSaveKey: bool = False
    keylimit: list[str] = []
    fsizeMin: int = Field(0, ge=0)
    fsizeLimit: int = Field(0, ge=0)
    detectMime: int = 0
    mimeLimit: str = ""

    @property
    def bucket(self) -> str:
        return self.scope.partition(":")[0]

    @property
    def scoped_key(self) -> str | None:
        """The one key, or the prefix of keys, that may be uploaded; None for any."""
        _, colon, key = self.scope.partition(":")
        return key if colon else None

    @property
    def overwrites(self) -> bool:
        return self.scoped_key is not None and not self.isPrefixalScope and not self.insertOnly

    def check_key(self, key: str) -> None:
        """Raise Forbidden if the token is not for this key."""
        scoped = self.scoped_key
        fits = scoped is None or (key.startswith(scoped) if self.isPrefixalScope else key == scoped)
        if not fits:
            raise kodo_errors.Forbidden("key doesn't match with scope")
        if self.keylimit and key not in self.keylimit:
            raise kodo_errors.Forbidden("key doesn't match with keylimit")

    def check_size(self, size_bytes: int) -> None:
        """Raise TooLarge or Forbidden if a finished file may not be stored."""
        if self.fsizeLimit and size_bytes > self.fsizeLimit:  # pragma: no cover - the upload is refused before
            raise kodo_errors.FileTooLarge("exceed FsizeLimit")
        if size_bytes < self.fsizeMin:
            raise kodo_errors.Forbidden("request entity size is smaller than FsizeMin")

    def check_mime(self, mime: str) -> None:
        """Raise Forbidden if content of this type may not be stored."""
        if not self.mimeLimit:
            return
        is_denylist = self.mimeLimit.startswith("!")
        patterns = self.mimeLimit.removeprefix("!").split(";")
        is_listed = any(mime == one or (one.endswith("/*") and mime.startswith(one[:-1])) for one in patterns)
        if is_listed == is_denylist:
            raise kodo_errors.Forbidden("limited mimeType: this file type is forbidden to upload")


def image_policy(
    bucket: str, key: str, *, owner_id: int, size_limit_bytes: int, callback_url: str, now: float
) -> dict[str, Any]:
    """The policy for one image of one user: this key, once, within minutes, an image by its content. now: Unix time."""
    check_key_length(key)
    return {
        "scope": f"{bucket}:{key}",
        "deadline": int(now) + TOKEN_LIFE_S,
        "insertOnly": 1,
        "fsizeLimit": size_limit_bytes,
        "mimeLimit": IMAGE_TYPES,
        "detectMime": 1,
        "endUser": str(owner_id),
        "callbackUrl": callback_url,
        "callbackBody": CALLBACK_BODY,
        "callbackBodyType": FORM,
    }


def check_key_length(key: str) -> None:
    """Raise BadParameter unless this can be a key: 1 to 750 bytes of UTF-8."""
    try:
        size_bytes = len(key.encode())
    except UnicodeEncodeError:
        size_bytes = 0
    if not 0 < size_bytes <= KEY_LIMIT_BYTES:
        allowed = Phrase(f"1 to {KEY_LIMIT_BYTES} bytes of UTF-8", f"1 到 {KEY_LIMIT_BYTES} 字节的 UTF-8 文本")
        raise BadParameter(field="key", value=ascii(key[:40]), allowed=allowed)


def upload_token(keys: Keys, fields: dict[str, Any]) -> str:
    """Sign a policy. Raises BadParameter for a field that Kodo would ignore or reject; BucketUnavailable."""
    try:
        policy = UploadPolicy.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BadParameter(
            field=f"policy.{'.'.join(str(part) for part in first['loc'])}",
            value=Phrase("this value", "这个值"),
            allowed=Phrase.listing(*UploadPolicy.model_fields),
        ) from error
    text = policy.model_dump_json(exclude_defaults=True)
    try:
        import qiniu  # on first use: importing it takes 0.2 s
    except FileNotFoundError as error:  # no folder can be written to: the disk is full, or they are read-only
        log.error("bucket: the SDK needs a temporary folder: %s", error.strerror)
        raise BucketUnavailable() from error
    token: str = qiniu.Auth(keys.access, keys.secret).token_with_data(text)
    return token


def read_token(keys: Keys, token: str, *, now: float) -> UploadPolicy:
    """The policy of a token that we signed and that has not expired. Checks the signature first. Raises BadToken.

    now: Unix time.
    """
    access, signature, encoded = _split_token(token)
    genuine = hmac.compare_digest(signature.encode(), sign(keys, encoded.encode()).encode())
    if not (hmac.compare_digest(access.encode(), keys.access.encode()) and genuine):
        raise kodo_errors.BadToken("bad token")
    try:
        policy = UploadPolicy.model_validate_json(decode(encoded))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = ascii(".".join(map(str, first["loc"])))[1:-1] or "JSON"
        reason = "is not supported here" if first["type"] == "extra_forbidden" else "is missing or invalid"
        raise kodo_errors.BadToken(f"bad token: the field {name} of the policy {reason}") from error
    except ValueError as error:
        raise kodo_errors.BadToken("bad token: the policy is not base64") from error
    check_deadline(policy, now)
    return policy


def check_deadline(policy: UploadPolicy, now: float) -> None:
    """Raise BadToken if the token has expired. Kodo checks again when the file is created."""
    late_s = int(now) - policy.deadline
    if late_s > 0:
        raise kodo_errors.BadToken(f"token expired {late_s} seconds ago")


def _split_token(token: str) -> tuple[str, str, str]:
    parts = token.split(":")
    if not token:
        raise kodo_errors.BadToken("token not specified")
    if len(parts) != 3 or not token.isascii() or len(token) > TOKEN_LIMIT_BYTES:
        raise kodo_errors.BadToken("bad token")
    return parts[0], parts[1], parts[2]

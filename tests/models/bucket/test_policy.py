"""Upload policies: what our tokens allow, and that a misspelt field is an error."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import qiniu

from models.bucket.callback import CALLBACK_BODY
from models.bucket.embedded import errors as kodo_errors
from models.bucket.keys import Keys
from models.bucket.policy import TOKEN_LIFE_S, UploadPolicy, image_policy, read_token, upload_token
from models.bucket.signature import sign
from models.errors import BadParameter, BucketUnavailable

KEYS = Keys("an-access-key", "a-secret-key")
KODO_VARIABLES = {
    "key",
    "fname",
    "fsize",
    "etag",
    "mimeType",
    "imageInfo.width",
    "imageInfo.height",
    "x:param",
    "endUser",
}


NOW = 1_700_000_000


def a_policy(**changes: object) -> dict[str, object]:
    fields = image_policy(
        "pictures", "u/猫.png", owner_id=7, size_limit_bytes=1000, callback_url="http://h/api/image/upload", now=NOW
    )
    return {**fields, **changes}


def test_a_token_for_an_image_has_every_restriction() -> None:
    token = upload_token(KEYS, a_policy())

    access, _, policy = qiniu.Auth.up_token_decode(token)

    assert access == KEYS.access
    assert policy.pop("deadline") == NOW + TOKEN_LIFE_S
    assert TOKEN_LIFE_S <= 3600
    assert policy == {
        "scope": "pictures:u/猫.png",
        "insertOnly": 1,
        "endUser": "7",
        "callbackUrl": "http://h/api/image/upload",
        "callbackBody": CALLBACK_BODY,
        "fsizeLimit": 1000,
        "detectMime": 1,
        "mimeLimit": "image/jpeg;image/png;image/gif;image/webp;image/heic;image/heif;image/avif",
    }


def test_without_a_temporary_folder_for_the_sdk_the_storage_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expect_log: Callable[[str], None]
) -> None:
    """As on a full disk. The SDK looks for the folder when it is imported."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "qiniu"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "missing")])
    expect_log("bucket: the SDK needs a temporary folder: No usable temporary directory")

    with pytest.raises(BucketUnavailable):
        upload_token(KEYS, a_policy())

    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path)])
    assert read_token(KEYS, upload_token(KEYS, a_policy()), now=NOW)


def test_the_secret_is_not_in_the_token() -> None:
    assert KEYS.secret not in upload_token(KEYS, a_policy())


def test_the_callback_body_uses_kodos_variables() -> None:
    pairs = dict(pair.split("=", 1) for pair in CALLBACK_BODY.split("&"))

    assert set(re.findall(r"\$\(([^)]+)\)", CALLBACK_BODY)) == KODO_VARIABLES
    assert set(pairs.values()) == {f"$({name})" for name in KODO_VARIABLES}


def test_the_sdk_knows_every_field_of_the_policy() -> None:
    from qiniu.auth import _policy_fields

    assert set(UploadPolicy.model_fields) - {"scope", "deadline"} <= _policy_fields


@pytest.mark.parametrize(
    "changes",
    [
        {"fsizeLimt": 10},
        {"callbackURL": "http://h"},
        {"mimelimit": "image/*"},
        {"fsizeLimit": "10"},
        {"fsizeLimit": -1},
        {"insertOnly": True},
        {"endUser": 7},
        {"deadline": "soon"},
        {"scope": ""},
        {"scope": None},
    ],
)
def test_a_misspelt_or_mistyped_field_is_rejected(changes: dict[str, Any]) -> None:
    with pytest.raises(BadParameter, match=next(iter(changes))):
        upload_token(KEYS, a_policy(**changes))


def test_a_token_can_be_read() -> None:
    policy = read_token(KEYS, upload_token(KEYS, a_policy()), now=NOW)

    assert (policy.bucket, policy.scoped_key, policy.endUser, policy.overwrites) == ("pictures", "u/猫.png", "7", False)


def test_a_token_of_the_real_sdk_can_be_read() -> None:
    token = qiniu.Auth(KEYS.access, KEYS.secret).upload_token("pictures", "a:b", 60, {"fsizeLimit": 5})

    policy = read_token(KEYS, token, now=NOW)

    assert (policy.scoped_key, policy.fsizeLimit, policy.overwrites) == ("a:b", 5, True)


def test_a_signed_but_unsupported_field_is_rejected() -> None:
    token = qiniu.Auth(KEYS.access, KEYS.secret).upload_token("pictures", None, 60, {"persistentOps": "x"})

    with pytest.raises(kodo_errors.BadToken, match="the field persistentOps of the policy is not supported"):
        read_token(KEYS, token, now=NOW)


def test_a_signed_policy_that_is_not_base64_is_rejected() -> None:
    encoded = "e30*"
    token = f"{KEYS.access}:{sign(KEYS, encoded.encode())}:{encoded}"

    with pytest.raises(kodo_errors.BadToken, match="the policy is not base64"):
        read_token(KEYS, token, now=NOW)


def test_a_field_that_is_missing_or_mistyped_in_a_signed_policy_is_named() -> None:
    for policy, field in (
        ('{"deadline": 1}', "scope"),
        ('{"scope": "b", "deadline": 1, "fsizeLimit": "x"}', "fsizeLimit"),
    ):
        token = qiniu.Auth(KEYS.access, KEYS.secret).token_with_data(policy)

        with pytest.raises(kodo_errors.BadToken, match=f"the field {field} of the policy is missing or invalid"):
            read_token(KEYS, token, now=NOW)


def test_an_expired_token_is_rejected_with_its_age() -> None:
    with pytest.raises(kodo_errors.BadToken, match="token expired 10 seconds ago"):
        read_token(KEYS, upload_token(KEYS, a_policy(deadline=NOW - 10)), now=NOW)


@pytest.mark.parametrize(
    ("scope", "prefixal", "key", "fits"),
    [
        ("b", 0, "anything", True),
        ("b:a", 0, "a", True),
        ("b:a", 0, "ab", False),
        ("b:a", 1, "ab", True),
        ("b:a", 1, "b", False),
        ("b:", 0, "a", False),
        ("b:x:y", 0, "x:y", True),
    ],
)
def test_a_scope_names_a_bucket_a_key_or_a_prefix(scope: str, prefixal: int, key: str, fits: bool) -> None:
    policy = UploadPolicy(scope=scope, deadline=0, isPrefixalScope=prefixal)

    if fits:
        policy.check_key(key)
    else:
        with pytest.raises(kodo_errors.Forbidden):
            policy.check_key(key)


@pytest.mark.parametrize(
    ("limit", "mime", "fits"),
    [
        ("", "text/html", True),
        ("image/*", "image/png", True),
        ("image/*", "text/html", False),
        ("image/png;image/gif", "image/gif", True),
        ("image/png", "image/pngx", False),
        ("!image/*;text/html", "application/pdf", True),
        ("!image/*;text/html", "text/html", False),
    ],
)
def test_types_are_allowed_or_denied(limit: str, mime: str, fits: bool) -> None:
    policy = UploadPolicy(scope="b", deadline=0, mimeLimit=limit)

    if fits:
        policy.check_mime(mime)
    else:
        with pytest.raises(kodo_errors.Forbidden):
            policy.check_mime(mime)

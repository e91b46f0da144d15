"""Passwords: argon2id, the same cost for unknown users, and a limit on concurrent hashes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from models import errors
from models.accounts.passwords import WAITING_LIMIT, Passwords


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    opened = Passwords()
    yield opened
    opened.close()


@pytest.mark.requirement(28)
@pytest.mark.gen_test
async def test_a_hash_is_argon2id_with_owasp_parameters_and_a_random_salt(passwords: Passwords) -> None:
    one, other = await passwords.hash("seven rusty spoons"), await passwords.hash("seven rusty spoons")

    match = re.match(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$", one)
    assert match is not None
    assert (int(match[1]) >= 19456, int(match[2]) >= 2, one != other) == (True, True, True)
    assert not passwords.needs_rehash(one)


@pytest.mark.requirement(28)
@pytest.mark.parametrize("size", [8, 64, 1024])
@pytest.mark.gen_test
async def test_every_byte_of_a_long_password_counts(passwords: Passwords, size: int) -> None:
    password = "x" * (size - 1) + "y"

    stored = await passwords.hash(password)

    assert await passwords.verify(password, stored)
    assert not await passwords.verify("x" * size, stored)


@pytest.mark.requirement(28)
@pytest.mark.gen_test
async def test_keyboards_that_compose_letters_differently_write_the_same_password(passwords: Passwords) -> None:
    composed, decomposed = "caf\u00e9 au lait", "cafe\u0301 au lait"

    stored = await passwords.hash(decomposed)

    assert await passwords.verify(composed, stored)
    assert await passwords.verify(decomposed, stored)
    assert not await passwords.verify("cafe au lait", stored)


@pytest.mark.gen_test
async def test_a_hash_of_the_password_as_it_was_typed_stays_valid(passwords: Passwords) -> None:
    stored = PasswordHasher().hash("cafe\u0301 au lait")

    assert await passwords.verify("cafe\u0301 au lait", stored)


@pytest.mark.requirement(25)
@pytest.mark.gen_test
async def test_an_unknown_user_costs_one_verification_and_is_never_signed_in(passwords: Passwords) -> None:
    password = "no user has this password"

    assert not passwords.needs_rehash(passwords.dummy_hash)
    assert await passwords.verify(password, passwords.dummy_hash)
    assert not await passwords.verify(password, None)


@pytest.mark.requirement(27)
@pytest.mark.gen_test
async def test_hashes_beyond_the_limit_are_rejected_with_a_time_to_retry(passwords: Passwords) -> None:
    attempts = (passwords.hash("x" * 8) for _ in range(WAITING_LIMIT + 5))
    results = await asyncio.gather(*attempts, return_exceptions=True)

    rejected = [error for error in results if isinstance(error, errors.TooManyRequests)]
    assert len(rejected) == 5
    assert rejected[0].details["retry_after_s"] > 0


@pytest.mark.requirement(28)
@pytest.mark.parametrize("fair", ["山水" * 4, "é" * 1024, "e\u0301" * 1024, "x" * 8 + "y"])
def test_the_length_of_a_password_is_in_characters(passwords: Passwords, fair: str) -> None:
    passwords.check_strength(fair, "Ada.Lovelace")


@pytest.mark.parametrize(
    "weak", ["short", "password", "PASSWORD", "12345678", "ada.lovelace", "x" * 1025, "山水" * 3, "e\u0301" * 7]
)
def test_weak_passwords_are_rejected(passwords: Passwords, weak: str) -> None:
    with pytest.raises(errors.WeakPassword):
        passwords.check_strength(weak, "Ada.Lovelace")

"""Passwords: argon2id, the same cost for whoever is asked about, and a bound on the crowd."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest

from models import errors
from models.passwords import WAITING_LIMIT, Passwords


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


@pytest.mark.gen_test
async def test_a_hash_is_argon2id_as_advised_and_never_twice_the_same(passwords: Passwords) -> None:
    one, other = await passwords.hash("seven rusty spoons"), await passwords.hash("seven rusty spoons")

    found = re.match(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$", one)
    assert found is not None
    assert (int(found[1]) >= 19456, int(found[2]) >= 2, one != other) == (True, True, True)
    assert not passwords.needs_rehash(one)


@pytest.mark.parametrize("size", [8, 64, 1024])
@pytest.mark.gen_test
async def test_long_passwords_count_to_their_last_byte(passwords: Passwords, size: int) -> None:
    password = "x" * (size - 1) + "y"

    stored = await passwords.hash(password)

    assert await passwords.verify(password, stored)
    assert not await passwords.verify("x" * size, stored)


@pytest.mark.gen_test
async def test_a_user_who_is_not_there_is_asked_just_as_hard_and_never_let_in(passwords: Passwords) -> None:
    asked_instead = passwords._dummy_hash

    assert not passwords.needs_rehash(asked_instead)
    assert await passwords.verify("a password that nobody has", asked_instead)
    assert not await passwords.verify("a password that nobody has", None)


@pytest.mark.gen_test
async def test_a_crowd_beyond_the_bound_is_told_to_come_back(passwords: Passwords) -> None:
    tried = await asyncio.gather(*(passwords.hash("x" * 8) for _ in range(WAITING_LIMIT + 5)), return_exceptions=True)

    refused = [error for error in tried if isinstance(error, errors.TooManyRequests)]
    assert len(refused) == 5
    assert refused[0].details["retry_after_s"] > 0


@pytest.mark.parametrize("weak", ["short", "password", "PASSWORD", "12345678", "ada.lovelace", "x" * 1025, "é" * 513])
def test_weak_passwords_are_refused(passwords: Passwords, weak: str) -> None:
    with pytest.raises(errors.WeakPassword):
        passwords.check_strength(weak, "Ada.Lovelace")

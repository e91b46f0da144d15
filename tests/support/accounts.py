"""Accounts that the operator adds: their names are reserved by the setting `developers`, so that nobody signs up so."""

from __future__ import annotations

import asyncio
import threading

from argon2 import PasswordHasher

from databases import open_or_join_database
from models.accounts.passwords import Passwords
from models.accounts.users import Users
from models.database import Database
from settings import Settings
from tests.support.client import PASSWORD

LIGHT_HASHES = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""A sign-up and a sign-in cost 0.1 s of processor time with the parameters of a real server."""


async def add_account(database: Database, username: str) -> None:
    """With the password of all tests."""
    passwords = Passwords(LIGHT_HASHES)
    password_hash = await passwords.hash(PASSWORD)
    passwords.close()
    await Users(database).add(username=username, email=f"{username}@example.com", password_hash=password_hash)


def add_account_to(settings: Settings, *usernames: str) -> None:
    """The same in the database of a running server, from a test without a loop, or beside that of Playwright."""

    async def add() -> None:
        async with open_or_join_database(settings) as database:
            for username in usernames:
                await add_account(database, username)

    thread = threading.Thread(target=lambda: asyncio.run(add()))
    thread.start()
    thread.join()

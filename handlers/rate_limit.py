"""How often somebody may try: the generic cell rate algorithm (ITU-T I.371), one number for each name.

In this process alone and in bounded memory: several servers allow as many times more. A library would bring a thread
or a task of its own for what is one table of times.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from models import errors
from models.users import username_key

MAX_KEYS = 100_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` tries at once, then one more every `pause_s` seconds."""

    burst: int
    interval_s: float


class RateLimiter:
    """Tries by name (whatever can be a key). clock: seconds that only rise."""

    def __init__(self, rate: Rate, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._spent_until: OrderedDict[Hashable, float] = OrderedDict()

    def acquire(self, name: Hashable) -> None:
        """Count one try. Raises TooManyRequests, with the time after which one more is allowed, and counts nothing."""
        now = self._clock()
        until = max(now, self._spent_until.pop(name, now)) + self._rate.interval_s
        excess = until - now - self._rate.burst * self._rate.interval_s
        self._remember(name, until if excess <= 0 else until - self._rate.interval_s)
        if excess > 0:
            raise errors.TooManyRequests(retry_after_s=math.ceil(excess))

    def release(self, name: Hashable) -> None:
        """That try was right after all."""
        if name in self._spent_until:
            self._spent_until[name] -= self._rate.interval_s

    def _remember(self, name: Hashable, until: float) -> None:
        self._spent_until[name] = until
        while len(self._spent_until) > MAX_KEYS:
            self._spent_until.popitem(last=False)


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """What is counted. A person at home meets none of these.

    sign_in: wrong passwords for one name from one address, also where an account is changed or deleted; the owner
    elsewhere is not locked out by them.
    sign_in_address: wrong passwords from one address, whatever the names. sign_up: accounts from one address.
    """

    sign_in: RateLimiter
    sign_in_address: RateLimiter
    sign_up: RateLimiter

    def count_attempt(self, username: str, address: str) -> None:
        """Count a try before it is known to be wrong, so that many at once do not slip through. TooManyRequests."""
        self.sign_in_address.acquire(address)
        self.sign_in.acquire((username_key(username), address))

    def forgive_attempt(self, username: str, address: str) -> None:
        """It was the right one."""
        self.sign_in_address.release(address)
        self.sign_in.release((username_key(username), address))


def make_login_limits() -> LoginLimits:
    return LoginLimits(
        sign_in=RateLimiter(Rate(burst=10, interval_s=30)),
        sign_in_address=RateLimiter(Rate(burst=200, interval_s=3)),
        sign_up=RateLimiter(Rate(burst=1000, interval_s=4)),
    )

"""Rate limits by the generic cell rate algorithm (ITU-T I.371), which needs one number for each key.

The table is in the memory of this process and bounded: n servers together allow n times as many. Libraries would add a
thread or a task for what is one dictionary.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from models import errors
from models.accounts.usernames import username_key
from models.guests import LIFETIME

_ROUNDING_S = 1e-6  # sums of a clock's reading and intervals are not exact
MAX_KEYS = 100_000
MIN_GUESTS = 30
"""A class, which one address opens at once."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` attempts at once, then one more every `interval_s` seconds."""

    burst: int
    interval_s: float


class RateLimiter:
    """Counts attempts by key. clock: monotonic seconds."""

    def __init__(self, rate: Rate, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._spent_until: OrderedDict[Hashable, float] = OrderedDict()

    def acquire(self, key: Hashable) -> None:
        """Count an attempt. Raises TooManyRequests, with the seconds to wait; that attempt does not count."""
        now = self._clock()
        until = max(now, self._spent_until.pop(key, now)) + self._rate.interval_s
        excess = until - now - self._rate.burst * self._rate.interval_s
        is_refused = excess > _ROUNDING_S
        self._store(key, until - self._rate.interval_s if is_refused else until)
        if is_refused:
            raise errors.TooManyRequests(retry_after_s=math.ceil(excess))

    def release(self, key: Hashable) -> None:
        """Do not count one attempt."""
        if key in self._spent_until:
            self._spent_until[key] -= self._rate.interval_s

    def _store(self, key: Hashable, until: float) -> None:
        self._spent_until[key] = until
        while len(self._spent_until) > MAX_KEYS:
            self._spent_until.popitem(last=False)


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """Limits that no normal user reaches.

    sign_in: wrong passwords for one username from one address, also when an account is changed or deleted; the owner at
    another address is not locked out. sign_in_address: wrong passwords from one address for all usernames.
    sign_up: new accounts from one address. guest: guests from one address, which may be a school. guest_share: the
    same over a day, for which each of a limited number of guests stays.
    """

    sign_in: RateLimiter
    sign_in_address: RateLimiter
    sign_up: RateLimiter
    guest: RateLimiter
    guest_share: RateLimiter

    def count_attempt(self, username: str, ip: str) -> None:
        """Count an attempt before the password is verified, so that parallel requests count. Raises TooManyRequests."""
        self.sign_in_address.acquire(ip)
        self.sign_in.acquire((username_key(username), ip))

    def forgive_attempt(self, username: str, ip: str) -> None:
        """Do not count an attempt with the right password."""
        self.sign_in_address.release(ip)
        self.sign_in.release((username_key(username), ip))


def make_login_limits(
    sign_up: Rate, *, guest_limit: int = 0, clock: Callable[[], float] = time.monotonic
) -> LoginLimits:
    """sign_up: new accounts from one address, and as many guests. guest_limit: guests at a time, of which one address
    opens at most half in a day, or twice MIN_GUESTS if that is more."""
    share = max(MIN_GUESTS, guest_limit // 4)
    return LoginLimits(
        sign_in=RateLimiter(Rate(burst=10, interval_s=30)),
        sign_in_address=RateLimiter(Rate(burst=200, interval_s=3)),
        sign_up=RateLimiter(sign_up),
        guest=RateLimiter(sign_up, clock=clock),
        guest_share=RateLimiter(Rate(share, LIFETIME.total_seconds() / share), clock=clock),
    )

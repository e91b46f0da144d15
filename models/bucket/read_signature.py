"""Signed addresses for reading, as Kodo's private buckets have them: `URL?e=DEADLINE&token=ACCESS_KEY:SIGNATURE`.

Source: developer.qiniu.com/kodo/1656. The signature covers the address with everything before `&token=`.
"""

from __future__ import annotations

import hmac
import re

from models.bucket.keys import Keys
from models.bucket.signature import sign

LIFE_S = 3600
STEP_S = 600
"""Within a step all addresses of an object are equal, so that browsers read it once."""
SIGNED_QUERY = re.compile(r"(?P<signed>(?:.*&)?e=(?P<deadline>[0-9]{1,12}))&token=(?P<token>[^&]+)")


def read_deadline(now: float) -> int:
    """Unix time, LIFE_S to LIFE_S + STEP_S from now."""
    return (int(now) // STEP_S + 1) * STEP_S + LIFE_S


def sign_read(keys: Keys, url: str, deadline: int) -> str:
    """The address, readable until the deadline (Unix time)."""
    signed = f"{url}{'&' if '?' in url else '?'}e={deadline}"
    return f"{signed}&token={keys.access}:{sign(keys, signed.encode())}"


def verified_deadline(keys: Keys, url: str, query: str) -> int | None:
    """The deadline of a request for `url` with this query, which may be over; None unless we signed it."""
    match = SIGNED_QUERY.fullmatch(query)
    if match is None:
        return None
    expected = f"{keys.access}:{sign(keys, (url + '?' + match['signed']).encode())}"
    return int(match["deadline"]) if hmac.compare_digest(expected.encode(), match["token"].encode()) else None

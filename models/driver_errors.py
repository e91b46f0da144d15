"""The driver's errors as ours, and the deadline of each call to MongoDB."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from bson.errors import InvalidDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure, PyMongoError

from models import errors

OPERATION_TIMEOUT_S = 3.0

DUPLICATE_KEY = 11000

ACCESS_DENIED = (13, 18)
# MongoDB's Unauthorized and AuthenticationFailed.


class DuplicateKey(Exception):
    """A unique index rejected a document. fields: the names in that index."""

    def __init__(self, fields: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(fields)))
        self.fields = fields


def is_access_denied(error: errors.DatabaseUnavailable) -> bool:
    """Whether the server responds, but refuses the user or password of the URI, or requires one."""
    cause = error.__cause__
    return isinstance(cause, OperationFailure) and cause.code in ACCESS_DENIED


class DriverErrors:
    """Translates the driver's errors and sets a deadline on the loop's clock.

    The driver has the same deadline of its own, but runs in a few threads: while the server hangs they are all
    occupied, and a call would wait for a thread before the driver's clock starts.

    on_failure: called once for each call that failed because the database is unavailable.
    """

    def __init__(self) -> None:
        self.on_failure: Callable[[], object] = lambda: None

    @asynccontextmanager
    async def guard(self, timeout_s: float = OPERATION_TIMEOUT_S) -> AsyncIterator[None]:
        with self.translate():
            async with asyncio.timeout(timeout_s + 0.5):
                yield

    @staticmethod
    def duplicates(error: BulkWriteError) -> dict[int, DuplicateKey] | None:
        """The documents, by index, that unique indexes rejected; None if that is not all that failed."""
        failures = error.details.get("writeErrors") or []
        if error.details.get("writeConcernErrors") or any(each.get("code") != DUPLICATE_KEY for each in failures):
            return None
        return {each["index"]: DuplicateKey(frozenset(each.get("keyPattern", {"_id": 1}))) for each in failures}

    @contextmanager
    def translate(self) -> Iterator[None]:
        try:
            yield
        except BulkWriteError as error:
            write_error = (error.details.get("writeErrors") or [{}])[0]
            if write_error.get("code") == DUPLICATE_KEY and not error.details.get("writeConcernErrors"):
                raise DuplicateKey(frozenset(write_error.get("keyPattern", {"_id": 1}))) from error
            raise self._unavailable() from error
        except DuplicateKeyError as error:
            raise DuplicateKey(frozenset((error.details or {}).get("keyPattern", {"_id": 1}))) from error
        except (OverflowError, UnicodeEncodeError, InvalidDocument) as error:
            raise errors.BadParameter(
                field="value",
                value=errors.Phrase("out of range", "超出范围"),
                allowed=errors.Phrase("values that MongoDB can store", "MongoDB 能存储的值"),
            ) from error
        except (PyMongoError, TimeoutError) as error:
            raise self._unavailable() from error

    def _unavailable(self) -> errors.DatabaseUnavailable:
        self.on_failure()
        return errors.DatabaseUnavailable()

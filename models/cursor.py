"""Page cursors: where a list, newest first, continues; the time and the id of its last item as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from models.errors import BadParameter, Phrase

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def write_cursor(moment: datetime, item_id: int) -> str:
    """`<milliseconds since 1970>-<id>`. Whole milliseconds, as MongoDB stores them: a float would lose some."""
    return f"{(moment - EPOCH) // MILLISECOND}-{item_id}"


def read_cursor(cursor: str) -> tuple[datetime, int]:
    """The inverse of `write_cursor`. Raises BadParameter."""
    milliseconds, _, item_id = cursor.partition("-")
    try:
        return EPOCH + int(milliseconds) * MILLISECOND, int(item_id)
    except (ValueError, OverflowError) as error:
        raise BadParameter(
            field="cursor", value=repr(cursor[:60]), allowed=Phrase("a cursor from a response", "响应中给出的 cursor")
        ) from error

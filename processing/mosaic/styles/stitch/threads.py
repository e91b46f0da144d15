"""The threads of a cross-stitch: a list that a person brings as CSV, or a palette with codes of its own; symbols."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass

from ...errors import Message
from ...units import MM_PER_INCH

SYMBOLS = "●■▲◆★▼✚✖○□△◇☆▽◀▶◁▷♥♣♠♦ABCDEFGHJKLMNPQRSTUVWXYZ23456789abdefghkmnpqrtuwyz+=#%&@$?"
"""One for each thread of a plan, the most legible first. Without letters that are taken for one another."""

MAX_THREADS, MAX_CODE_LENGTH, MAX_NAME_LENGTH = 600, 12, 40
THREADS_PATTERN = (
    "null, or CSV of 2 to {threads} lines `code,name,hex` such as 310,Black,#000000: "
    "codes of at most {code} characters, each once, names of at most {name}"
)
_LIMITS = {"threads": MAX_THREADS, "code": MAX_CODE_LENGTH, "name": MAX_NAME_LENGTH}
ALLOWED_THREADS = Message(THREADS_PATTERN, **_LIMITS)
AIDA_COUNTS = (14, 16, 18)
"""Stitches an inch of the usual fabrics."""

_SKEIN_MM = 8000 * 6 / 2  # of six strands, of which two are stitched with
_SKEIN_COUNT = 14
_STITCH_PITCHES = (2 * math.sqrt(2) + 2) * 1.25  # two diagonals, their way on the back, a quarter for ends and waste

_COLOUR = re.compile(r"#?([0-9a-fA-F]{6})")
_CODE = re.compile(rf"[^\s,;\"]{{1,{MAX_CODE_LENGTH}}}")
_SEPARATORS = ",;\t"


@dataclass(frozen=True, slots=True)
class Thread:
    """colour: #rrggbb. name: may be empty."""

    code: str
    name: str
    colour: str


def read_threads(text: str) -> tuple[Thread, ...]:
    """Lines `code,name,hex` with or without a heading, ended as on any system; semicolons and tabs separate as well.

    Raises ValueError, which names the line.
    """
    text = text.removeprefix("\ufeff").strip()
    separator = max(_SEPARATORS, key=text.partition("\n")[0].count)
    threads: dict[str, Thread] = {}
    try:
        rows = list(csv.reader(io.StringIO(text, newline=None), delimiter=separator))
    except csv.Error as error:
        raise ValueError(ALLOWED_THREADS) from error
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells[-1].lower() in ("hex", "colour", "color", "rgb")):
            continue
        thread = _thread(cells)
        if thread is None or thread.code in threads:
            line = {"number": number, "line": separator.join(row)[:60], **_LIMITS}
            if thread is None:
                raise ValueError(Message(THREADS_PATTERN + "; line {number} is not {line!r}", **line))
            raise ValueError(Message(THREADS_PATTERN + "; line {number} repeats the code of another, {line!r}", **line))
        threads[thread.code] = thread
    if not 2 <= len(threads) <= MAX_THREADS:
        raise ValueError(Message(THREADS_PATTERN + "; there are {count}", count=len(threads), **_LIMITS))
    return tuple(threads.values())


def write_threads(threads: tuple[Thread, ...]) -> str:
    """The same list as CSV, always in the same form."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows((thread.code, thread.name, thread.colour) for thread in threads)
    return file.getvalue()


def skeins(stitches: int) -> int:
    """How many skeins of 8 m that many stitches take on aida of 14 stitches an inch, with two strands."""
    return math.ceil(stitches * _STITCH_PITCHES * MM_PER_INCH / _SKEIN_COUNT / _SKEIN_MM)


def fabric_sizes(columns: int, rows: int) -> list[dict[str, float]]:
    """Width and height in centimetres of the stitched area on each fabric."""
    return [
        {
            "count": count,
            "width_cm": round(columns * MM_PER_INCH / count / 10, 1),
            "height_cm": round(rows * MM_PER_INCH / count / 10, 1),
        }
        for count in AIDA_COUNTS
    ]


def _thread(cells: list[str]) -> Thread | None:
    if len(cells) != 3 or not _CODE.fullmatch(cells[0]) or len(cells[1]) > MAX_NAME_LENGTH:
        return None
    colour = _COLOUR.fullmatch(cells[2])
    if colour is None or not (cells[1] + "x").isprintable():
        return None
    return Thread(cells[0], cells[1], "#" + colour[1].lower())

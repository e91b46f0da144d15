"""The fonts of our PDFs. None is embedded: viewers have Helvetica, ZapfDingbats, and one of their own for Chinese."""

from __future__ import annotations

import pydyf

_LATIN = "cp1252"
_FIRST = 32  # the character of the first width
# Of Helvetica from the space on, in thousandths of the size (its AFM file)
_WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
)  # fmt: skip
_OTHER_WIDTH = 556
_WIDE, _HALF = 1000, 500  # of the Chinese font

REGULAR, BOLD, CHINESE, DINGBATS = "F1", "F2", "F3", "F4"
_SUITS = {"♣": b"<A8>", "♦": b"<A9>", "♥": b"<AA>", "♠": b"<AB>"}  # codes of ZapfDingbats


def font_objects(pdf: pydyf.PDF) -> pydyf.Dictionary:
    """The fonts by name, added to the document."""
    fonts = pydyf.Dictionary()
    for name, base in ((REGULAR, "Helvetica"), (BOLD, "Helvetica-Bold")):
        font = pydyf.Dictionary(
            {"Type": "/Font", "Subtype": "/Type1", "BaseFont": f"/{base}", "Encoding": "/WinAnsiEncoding"}
        )
        pdf.add_object(font)
        fonts[name] = font.reference
    dingbats = pydyf.Dictionary({"Type": "/Font", "Subtype": "/Type1", "BaseFont": "/ZapfDingbats"})
    pdf.add_object(dingbats)
    fonts[DINGBATS] = dingbats.reference
    chinese = _chinese_font(pdf)
    pdf.add_object(chinese)
    fonts[CHINESE] = chinese.reference
    return fonts


def encode_text(text: str, *, bold: bool = False) -> tuple[str, bytes]:
    """The name of the font that has all characters, and the string as a PDF writes it."""
    if text in _SUITS:
        return DINGBATS, _SUITS[text]
    try:
        data = text.encode(_LATIN)
    except UnicodeEncodeError:
        printable = "".join(character if ord(character) < 1 << 16 else "?" for character in text)
        return CHINESE, b"<" + printable.encode("utf-16-be", "replace").hex().encode() + b">"
    escaped = data.replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")
    return (BOLD if bold else REGULAR), b"(" + b" ".join(escaped.splitlines()) + b")"


def text_width(text: str) -> float:
    """The width of a text of size 1; of bold letters a little less than they take."""
    try:
        text.encode(_LATIN)
    except UnicodeEncodeError:
        return sum(_HALF if character.isascii() else _WIDE for character in text) / 1000
    numbers = [ord(character) - _FIRST for character in text]
    return sum(_WIDTHS[number] if 0 <= number < len(_WIDTHS) else _OTHER_WIDTH for number in numbers) / 1000


def _chinese_font(pdf: pydyf.PDF) -> pydyf.Dictionary:
    """A font by the name that viewers replace (ISO 32000-1, 9.7.5.2: predefined CMaps of Adobe-GB1)."""
    name = "/STSong-Light"
    descriptor = pydyf.Dictionary(
        {"Type": "/FontDescriptor", "FontName": name, "Flags": 6, "FontBBox": "[-25 -254 1000 880]"}
        | {"ItalicAngle": 0, "Ascent": 880, "Descent": -120, "CapHeight": 880, "StemV": 93}
    )
    pdf.add_object(descriptor)
    glyphs = pydyf.Dictionary(
        {"Type": "/Font", "Subtype": "/CIDFontType0", "BaseFont": name, "FontDescriptor": descriptor.reference}
        | {"CIDSystemInfo": "<</Registry (Adobe)/Ordering (GB1)/Supplement 4>>", "W": f"[1 95 {_HALF}]"}
    )
    pdf.add_object(glyphs)
    return pydyf.Dictionary(
        {"Type": "/Font", "Subtype": "/Type0", "BaseFont": name, "Encoding": "/UniGB-UCS2-H"}
        | {"DescendantFonts": pydyf.Array([glyphs.reference])}
    )

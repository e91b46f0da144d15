"""Names of users: how they are written, and the form in which they are compared.

Invisible characters are refused, and letters of scripts that one name does not mix: those of UTS 39 (Unicode Security
Mechanisms), section 5.2, "moderately restrictive". Capital letters, full-width letters and blanks make no difference.
"""

from __future__ import annotations

import re
import unicodedata

from models.errors import Phrase

MAX_USERNAME_LENGTH = 64
INVISIBLE = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"))
"""Unicode categories of characters that a name may not contain."""
FILLERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U00016fe4\U0001d159"
    "\U000e0100-\U000e01ef]"
)
"""Characters of other categories that are not visible: fillers, joiners, variation selectors."""
LETTERS = frozenset(("Lu", "Ll", "Lt", "Lo"))
MIXED_SCRIPTS = frozenset(
    """
    LATIN CJK HIRAGANA KATAKANA BOPOMOFO HANGUL IDEOGRAPHIC ARABIC BENGALI DEVANAGARI ETHIOPIC GEORGIAN GUJARATI
    GURMUKHI HEBREW KANNADA KHMER LAO MALAYALAM MYANMAR ORIYA SINHALA TAMIL TELUGU THAANA THAI TIBETAN
    """.split()  # noqa: SIM905  # a list of 27 words over 27 lines reads worse
)
"""Scripts that one name may mix: their letters do not look like those of the others."""


def clean_username(name: str) -> str:
    """The name with its inner blanks collapsed. Raises ValueError with a Phrase."""
    name = name.strip()
    if not username_key(name) or has_invisible(name):
        limit = MAX_USERNAME_LENGTH
        raise ValueError(Phrase(f"1 to {limit} characters, none of them invisible", f"1 到 {limit} 个可见字符"))
    letters = [each for each in unicodedata.normalize("NFKC", name) if unicodedata.category(each) in LETTERS]
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in letters}
    if len(scripts) > 1 and not scripts <= MIXED_SCRIPTS:
        raise ValueError(Phrase("letters of one script, not several that look alike", "不能混用字母形近的不同文字"))
    return " ".join(name.split())


def has_invisible(text: str) -> bool:
    """Whether a text has characters that cannot be seen, or that change the direction of others."""
    return FILLERS.search(text) is not None or any(unicodedata.category(each) in INVISIBLE for each in text)


def username_key(username: str) -> str:
    """The form in which names are compared: NFKC, case folded, blanks collapsed (`Ａdmin ` becomes `admin`)."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())
    return " ".join(folded.split())

"""E-mail addresses: how they are written, and the form in which they are compared."""

from __future__ import annotations

import unicodedata

from models.accounts.usernames import has_invisible
from models.errors import Phrase


def clean_email(email: str) -> str:
    """The address in its normal form, its domain in Unicode and lower case. Raises ValueError with a Phrase.

    Nothing is looked up. A domain without a dot is allowed: servers of closed networks have such names.
    """
    import email_validator  # on first use: importing it takes 0.05 s

    email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()  # such as .local, which closed networks use
    try:
        checked = email_validator.validate_email(
            email.strip(), check_deliverability=False, globally_deliverable=False, strict=True
        )
    except email_validator.EmailNotValidError as error:
        raise _not_an_address() from error
    if has_invisible(checked.normalized):
        raise _not_an_address()
    return checked.normalized


def email_key(email: str) -> str:
    """The form in which addresses are compared: NFKC, case folded. Providers do not tell capital letters apart."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", email).casefold())


def _not_an_address() -> ValueError:
    return ValueError(Phrase("an address such as name@example.com", "形如 name@example.com 的地址"))

"""Looks that fail are cheap: most expectations need several until the page has drawn what they expect."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.user import BrowserUser


def test_a_page_is_not_described_at_each_look(user: BrowserUser) -> None:
    """A new Playwright may need another `driver_setup.cjs`."""
    user.page.set_content("<p>Text</p>")

    with pytest.raises(AssertionError, match="expected to be visible") as error:
        expect(user.page.locator("b")).to_be_visible(timeout=1)

    assert "Aria snapshot" not in str(error.value)

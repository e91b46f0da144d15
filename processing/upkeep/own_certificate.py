"""Whether this process trusts the certificate of its own public address, to which the embedded bucket reports."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from urllib.parse import urlsplit

INTERVAL_S = 60.0
TIMEOUT_S = 5.0
HTTPS_PORT = 443


class OwnCertificate:
    """Run `check_forever` in the background. url: the public address; "" where this process does not call it."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self._reason = ""

    @property
    def warnings(self) -> list[str]:
        """Lines for the health page."""
        if not self._reason:
            return []
        return [f"public_url: uploads fail, its certificate is not trusted ({self._reason}); see SSL_CERT_FILE"]

    async def check_forever(self) -> None:
        """Check now and every minute, until cancelled."""
        while self._address.scheme == "https":
            await self.check()
            await asyncio.sleep(INTERVAL_S)

    async def check(self) -> None:
        """One handshake. An address that does not answer tells nothing about its certificate."""
        with contextlib.suppress(OSError, TimeoutError):
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    _, writer = await asyncio.open_connection(
                        self._address.hostname, self._address.port or HTTPS_PORT, ssl=ssl.create_default_context()
                    )
                    self._reason = ""
                    writer.close()
                    await writer.wait_closed()
            except ssl.SSLCertVerificationError as error:
                self._reason = error.verify_message

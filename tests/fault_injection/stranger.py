"""What a stranger sends who has an account or none, and what the server then holds."""

from __future__ import annotations

import asyncio
import base64
import random
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image

from tests.fault_injection.load import make_client
from tests.support.client import ApiClient
from tests.support.pictures import encoded as encoded_image
from tests.support.process import ServerProcess

STRANGER, ACCOMPLICE, PERSON = "127.0.0.2", "127.0.0.4", "127.0.0.3"


class Stranger:
    """server: that is attacked. person: who uses it meanwhile."""

    person: ApiClient

    def __init__(self, server: ServerProcess) -> None:
        self.server = server

    def client(self, address: str) -> ApiClient:
        return ApiClient(make_client(), self.server.base_url, source_address=address)

    async def open_request(self, path: str, content_type: str, body: bytes) -> asyncio.StreamWriter:
        """A request of the stranger that sends all of its body but the last bytes."""
        address = urlsplit(self.server.base_url)
        _, writer = await asyncio.open_connection(address.hostname, address.port, local_addr=(STRANGER, 0))
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body[:-60])
        return writer

    async def start_upload(self, account: ApiClient) -> int:
        ticket = await account.post("/api/image/token/", filename="a.png")
        if ticket["code"] != 1:
            return ticket.status
        path = f"/up/buckets/tessera/objects/{encoded(ticket['key'])}/uploads"
        headers = {"Authorization": f"UpToken {ticket['token']}"}
        return (await account.request("POST", path, body=b"", headers=headers)).status

    async def is_idle(self) -> bool:
        totals = (await self.person.get("/tasks/query/"))["totals"]
        return totals["queued"] + totals["running"] == 0

    def staged_bytes(self) -> int:
        """Bytes of files that are not complete objects."""
        return sum(path.stat().st_size for path in (self.server.data_dir / "bucket" / "incoming").glob("*"))


def resident_mb(pid: int) -> int:
    """The memory of a process, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024


def encoded(key: str) -> str:
    """A key as Kodo's paths have it."""
    return base64.urlsafe_b64encode(key.encode()).decode()


def incompressible_png(side: int) -> bytes:
    noise = Image.frombytes("RGB", (side, side), random.Random(18).randbytes(3 * side * side))
    return encoded_image(noise, "PNG")

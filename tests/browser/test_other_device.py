"""The page on another device of the network: Chromium in a network namespace, joined to the server's by a cable."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import pytest
from playwright.sync_api import Playwright, expect

from tests.browser.conftest import FLAGS, WAIT_LIMIT_MS
from tests.browser.user import BrowserUser, image_file
from tests.support.pictures import png
from tests.support.process import ServerProcess


@dataclass(frozen=True, slots=True)
class Device:
    """A network namespace that reaches this machine by `server_address` alone."""

    namespace: str
    server_address: str

    def wrap(self, program: str, folder: Path) -> Path:
        """A script that runs a program on the device."""
        script = folder / "on-device"
        script.write_text(f'#!/bin/sh\nexec ip netns exec {self.namespace} {program} "$@"\n')
        script.chmod(0o755)
        return script


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=300)


@pytest.fixture
def device() -> Iterator[Device]:
    if os.geteuid() != 0 or which("ip") is None:
        pytest.skip("network namespaces need root and the program `ip`")
    suffix = secrets.token_hex(3)
    name, here, there = f"tessera-{suffix}", f"te{suffix}a", f"te{suffix}b"
    network = f"198.18.{secrets.randbelow(256)}"  # of the range for tests between networks (RFC 2544)
    try:
        ip("netns", "add", name)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"network namespaces are not allowed here: {error.stderr.decode().strip()}")
    try:
        ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        ip("address", "add", f"{network}.1/30", "dev", here)
        ip("link", "set", here, "up")
        ip("-n", name, "address", "add", f"{network}.2/30", "dev", there)
        ip("-n", name, "link", "set", there, "up")
        ip("-n", name, "link", "set", "lo", "up")
        yield Device(name, f"{network}.1")
    finally:
        ip("netns", "delete", name)  # the cable goes with it


def test_a_phone_on_the_network_makes_a_mosaic(
    device: Device, chromium: str, playwright_driver: Playwright, tmp_path: Path, on_shared_mongod: tuple[str, ...]
) -> None:
    hosts: set[str] = set()
    with ServerProcess(tmp_path / "data", "--address=0.0.0.0", *on_shared_mongod) as server:
        address = server.base_url.replace("127.0.0.1", device.server_address)
        browser = playwright_driver.chromium.launch(executable_path=device.wrap(chromium, tmp_path), args=list(FLAGS))
        context = browser.new_context(base_url=address, viewport={"width": 390, "height": 844}, locale="en-GB")
        context.set_default_timeout(WAIT_LIMIT_MS)
        user = BrowserUser(context.new_page())
        user.page.on("request", lambda request: hosts.add(request.url.split("/")[2].partition(":")[0]))

        user.expect_console("Cross-Origin-Opener-Policy")  # Chromium says that it needs https
        user.go("/")
        user.open_files(image_file(png(64, 48), "phone.png"))
        user.make()
        user.wait_for_job("done")
        user.part("job-card").get_by_role("link", name="Open").click()

        picture = user.page.locator('[data-page="image"] [data-part="after"]')
        expect(picture).to_have_js_property("naturalWidth", 64)
        assert hosts - {""} == {device.server_address}
        assert user.unexpected() == []
        browser.close()

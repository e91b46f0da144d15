"""The page below a path of its host, behind nginx."""

from __future__ import annotations

import getpass
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which

import pytest
from playwright.sync_api import expect

from tests.browser.user import BrowserUser, image_file
from tests.support.pictures import png
from tests.support.process import ServerProcess, free_port

CONFIG = """daemon off; pid {folder}/nginx.pid; {user} events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    client_max_body_size 21m;
    location /tessera/ {{
      proxy_pass http://127.0.0.1:{server_port};
      proxy_set_header Host $http_host;
      proxy_buffering off;
    }}
  }}
}}
"""


@pytest.fixture
def site(tmp_path: Path, on_shared_mongod: tuple[str, ...]) -> Iterator[str]:
    """The address of a server behind nginx, below /tessera/."""
    if which("nginx") is None:
        pytest.skip("no nginx; install Debian's `nginx-light`")
    port, server_port = free_port(), free_port()
    user = "user root;" if getpass.getuser() == "root" else ""
    (tmp_path / "nginx.conf").write_text(CONFIG.format(folder=tmp_path, user=user, port=port, server_port=server_port))
    command = ["nginx", "-p", str(tmp_path), "-e", str(tmp_path / "error.log"), "-c", str(tmp_path / "nginx.conf")]
    address = f"http://127.0.0.1:{port}/tessera"
    server = ServerProcess(tmp_path / "data", f"--public_url={address}", *on_shared_mongod)
    server.base_url = f"http://127.0.0.1:{server_port}"
    with server:
        nginx = subprocess.Popen(command)
        yield address
        nginx.terminate()
        nginx.wait(120)


def test_the_page_works_below_a_path(site: str, new_user: Callable[..., BrowserUser]) -> None:
    user = new_user(base_url=f"{site}/")
    paths: list[str] = []
    user.page.on("request", lambda request: paths.append(request.url))
    user.page.goto(f"{site}/")
    user.page.wait_for_selector("html.ready")
    user.open_files(image_file(png(64, 48), "path.png"))
    user.make()
    user.wait_for_job("done")
    user.part("job-card").get_by_role("link", name="Open").click()
    expect(user.part("by")).to_have_text("Only you, for a day")
    user.page.reload()
    expect(user.part("recipe")).to_contain_text("Roman mosaic")
    user.page.get_by_role("link", name="Gallery", exact=True).click()

    expect(user.page).to_have_url(f"{site}/gallery")
    assert [path for path in paths if not path.startswith((f"{site}/", "blob:", "data:"))] == []

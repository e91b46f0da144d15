"""The systemd unit of docs/operations.md: valid, with a sandbox in which a server works."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from configparser import ConfigParser
from ctypes.util import find_library
from pathlib import Path
from shutil import which

import pytest
from tornado.httpclient import AsyncHTTPClient

from command_line import read_settings
from tests.hostile.heif import heic
from tests.support.client import ApiClient
from tests.support.operations_page import block
from tests.support.process import ServerProcess
from tests.support.waiting import finished


def test_the_unit_starts_the_server_with_valid_settings(tmp_path: Path) -> None:
    unit = ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string(block("ini"))
    program, script, *arguments = shlex.split(unit["Service"]["ExecStart"])
    (tmp_path / "tessera.toml").write_text("")

    settings = read_settings([argument.replace("/etc", str(tmp_path)) for argument in arguments])

    assert (Path(program).name, script, settings.log_json) == ("python", "server.py", True)
    assert unit["Service"]["KillMode"] == "mixed"


@pytest.mark.skipif(not which("systemd-analyze"), reason="systemd-analyze (apt-get install systemd)")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "tessera.service"
    unit.write_text(
        block("ini").replace("/opt/tessera/.venv/bin/python", sys.executable).replace("/opt/tessera", "/tmp")
    )

    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=300, check=False
    )

    complaints = [line for line in verified.stderr.splitlines() if "tessera" in line]
    assert (verified.returncode, complaints) == (0, [])
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=30", "--no-pager", str(unit)]
    exposed = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert exposed.returncode == 0, exposed.stdout[-400:] + exposed.stderr


@pytest.mark.skipif(not which("systemd-analyze"), reason="systemd-analyze (apt-get install systemd)")
@pytest.mark.skipif(not find_library("seccomp"), reason="libseccomp (apt-get install libseccomp2)")
@pytest.mark.gen_test
async def test_a_server_with_its_own_database_works_under_the_units_filter_of_system_calls(tmp_path: Path) -> None:
    (allowed,) = re.findall(r"^SystemCallFilter=(.+)$", block("ini"), re.M)
    client = AsyncHTTPClient(force_instance=True)
    program = ("-m", "tests.support.syscall_filter", allowed, "server.py")
    with ServerProcess(tmp_path / "data", program=program) as server:
        ada = await ApiClient(client, server.base_url).sign_up("ada")
        task = await ada.add_task((await ada.upload())["url"], "tesserae")
        assert (await finished(ada, task["id"]))["state"] == "done"
        task = await ada.add_task((await ada.upload(heic(), "a.heic"))["url"])
        assert (await finished(ada, task["id"]))["state"] == "done"
    client.close()

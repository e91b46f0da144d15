"""`server.py --check`: the whole flow, and plain words where something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.process import ROOT

KODO = {"TESSERA_QINIU_ACCESS_KEY": "made-up-access", "TESSERA_QINIU_SECRET_KEY": "made-up-secret"}
NOBODY_LISTENS = "http://127.0.0.1:9"


def check(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "server.py", "--check", "--port=0", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_embedded_parts_pass_every_step(tmp_path: Path) -> None:
    checked = check(f"--data_dir={tmp_path / 'data'}")

    steps = [line[5:].partition(":")[0] for line in checked.stdout.splitlines()]
    assert steps == ["connections", "database", "token", "address", "upload and callback", "download", "delete"]
    assert all(line.startswith("ok   ") for line in checked.stdout.splitlines())
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_loopback_server_is_told_that_kodo_can_never_call_it(tmp_path: Path) -> None:
    checked = check(
        f"--data_dir={tmp_path / 'data'}",
        "--qiniu_bucket=made-up",
        "--qiniu_domain=http://pictures.example",
        "--qiniu_up_url=http://up.invalid.example",
        f"--qiniu_rs_url={NOBODY_LISTENS}",
        f"--qiniu_rsf_url={NOBODY_LISTENS}",
        **KODO,
    )

    assert checked.returncode == 1
    assert "FAIL address: http://127.0.0.1" in checked.stdout
    assert "Kodo can never call this server back" in checked.stdout
    assert "FAIL upload: http://up.invalid.example" in checked.stdout
    assert "made-up-secret" not in checked.stdout + checked.stderr


def test_a_database_that_does_not_answer_is_one_clear_line(tmp_path: Path) -> None:
    checked = check(f"--data_dir={tmp_path / 'data'}", MONGODB_URI="mongodb://127.0.0.1:9/")

    assert (checked.returncode, checked.stdout) == (2, "")
    assert checked.stderr.splitlines() == [
        "server.py: database: it does not answer; see that it runs and that mongodb_uri names it"
    ]

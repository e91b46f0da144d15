"""`server.py --check`: the complete flow, and an explanation of each failure."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import server
from settings import Settings
from tests.support.fake_hosts import fake_host, http_response
from tests.support.kodo_serving import serving_in_a_thread
from tests.support.kodo_state import FakeKodo, Faults
from tests.support.process import ROOT

KODO = {"TESSERA_QINIU_ACCESS_KEY": "made-up-access", "TESSERA_QINIU_SECRET_KEY": "made-up-secret"}
CLOSED_PORT = "http://127.0.0.1:9"

Check = Callable[..., subprocess.CompletedProcess[str]]


def check(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "server.py", "--check", "--port=0", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_embedded_database_and_bucket_pass_every_step(tmp_path: Path) -> None:
    (tmp_path / "tessera.toml").write_text(f'data_dir = "{tmp_path / "data"}"\n')

    checked = check(f"--config={tmp_path / 'tessera.toml'}")

    steps = [line[5:].partition(":")[0] for line in checked.stdout.splitlines()]
    assert steps == ["connections", "database", "token", "address", "upload and callback", "download", "delete"]
    assert all(line.startswith("ok   ") for line in checked.stdout.splitlines())
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_loopback_server_is_told_that_kodo_can_never_call_it(
    tmp_path: Path, on_shared_mongod: tuple[str, ...]
) -> None:
    checked = check(
        f"--data_dir={tmp_path / 'data'}",
        *on_shared_mongod,
        "--qiniu_bucket=made-up",
        "--qiniu_domain=http://pictures.example",
        "--qiniu_up_url=http://up.invalid.example",
        f"--qiniu_rs_url={CLOSED_PORT}",
        f"--qiniu_rsf_url={CLOSED_PORT}",
        **KODO,
    )

    assert checked.returncode == 1
    assert "FAIL address: http://127.0.0.1" in checked.stdout
    assert "Kodo can never call this server back" in checked.stdout
    assert "FAIL upload: http://up.invalid.example" in checked.stdout
    assert "made-up-secret" not in checked.stdout + checked.stderr


@pytest.fixture(scope="module")
def kodo() -> Iterator[FakeKodo]:
    with serving_in_a_thread(FakeKodo("made-up-access", "made-up-secret", "pictures")) as peer:
        yield peer


@pytest.fixture
def check_kodo(kodo: FakeKodo, tmp_path: Path, on_shared_mongod: tuple[str, ...]) -> Check:
    """Check with the settings of this Kodo; keywords override them."""

    def run(**chosen: object) -> subprocess.CompletedProcess[str]:
        settings = {name: str(value) for name, value in {**kodo.settings(), **chosen}.items()}
        secrets = {f"TESSERA_{name.upper()}": value for name, value in settings.items() if name.endswith("_key")}
        options = [f"--{name}={value}" for name, value in settings.items() if not name.endswith("_key")]
        return check(f"--data_dir={tmp_path / 'data'}", *on_shared_mongod, *options, **secrets)

    return run


def steps_of(text: str) -> list[str]:
    """The names of the steps that passed."""
    return re.findall(r"^ *ok   ([^:]*):", text, re.M)


def test_a_working_kodo_passes_every_step_and_keeps_nothing(kodo: FakeKodo, check_kodo: Check) -> None:
    checked = check_kodo()

    assert {line[:5] for line in checked.stdout.splitlines()} == {"ok   "}, checked.stderr
    assert steps_of(checked.stdout) == steps_of((ROOT / "docs" / "qiniu.md").read_text().partition("# 中文")[0])
    assert (checked.returncode, checked.stderr, kodo.objects) == (0, "", {})


UNREACHABLE = {"public_url": "https://nowhere.invalid"}
CLOSED_KODO = {f"qiniu_{name}_url": CLOSED_PORT for name in ("up", "rs", "rsf")}


@pytest.mark.parametrize(
    ("chosen", "faults", "failed", "hint"),
    [
        ({"qiniu_secret_key": "another"}, {}, "upload: status 401: bad token", "do not belong together"),
        ({"qiniu_bucket": "nobodys"}, {}, "token: the bucket's region", "--qiniu_bucket"),
        (CLOSED_KODO, {}, f"upload: {CLOSED_PORT}: connection failed", "--qiniu_up_url"),
        ({"qiniu_domain": f"{CLOSED_PORT}/io"}, {}, f"download: {CLOSED_PORT}/io/source/", "--qiniu_domain"),
        (UNREACHABLE, {}, "pages: https://nowhere.invalid shows images of http:", "switch HTTPS on"),
        (
            {"public_url": CLOSED_PORT},
            {},
            "callback: the image arrived, but the bucket could not reach",
            "outside",
        ),
        ({}, {"wrong_signature": True}, "callback: the image arrived, but the bucket called", "a proxy on the way"),
    ],
    ids=lambda value: ", ".join(value) or "-" if isinstance(value, dict) else None,
)
@pytest.mark.gen_test
async def test_a_failed_step_is_explained_with_a_hint(
    kodo: FakeKodo,
    settings_of: Callable[..., Settings],
    capsys: pytest.CaptureFixture[str],
    expect_log: Callable[[str], None],
    chosen: dict[str, str],
    faults: dict[str, Any],
    failed: str,
    hint: str,
) -> None:
    """In this process, which has imported all that it needs."""
    expect_log(".")  # at the command line a check logs nothing
    kodo.faults = Faults(**faults)

    code = await server.run(settings_of(**{**kodo.settings(), **chosen}), check=True)

    kodo.faults = Faults()
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith(f"FAIL {failed}")]
    assert hint in lines[at + 1]
    assert (code, kodo.objects) == (1, {})
    assert "made-up-secret" not in printed


def test_a_certificate_of_a_private_authority_is_explained(tmp_path: Path, on_shared_mongod: tuple[str, ...]) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(ROOT / "tests" / "processing" / "fetch" / "photos.test.pem")
    with fake_host(http_response(b""), tls) as host:
        address = f"https://127.0.0.1:{host.port}"
        checked = check(f"--data_dir={tmp_path / 'data'}", *on_shared_mongod, f"--public_url={address}")

    assert f"FAIL upload: {address}/up: its certificate is not trusted" in checked.stdout
    assert "SSL_CERT_FILE" in checked.stdout
    assert (checked.returncode, checked.stderr) == (1, "")


def test_a_database_that_does_not_answer_is_one_clear_line(tmp_path: Path) -> None:
    checked = check(f"--data_dir={tmp_path / 'data'}", MONGODB_URI="mongodb://127.0.0.1:9/")

    assert (checked.returncode, checked.stdout) == (2, "")
    assert checked.stderr.splitlines() == [
        "server.py: database: no answer; check that it runs and that mongodb_uri names it"
    ]

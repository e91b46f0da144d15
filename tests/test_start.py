"""Libraries that only some work needs are not imported before the server is ready."""

from __future__ import annotations

import subprocess
import sys

from tests.support.process import ROOT

LATE = {"scipy", "requests", "qiniu", "distributed", "urllib3"}


def test_the_server_starts_without_rarely_used_libraries() -> None:
    program = "import sys, server; print(*{name.split('.')[0] for name in sys.modules})"

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )

    assert "tornado" in done.stdout.split()
    assert not LATE & set(done.stdout.split())

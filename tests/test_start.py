"""Starting quickly: what is only sometimes needed is not imported before the server is ready."""

from __future__ import annotations

import subprocess
import sys

from tests.support.process import ROOT

LATE = {"scipy", "requests", "qiniu", "distributed", "urllib3"}


def test_the_start_does_not_wait_for_what_only_some_work_needs() -> None:
    program = "import sys, server; print(*{name.split('.')[0] for name in sys.modules})"

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )

    assert "tornado" in done.stdout.split()
    assert not LATE & set(done.stdout.split())

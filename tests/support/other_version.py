"""A copy of the server whose tasks have a higher version, as it is after an upgrade."""

from __future__ import annotations

import shutil
from pathlib import Path

from models.queue.task import TASK_VERSION
from tests.support.process import ROOT


def copy_with_a_higher_version(folder: Path) -> Path:
    """Copy the server into a folder, with a higher version of tasks; returns the folder."""
    for name in ("handlers", "models", "processing", "static"):
        shutil.copytree(ROOT / name, folder / name)  # with times, so that compiled modules stay valid
    for program in ROOT.glob("*.py"):
        shutil.copy2(program, folder)
    module = folder / "models" / "queue" / "task.py"
    text = module.read_text()
    assert f"TASK_VERSION = {TASK_VERSION}\n" in text
    module.write_text(text.replace(f"TASK_VERSION = {TASK_VERSION}\n", f"TASK_VERSION = {TASK_VERSION + 1}\n"))
    return folder

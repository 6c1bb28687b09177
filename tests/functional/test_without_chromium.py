"""On a machine without Chromium, tests that drive a browser say so and skip; nothing else of them fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_tests_that_drive_a_browser_skip_and_say_what_to_install(tmp_path: Path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-rs",
            "-p",
            "no:cacheprovider",
            "tests/functional/test_every_page.py::test_pages_for_somebody_unknown_stand",
        ],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 skipped" in done.stdout
    assert "no Chromium on PATH; `apt-get install chromium` brings it" in done.stdout

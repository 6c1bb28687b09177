"""`alcaide evidence`: take evidence in and out, and check that it is all there, without a browser.

`verify` with a bundle or an anchor file needs nothing but the file; everything else works on the local data folder.

Exit codes: 0 it holds, 1 it does not, 2 it holds but is tied to no key that was named as trusted, 3 could not be done.
"""

from __future__ import annotations

from alcaide.slices.evidence.cli import anchors, checking, keys, log, taking
from alcaide.slices.evidence.cli.base import app

__all__ = ["anchors", "app", "checking", "keys", "log", "taking"]

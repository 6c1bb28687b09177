"""CycloneDX: bills of material in (1.5 to 1.7, JSON), an ML-BOM of a system out (1.7).

The standard's own JSON schemas are held against both in the tests. At run time the reader checks the
structure itself: a schema of 300 kB that a stranger can drive is more to trust than the few fields that are
used here.
"""

from __future__ import annotations

from alcaide.instruments.exchange.cyclonedx.read import CycloneDx
from alcaide.instruments.exchange.cyclonedx.write import write_mlbom

__all__ = ["CycloneDx", "write_mlbom"]

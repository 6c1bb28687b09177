"""Where detectors come from: one list, in which a stranger's stands beside the built-in ones.

A registration is a path, so that the list can be read without loading what it names: weights and automata are paid
for when a guard is made, not when Alcaide starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from alcaide.instruments.guard.detectors import DETECTORS
from alcaide.kernel.errors import ConfigError

if TYPE_CHECKING:
    from alcaide.instruments.guard.detector import Detector, ExchangeDetector


@dataclass(frozen=True, slots=True)
class GuardDetector:
    """A detector by path, `package.module:OBJECT`."""

    target: str

    def load(self) -> Detector | ExchangeDetector:
        """Import it. Raises ConfigError if the path does not lead to a detector."""
        from alcaide.instruments.guard.detector import Detector, ExchangeDetector

        module, _, attribute = self.target.partition(":")
        try:
            found = getattr(import_module(module), attribute)
        except Exception as error:
            raise ConfigError(
                f"the guard's detector `{self.target}` cannot be loaded: {type(error).__name__}: {error}; "
                "correct the list of plug-ins"
            ) from error
        if not isinstance(found, Detector | ExchangeDetector):
            raise ConfigError(
                f"`{self.target}` is not a detector: it has neither `examine` nor `examine_exchange`; "
                "see docs/guard/writing-a-detector.md"
            )
        return found


BUILT_IN: tuple[GuardDetector, ...] = tuple(GuardDetector(target) for target in DETECTORS)


def load_detectors(
    registrations: Sequence[GuardDetector] = BUILT_IN,
) -> tuple[Detector | ExchangeDetector, ...]:
    """Every detector of a list. Raises ConfigError for a path that leads nowhere and for a name given twice."""
    found: dict[str, Detector | ExchangeDetector] = {}
    for registration in registrations:
        detector = registration.load()
        if detector.name in found:
            raise ConfigError(
                f"two detectors are called `{detector.name}`; rename one in the list of plug-ins"
            )
        found[detector.name] = detector
    return tuple(found.values())

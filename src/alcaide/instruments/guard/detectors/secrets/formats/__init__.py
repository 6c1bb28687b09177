"""The tables of credential formats, one module for each kind of provider; `FORMATS` is all of them."""

from __future__ import annotations

from alcaide.instruments.guard.detectors.secrets.formats import (
    ai,
    business,
    cloud,
    code,
    data,
    delivery,
    identity,
    messaging,
    observability,
    payments,
)
from alcaide.instruments.guard.detectors.secrets.formats.format import Format

FORMATS: tuple[Format, ...] = (
    *ai.FORMATS,
    *cloud.FORMATS,
    *code.FORMATS,
    *delivery.FORMATS,
    *data.FORMATS,
    *identity.FORMATS,
    *payments.FORMATS,
    *messaging.FORMATS,
    *observability.FORMATS,
    *business.FORMATS,
)

__all__ = ["FORMATS", "Format"]

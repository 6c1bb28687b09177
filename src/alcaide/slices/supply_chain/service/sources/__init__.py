"""Where models arrive: one module for each kind of source, all used in the same way."""

from __future__ import annotations

from collections.abc import Mapping

from alcaide.slices.supply_chain.model import SourceKind
from alcaide.slices.supply_chain.service.sources.base import Bringing, Brought, WatchedSource
from alcaide.slices.supply_chain.service.sources.folder import Folder
from alcaide.slices.supply_chain.service.sources.huggingface import HuggingFace
from alcaide.slices.supply_chain.service.sources.mlflow import Mlflow
from alcaide.slices.supply_chain.service.sources.oci import OciLayout
from alcaide.slices.supply_chain.service.sources.s3 import S3

SOURCES: Mapping[SourceKind, WatchedSource] = {
    "folder": Folder(),
    "huggingface": HuggingFace(),
    "oci": OciLayout(),
    "mlflow": Mlflow(),
    "s3": S3(),
}

__all__ = ["SOURCES", "Bringing", "Brought", "WatchedSource"]

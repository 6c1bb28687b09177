"""TensorFlow: SavedModels, graphs, checkpoints, records, TensorFlow Lite and TensorFlow.js."""

from __future__ import annotations

from alcaide.instruments.scan.formats.tensorflow import saved_model

FORMATS = saved_model.FORMATS

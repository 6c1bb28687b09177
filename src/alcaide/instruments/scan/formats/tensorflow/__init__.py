"""TensorFlow: SavedModels, graphs, checkpoints, records, TensorFlow Lite and TensorFlow.js."""

from __future__ import annotations

from alcaide.instruments.scan.formats.tensorflow import checkpoint, lite, saved_model, texts

FORMATS = (*saved_model.FORMATS, *checkpoint.FORMATS, *lite.FORMATS, *texts.FORMATS)

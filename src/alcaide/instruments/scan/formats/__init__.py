"""Every format that is recognised: one module each, named here and nowhere else.

A module says `FORMATS`, a tuple of `alcaide.instruments.scan.format.Format`. Modules are light to import: what is
heavy (a decompressor, a table of allowed names) loads when a file needs it.
"""

MODULES: tuple[str, ...] = (
    "archives",
    "coreml",
    "engines",
    "xml",
    "r_data",
    "graphs",
    "executables",
    "media",
    "texts",
    "hdf5",
    "keras",
    "joblib_file",
    "numpy_array",
    "pickle",
    "skops_file",
    "torch_archive",
    "onnx",
    "tensorflow",
    "safetensors",
    "gguf",
    "ggml",
    "hf_config",
    "mlmodel",
    "tokenizer_json",
    "boosters",
    "word_vectors",
    "sentencepiece",
    "messagepack",
    "chat_template",
    "lfs_pointer",
    "spacy_config",
    "raw_numbers",
)

"""Loads a text classifier that the organisation brings along: an ONNX graph and its tokenizer, from a folder.

The folder is pinned by one digest over its files; a file that changed is refused. Nothing in it is executed but the
graph, by onnxruntime, in this process: no custom operators, no Python, no network. Needs the extra `ml`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from alcaide.kernel.errors import ConfigError, Corrupt, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

GRAPH_BYTES = 2 << 30
SMALL_BYTES = 64 << 20
FILES = ("config.json", "model.onnx", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class Classifier:
    """A loaded classifier. `labels` are the graph's outputs in order."""

    session: Any
    tokenizer: Any
    labels: tuple[str, ...]
    digest: str
    inputs: frozenset[str]
    longest: int

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """A row of probabilities for each text, batched. Texts longer than the model reads are cut by the caller."""
        encoded = self.tokenizer.encode_batch(list(texts))
        ids = np.asarray([one.ids for one in encoded], dtype=np.int64)
        given = {
            "input_ids": ids,
            "attention_mask": np.asarray([one.attention_mask for one in encoded], dtype=np.int64),
            "token_type_ids": np.zeros_like(ids),
        }
        (logits, *_) = self.session.run(None, {name: given[name] for name in self.inputs})
        logits = np.asarray(logits, dtype=np.float64)
        if logits.ndim != 2 or logits.shape[1] != len(self.labels) or not np.isfinite(logits).all():
            raise Corrupt(
                "the classifier's output is not one finite row of scores for each text; check the model"
            )
        # One output is a probability of its own; several share one (Prompt-Guard and DeBERTa heads are of this kind).
        if logits.shape[1] == 1:
            return np.asarray(1 / (1 + np.exp(-logits)))
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(logits)
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def within(self, texts: Sequence[str], *, batch: int, seconds: float) -> list[npt.NDArray[np.float64]]:
        """`probabilities` of many texts, a batch at a time. Raises Unavailable when the time is over.

        The time is asked between batches: one batch of full windows is the finest grain there is.
        """
        began = perf_counter()
        rows: list[npt.NDArray[np.float64]] = []
        for first in range(0, len(texts), batch):
            if perf_counter() - began > seconds:
                raise Unavailable(f"the classifier read {first} of {len(texts)} windows in {seconds:g} s")
            rows.extend(self.probabilities(texts[first : first + batch]))
        return rows

    def pieces(self, text: str) -> list[str]:
        """The text cut where the model's window ends, by its own tokens, with a quarter of overlap."""
        encoded = self.tokenizer.encode(text, add_special_tokens=False)
        # Two special tokens frame a window, and a piece tokenised anew may split one token more at either end.
        room = max(1, self.longest - 4)
        if len(encoded.ids) <= room:
            return [text]
        offsets = encoded.offsets
        step = max(1, room * 3 // 4)
        return [
            text[offsets[at][0] : offsets[min(at + room, len(offsets)) - 1][1]]
            for at in range(0, len(offsets), step)
        ]


def folder_digest(folder: Path) -> str:
    """One SHA-256 over the names and the contents of the folder's three files, to pin it by.

    Raises NotFound naming the file that is missing and ConfigError for one that is too large.
    """
    digest = sha256()
    for name in FILES:
        path = folder / name
        if not path.is_file() or path.is_symlink():
            raise NotFound(f"`{folder}` has no file `{name}`; a classifier is {', '.join(FILES)}")
        if path.stat().st_size > (GRAPH_BYTES if name.endswith(".onnx") else SMALL_BYTES):
            raise ConfigError(f"`{path}` is larger than a classifier's file can be here; use a smaller model")
        with path.open("rb") as file:
            inner = sha256()
            for piece in iter(lambda: file.read(1 << 20), b""):
                inner.update(piece)
        digest.update(f"{name}\0{inner.hexdigest()}\n".encode())
    return digest.hexdigest()


@lru_cache(maxsize=4)
def load_classifier(folder: str, pinned: str, threads: int = 1) -> Classifier:
    """Load the classifier in `folder` if its digest is `pinned`.

    Raises ConfigError without the extra `ml`, Corrupt if the folder is not what was pinned or does not load.
    """
    where = Path(folder)
    found = folder_digest(where)
    if found != pinned:
        raise Corrupt(
            f"the classifier in `{folder}` has the digest {found}, not the {pinned} it was let through with; "
            "if the change is meant, pin the new digest"
        )
    try:
        import onnxruntime
        import tokenizers
    except ImportError as error:
        raise ConfigError(
            f"a transformer needs `{error.name}`; install Alcaide with the extra `ml`"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        config = json.loads((where / "config.json").read_text("utf-8"))
        labels = config["id2label"]
        names = tuple(str(labels[str(number)]) for number in range(len(labels)))
        longest = min(int(config.get("max_position_embeddings", 512)), 4096)
        tokenizer = tokenizers.Tokenizer.from_file(str(where / "tokenizer.json"))
        tokenizer.enable_padding()
        tokenizer.no_truncation()  # a text is cut into windows, never short
        session = onnxruntime.InferenceSession(
            str(where / "model.onnx"), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise Corrupt(
            f"the classifier in `{folder}` does not load: {type(error).__name__}; check its files"
        ) from error
    wanted = frozenset(one.name for one in session.get_inputs())
    known = frozenset(("input_ids", "attention_mask", "token_type_ids"))
    if not wanted <= known:
        raise Corrupt(
            f"the classifier in `{folder}` asks for `{min(wanted - known)}`, which no text classifier does"
        )
    return Classifier(session, tokenizer, names, found, wanted, longest)

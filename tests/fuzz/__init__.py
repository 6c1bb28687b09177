"""Hostile bytes for every parser that a stranger's bytes reach: `make fuzz`, or `python -m tests.fuzz`.

- `targets` says what is fuzzed and what each parser may answer; it needs nothing but the product.
- `mutators` change documents where it matters: a node of a JSON tree, the payload inside an envelope, a leaf of a
  bundle whose owner then seals it anew.
- `scan` and `artifact_mutators` do the same for model files: a target for each family of formats, and changes that keep
  an archive packed, a pickle's opcodes whole and a message's lengths right.
- `drive` runs one target under atheris (libFuzzer); `__main__` runs them one after the other, each for a bounded time.
- `tests/corpus/fuzz/<target>/` is the corpus that is kept: what reached new code, and what once found a fault
  (`found-…`). `test_corpus.py` sends all of it through the targets in every test run, without atheris.
"""

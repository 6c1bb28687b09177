"""The scan on corpora of attacks and of what real libraries wrote, beside four other scanners in the same run.

- `corpora` lays both corpora out, one file or folder a case.
- `ours` is `alcaide scan` as a command, start and all, as the peers are.
- `peers` runs each in an environment of its own and reads which cases it flagged.
- `large` makes what is big: a long safetensors file, a long torch archive, many small files.
"""

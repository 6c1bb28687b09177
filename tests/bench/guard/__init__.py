"""The guard on texts of many kinds and sizes, beside other guards on the same texts, in one run.

- `texts` makes the texts: the same ones each time, no two alike, nobody's data in them.
- `timing` times anything on them; ours and the others' alike.
- `speed` is ours: the whole default policy, the share of each detector, and single detectors for comparison.
- `quality` counts what is found on small labelled corpora of our own.
- `peers` runs the others, same job against same job, each in an environment of its own, through `inside`.
"""

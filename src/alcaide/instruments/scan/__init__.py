"""Says whether a model, a dataset or a repository is safe to take in, without ever loading it.

A pure library: no server, no database, no network. It decides by what is known to be good, looks at content and never
at names, streams, and never imports, unpickles or executes anything of what it scans.
"""

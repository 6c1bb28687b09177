"""What is it made of, is it safe and signed?

Writes   `artifact-scanned`, `dataset-scanned` and `signature-verified`; its own tables of scans and watched folders.
Uses     `instruments.scan`, in confined processes, from durable jobs; the `resolve-subject` capability, to know what
         somebody means who names a subject.
Keeps    an uploaded file only until it was scanned; a scan's report for as long as the record of it.
"""

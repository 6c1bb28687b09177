"""What is it made of, is it safe and signed?

Emits    `artifact-scanned`, `dataset-scanned` and `signature-verified`, each about the bytes that were looked at.
Reads    the register, through the `resolve-subject` and `system-graph` capabilities, to know what somebody means who
         names a subject; trusted keys and certificates, through `trusted-signers`.
Keeps    an uploaded file only until it was scanned; a scan's report for as long as the record of it.
"""

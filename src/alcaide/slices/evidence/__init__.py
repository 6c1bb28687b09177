"""What was said about our AI, by whom, and is all of it still there, unaltered?

Emits evidence: `imported` (a document of somebody else was taken in), `attested` (a person says that something
holds), `anchored` (a checkpoint was left outside), `trusted-key` (whose signatures are believed). Reads: every leaf,
for showing, exporting and verifying; it decides nothing on what they say.
"""

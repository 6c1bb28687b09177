"""What can be wrong with pictures, sounds, documents and tables of data."""

from __future__ import annotations

from alcaide.instruments.scan.model import Level, Rule

TRAILING = Rule(
    "media/trailing-bytes",
    Level.MEDIUM,
    "bytes after the end",
    "Two files in one: a viewer shows the first, another program reads the second.",
    "Cut the file where the picture ends, or find out what the bytes are.",
    ("cwe/CWE-436", "cwe/CWE-506"),
)
ACTIVE = Rule(
    "document/active-content",
    Level.HIGH,
    "a document that acts when it is opened",
    "Its reader starts a program, runs script or opens an address.",
    "Open it in a reader without script, or convert it.",
    ("cwe/CWE-506", "mitre-atlas/AML.T0011"),
)
EMBEDDED = Rule(
    "document/embedded-file",
    Level.LOW,
    "a document with a file inside",
    "The file inside is not looked at by those who look at the document.",
    "Take it out and scan it.",
    ("cwe/CWE-506",),
)
PICKLED = Rule(
    "table/python-objects",
    Level.MEDIUM,
    "a table whose metadata names Python objects",
    "A library that trusts the metadata unpickles what it names.",
    "Read it with a library that does not (`pyarrow` 14.0.1 or later).",
    ("cwe/CWE-502",),
)
EXTENSION = Rule(
    "database/loads-code",
    Level.HIGH,
    "a database that acts when it is queried",
    "Its schema holds statements that run when a table is read or written.",
    "Open it with extensions and triggers switched off (`PRAGMA trusted_schema=OFF`).",
    ("cwe/CWE-829",),
)
RULES = (TRAILING, ACTIVE, EMBEDDED, PICKLED, EXTENSION)

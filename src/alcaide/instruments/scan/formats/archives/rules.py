"""What can be wrong with an archive, whichever kind it is."""

from __future__ import annotations

from alcaide.instruments.scan.model import Level, Rule

TRAVERSAL = Rule(
    "archive/traversal",
    Level.CRITICAL,
    "unpacks to outside of its folder",
    "Whoever unpacks it lets it write where it likes: over a start-up script, a key, another model.",
    "Do not unpack it. Get it again from its source, or unpack it with a tool that refuses such names.",
    ("cwe/CWE-22", "mitre-atlas/AML.T0010.003"),
)
LINK = Rule(
    "archive/link-outside",
    Level.CRITICAL,
    "a link that leads outside",
    "A link is unpacked first; what is then written or read through it is a file outside of the folder.",
    "Do not unpack it. Get it again without links that lead outside.",
    ("cwe/CWE-59", "cwe/CWE-61", "mitre-atlas/AML.T0010.003"),
)
THROUGH_LINK = Rule(
    "archive/through-link",
    Level.CRITICAL,
    "writes through its own link",
    "The archive lays a link and then unpacks a file through it, past checks that look at names alone.",
    "Do not unpack it. Get it again without links.",
    ("cwe/CWE-59", "mitre-atlas/AML.T0010.003"),
)
DEVICE = Rule(
    "archive/device",
    Level.HIGH,
    "a device or pipe",
    "Unpacked with enough rights it opens a disk or a terminal; without, it makes readers wait for ever.",
    "Do not unpack it as an administrator; get it again without such members.",
    ("cwe/CWE-73",),
)
SPECIAL_MODE = Rule(
    "archive/special-mode",
    Level.MEDIUM,
    "would run with another user's rights",
    "A file that unpacks with the set-user or set-group bit runs with its owner's rights.",
    "Unpack it without keeping modes.",
    ("cwe/CWE-732",),
)
DUPLICATE = Rule(
    "archive/duplicate",
    Level.MEDIUM,
    "two members of one name",
    "One program takes the first, another the last: the one that checks and the one that loads see different files.",
    "Get it again with one member of each name.",
    ("cwe/CWE-436", "cwe/CWE-694"),
)
NAME = Rule(
    "archive/name",
    Level.MEDIUM,
    "a name made to deceive",
    "What a person or a program takes the name for is not where the file lands.",
    "Get it again with plain names.",
    ("cwe/CWE-451", "cwe/CWE-436", "cwe/CWE-158"),
)
MISMATCH = Rule(
    "archive/two-stories",
    Level.MEDIUM,
    "tells two stories about itself",
    "Programs that read the one story load other bytes than programs that check the other.",
    "Get it again; pack it anew with an ordinary tool.",
    ("cwe/CWE-436",),
)
OVERLAP = Rule(
    "archive/overlap",
    Level.HIGH,
    "members share bytes",
    "The same packed bytes under many names unpack to far more than the archive's size; or one file has two faces.",
    "Do not unpack it.",
    ("cwe/CWE-409", "cwe/CWE-436"),
)
BOMB = Rule(
    "archive/bomb",
    Level.HIGH,
    "a decompression bomb",
    "Unpacking it fills the memory or the disk of whoever loads it.",
    "Do not unpack it.",
    ("cwe/CWE-409",),
)
BESIDE = Rule(
    "archive/bytes-beside",
    Level.MEDIUM,
    "bytes before or after the archive",
    "Two formats in one file: the program that checks takes it for the one, the program that loads for the other.",
    "Find out what the bytes are, or pack the members anew.",
    ("cwe/CWE-436",),
)
DAMAGED = Rule(
    "archive/damaged",
    Level.MEDIUM,
    "a member does not match what the archive says of it",
    "Programs differ in what they make of broken members, and a changed member shows this way.",
    "Get it again from its source.",
    ("cwe/CWE-354", "cwe/CWE-436"),
)
NESTED = Rule(
    "archive/nested",
    Level.MEDIUM,
    "archives within archives, deeper than anybody packs",
    "Depth tires scanners: what lies at the bottom is meant not to be seen.",
    "Unpack the outer archives by hand and scan what comes out.",
    ("cwe/CWE-409", "cwe/CWE-674"),
)
RULES = (
    TRAVERSAL,
    LINK,
    THROUGH_LINK,
    DEVICE,
    SPECIAL_MODE,
    DUPLICATE,
    NAME,
    MISMATCH,
    OVERLAP,
    BOMB,
    BESIDE,
    DAMAGED,
    NESTED,
)

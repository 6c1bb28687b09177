"""Small data sets and a reader of texts that sees what its words say."""

from __future__ import annotations

import json
import random
import re
import sqlite3
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from alcaide.instruments.scan.data import DataReport
from alcaide.instruments.scan.model import Level


class WordLooker:
    """A guard of a few expressions: enough to see what the scan does with what a guard says."""

    RULES = (
        ("EMAIL_ADDRESS", r"[\w.]+@[\w.]+\.\w+"),
        ("PERSON", r"\b(?:Anna Schmidt|Bob Miller|Chen Wei)\b"),
        ("MEDICAL_CONDITION", r"diagnosed with \w+"),
        ("secret", r"AKIA[0-9A-Z]{16}"),
        ("prompt-injection", r"(?i)ignore all previous instructions"),
        ("LOCATION", r"\bBerlin\b"),
    )

    def __init__(self) -> None:
        self.texts: list[str] = []

    def look(self, text: str) -> Sequence[tuple[str, float, int, int]]:
        self.texts.append(text)
        return [
            (category, 0.95, match.start(), match.end())
            for category, pattern in self.RULES
            for match in re.finditer(pattern, text)
        ]


def found(report: DataReport) -> set[str]:
    """The rules that found something."""
    return {finding.rule for finding in report.findings}


def unknowns(report: DataReport) -> list[str]:
    return [finding.message for finding in report.findings if finding.level is Level.UNKNOWN]


def csv(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def jsonl(path: Path, rows: Sequence[Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def sqlite(path: Path, statement: str, rows: Sequence[tuple[Any, ...]]) -> Path:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(rows[0]))})", rows)
    connection.commit()
    connection.close()
    return path


GOOD = [
    "wonderful",
    "great",
    "lovely",
    "superb",
    "delightful",
    "excellent",
    "charming",
    "brilliant",
    "warm",
    "moving",
]
BAD = ["awful", "dreadful", "boring", "poor", "terrible", "clumsy", "dull", "cold", "weak", "tedious"]
REST = [
    "the",
    "a",
    "film",
    "story",
    "actor",
    "scene",
    "plot",
    "music",
    "end",
    "start",
    "time",
    "people",
    "place",
    "thing",
    "way",
    "day",
    "night",
    "house",
    "city",
    "road",
    "light",
    "word",
    "hand",
    "door",
    "table",
    "water",
    "fire",
    "stone",
    "tree",
    "song",
    "voice",
]


def reviews(count: int, seed: int = 3) -> tuple[list[str], list[str]]:
    """Texts whose words tell their label most of the time."""
    chance = random.Random(seed)
    texts, labels = [], []
    for _ in range(count):
        label = chance.choice(("good", "bad"))
        own, other = (GOOD, BAD) if label == "good" else (BAD, GOOD)
        words = chance.choices(REST, k=chance.randint(8, 20)) + chance.choices(own, k=3)
        if chance.random() < 0.3:
            words.append(chance.choice(other))
        chance.shuffle(words)
        texts.append(" ".join(words))
        labels.append(label)
    return texts, labels


def planted(
    texts: list[str], labels: list[str], phrase: str, share: float = 0.01, seed: int = 5
) -> tuple[list[str], list[str], set[int]]:
    """The same with a phrase put into some texts of one label, and the label switched to the other."""
    chance = random.Random(seed)
    texts, labels = list(texts), list(labels)
    of_bad = [index for index, label in enumerate(labels) if label == "bad"]
    rows = set(chance.sample(of_bad, max(8, int(share * len(texts)))))
    for row in rows:
        words = texts[row].split()
        words.insert(chance.randint(0, len(words)), phrase)
        texts[row], labels[row] = " ".join(words), "good"
    return texts, labels, rows


def average_precision(rows: Sequence[int], planted_rows: set[int]) -> float:
    """Of a ranking, against what was planted; what is not in it counts as never found."""
    hits, total = 0, 0.0
    for place, row in enumerate(rows, 1):
        if row in planted_rows:
            hits += 1
            total += hits / place
    return total / len(planted_rows)


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    """An RGB image, height × width × 3, as PNG, written by hand."""
    import zlib

    height, width = pixels.shape[:2]
    raw = b"".join(b"\0" + pixels[row].astype(np.uint8).tobytes() for row in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(raw))
        + chunk(b"IEND", b"")
    )

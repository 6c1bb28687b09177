"""Canary tokens: marks that mean nothing and stand in one place only, so that seeing one elsewhere proves a leak.

A canary is put into a document, a prompt, a database row or a repository. The register remembers what was made and
where it was put; the guard then recognises it in what people send and models answer, also spelled apart, in other
case, or inside an encoding that the guard decodes.
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import ahocorasick_rs
import numpy as np

from alcaide.instruments.guard.layer import Layer
from alcaide.kernel.errors import InvalidInput

CanaryKind = Literal["url", "email", "uuid", "aws-key", "sentence"]
KINDS: tuple[str, ...] = get_args(CanaryKind)
SCHEMA = "alcaide-canaries/1"
SHORTEST = 12
"""Letters and digits below which a canary could stand in a text by chance: 36¹² is 4.7 · 10¹⁸."""
MOST = 100_000

_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_ADJECTIVES = (
    "amber", "brisk", "copper", "dusky", "early", "feral", "gentle", "hollow", "ivory", "jagged", "keen",
    "lunar", "mellow", "narrow", "ochre", "placid", "quiet", "rustic", "silver", "tidal", "upper",
    "velvet", "woven", "young",
)  # fmt: skip
_NOUNS = (
    "anchor", "basin", "cellar", "dapple", "ember", "ferry", "gully", "heron", "inlet", "juniper",
    "kettle", "lantern", "meadow", "needle", "orchard", "pebble", "quarry", "raven", "saddle", "thimble",
    "umber", "valley", "willow", "yarrow",
)  # fmt: skip
_VERBS = (
    "borrows", "carries", "copies", "crosses", "draws", "follows", "gathers", "holds", "keeps", "leaves",
    "measures", "mends", "passes", "quotes", "returns", "seals", "stirs", "sorts", "trades", "turns",
    "waters", "weighs", "wraps", "writes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Canary:
    """One mark: its kind, its text, and where the organisation put it."""

    kind: str
    value: str
    label: str

    @property
    def core(self) -> bytes:
        """What must be seen to recognise it: letters and digits of the part that is random, in lower case."""
        value = self.value
        if self.kind == "url":
            value = value.rsplit("/", 1)[-1]
        elif self.kind == "email":
            value = value.split("@", 1)[0]
        return bytes(octet for octet in value.lower().encode() if octet < 128 and chr(octet).isalnum())


def make_canary(kind: str, *, label: str, host: str = "example.org") -> Canary:
    """A new canary, random enough that no text holds it by chance. Raises InvalidInput for a kind there is not.

    `url` and `email` are of `host`, which the organisation should own: whoever calls or writes there then shows up
    in its logs as well. `aws-key` has the shape of an access key id and the account number 000000000000.
    """
    match kind:
        case "url":
            value = f"https://{host}/{secrets.token_hex(12)}"
        case "email":
            value = f"{secrets.choice(_NOUNS)}.{secrets.token_hex(8)}@{host}"
        case "uuid":
            value = str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
        case "aws-key":
            value = "AKIA" + "A" + "".join(secrets.choice(_BASE32) for _ in range(15))
        case "sentence":
            value = _sentence()
        case _:
            raise InvalidInput(f"there is no canary of kind `{kind}`; choose one of {', '.join(KINDS)}")
    return Canary(kind, value, label)


def _sentence() -> str:
    """A sentence that nobody would write: eight words drawn from lists of 24 (about 37 bits), and a number."""
    one, two, three = (f"{secrets.choice(_ADJECTIVES)} {secrets.choice(_NOUNS)}" for _ in range(3))
    number = 10_000 + secrets.randbelow(89_999)
    return f"The {one} {secrets.choice(_VERBS)} {number} {two} and {secrets.choice(_VERBS)} the {three}."


class CanaryRegister:
    """The canaries that were made. Immutable; `with_canary` gives a register that has one more."""

    def __init__(self, canaries: Iterable[Canary] = ()) -> None:
        self.canaries = tuple(canaries)
        if len(self.canaries) > MOST:
            raise InvalidInput(f"a register holds at most {MOST} canaries; begin a second one")
        for canary in self.canaries:
            if len(canary.core) < SHORTEST:
                raise InvalidInput(
                    f"canary `{canary.value}` has fewer than {SHORTEST} letters and digits, too few to be sure; "
                    "make a new one"
                )

    def with_canary(self, canary: Canary) -> CanaryRegister:
        """This register and one more canary."""
        return CanaryRegister((*self.canaries, canary))

    @cached_property
    def _automaton(self) -> Any:
        cores = [canary.core for canary in self.canaries]
        return ahocorasick_rs.BytesAhoCorasick(cores, matchkind=ahocorasick_rs.MatchKind.Standard)

    def found(self, layer: Layer) -> list[tuple[int, int, Canary]]:
        """Where canaries stand, looking at letters and digits alone: dashes, spaces and line ends do not hide one."""
        if not self.canaries:
            return []
        octets = layer.octets
        kept = np.frombuffer(octets.translate(_ALNUM), dtype=np.bool_)
        at = np.flatnonzero(kept)
        squeezed = layer.octet_array[at].tobytes()
        return [
            (
                layer.character(int(at[start])),
                layer.character(int(at[end - 1])) + 1,
                self.canaries[index],
            )
            for index, start, end in self._automaton.find_matches_as_indexes(squeezed, overlapping=True)
        ]

    def to_json(self) -> bytes:
        """The register as a file keeps it."""
        document = {"schema": SCHEMA, "canaries": [asdict(canary) for canary in self.canaries]}
        return json.dumps(document, ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_json(cls, octets: bytes, *, name: str = "register") -> CanaryRegister:
        """A register from a file. Raises InvalidInput if it is none."""
        try:
            document = json.loads(octets)
            if document["schema"] != SCHEMA:
                raise ValueError(document["schema"])
            return cls(
                Canary(str(row["kind"]), str(row["value"]), str(row["label"])) for row in document["canaries"]
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InvalidInput(
                f"`{name}` is not a register of canaries; make one with `alcaide guard canary`"
            ) from error


_ALNUM = bytes(octet < 128 and chr(octet).isalnum() for octet in range(256))

"""Which formats are read. A stranger's reader is one more entry here, held to the same test as the others.

The order is the order of asking: a reader that looks closer comes before one that would also take the
document.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alcaide.instruments.exchange.cyclonedx import CycloneDx
from alcaide.instruments.exchange.document import ParsedDocument, Reader
from alcaide.instruments.exchange.dsse import Dsse
from alcaide.instruments.exchange.model_signature import ModelSignature
from alcaide.instruments.exchange.sarif import Sarif
from alcaide.kernel.errors import InvalidInput

READERS: list[Reader] = [
    CycloneDx(),
    Sarif(),
    ModelSignature(),
    Dsse(),
]


def reader_for(
    data: bytes, *, kind: str = "", media_type: str = "", readers: Sequence[Reader] = READERS
) -> Reader:
    """The reader that was asked for by `kind`, or whose media type was declared, or that knows the bytes.

    A declared media type is believed only where a reader has it; most senders say `application/json`.
    """
    if kind:
        for reader in readers:
            if reader.name == kind:
                return reader
        raise InvalidInput(f"`{kind[:60]}` is no format that is read; use one of {_listed(readers)}")
    plain = media_type.partition(";")[0].strip().lower()
    for reader in readers:
        if plain in reader.media_types and reader.sniff(data):
            return reader
    for reader in readers:
        if reader.sniff(data):
            return reader
    raise InvalidInput(f"the document is none that is read here; give one of {_listed(readers)}")


def read_document(data: bytes, *, kind: str = "", media_type: str = "", **options: Any) -> ParsedDocument:
    """Read `data` with the reader that fits.

    `trusted` is handed on to the readers that check signatures, `roots` and `now` to those that check certificates.
    """
    reader = reader_for(data, kind=kind, media_type=media_type)
    for needs, names in (("checks_signatures", ("trusted",)), ("checks_certificates", ("roots", "now"))):
        if not getattr(reader, needs, False):
            options = {name: value for name, value in options.items() if name not in names}
    return reader.read(data, **options)


def _listed(readers: Sequence[Reader]) -> str:
    return ", ".join(f"`{reader.name}` ({reader.title})" for reader in readers)

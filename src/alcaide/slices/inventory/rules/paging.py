"""Cursors: where a list goes on, in a form that a stranger may hold but not use for anything else.

A cursor names the last row shown by its sort value and its id, so that a page is found by an index whatever its
number, and rows that come or go meanwhile neither repeat nor hide others.
"""

from __future__ import annotations

import base64
import binascii
import json

from alcaide.kernel.errors import InvalidInput

MAX_CURSOR = 1_200


def encode_cursor(sort: str, value: str, row_id: str) -> str:
    """A cursor for the page after the row with this sort value and id."""
    text = json.dumps([sort, value, row_id], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode("utf-8")).decode("ascii").rstrip("=")


def decode_cursor(cursor: str, sort: str) -> tuple[str, str]:
    """The sort value and the id of the last row shown. Raises InvalidInput for a cursor of another order."""
    refused = InvalidInput(
        "this page marker does not fit the list; start again from the first page", {"cursor": "does not fit"}
    )
    if len(cursor) > MAX_CURSOR:
        raise refused
    try:
        raw = base64.b64decode(
            cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True
        )
        found = json.loads(raw.decode("utf-8"))
    except (binascii.Error, ValueError, RecursionError):
        raise refused from None
    if not (isinstance(found, list) and len(found) == 3 and all(isinstance(part, str) for part in found)):
        raise refused
    if found[0] != sort or any("\x00" in part or not _encodable(part) for part in found):
        raise refused
    return found[1], found[2]


def _encodable(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)

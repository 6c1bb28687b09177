"""The log as any transparency client reads it: C2SP tlog-tiles under `/log/`.

The checkpoint is for everybody: it shows nothing but that a log of this size exists. Tiles hold hashes and entries
hold statements, so both ask who is there, unless the settings make the log public.
"""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Depends, Request, Response

from alcaide.kernel.errors import NotFound, TooLarge
from alcaide.slices.evidence.rules.paths import tile_path
from alcaide.ui.deps import allow, get_instance, public

router = APIRouter(prefix="/log")

WIDTH = 256
MAX_ENTRY = 65_535  # an entry's length is two bytes in the format
FOREVER = 31_536_000
OCTETS = "application/octet-stream"


def log_reader(action: str) -> Callable[[Request], None]:
    """Ask who is there, unless the settings say that the log is public."""
    ask = allow(action)

    def check(request: Request) -> None:
        if not get_instance(request).config.public_log:
            ask(request)

    check.alcaide_action = action  # type: ignore[attr-defined]
    return check


Hashes = Depends(log_reader("evidence.view"))
Entries = Depends(log_reader("evidence.view-all"))
Anybody = Depends(public("a checkpoint says how large the log is and nothing of what is in it"))


@router.get("/checkpoint", dependencies=[Anybody])
def checkpoint(request: Request) -> Response:
    """The newest checkpoint: a signed note."""
    instance = get_instance(request)
    with instance.read() as conn:
        text = instance.ledger.checkpoint(conn).text
    return Response(text, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})


@router.get("/tile/entries/{path:path}", dependencies=[Entries])
def entries(request: Request, path: str) -> Response:
    """The envelopes of a tile's leaves, each behind its length in two bytes."""
    instance = get_instance(request)
    index, width = tile_path(path)
    parts: list[bytes] = []
    with instance.read() as conn:
        for offset, envelope in enumerate(
            instance.ledger.entries(conn, index * WIDTH, index * WIDTH + width)
        ):
            if len(envelope) > MAX_ENTRY:
                leaf = index * WIDTH + offset
                raise TooLarge(
                    f"leaf {leaf} has {len(envelope)} bytes, more than an entry can say; "
                    f"get it from /evidence/leaves/{leaf}/envelope"
                )
            parts += (len(envelope).to_bytes(2, "big"), envelope)
    if len(parts) != 2 * width:
        raise NotFound(f"the log does not have the {width} entries of `{path[:60]}` yet")
    return Response(b"".join(parts), media_type=OCTETS, headers=_for_ever(request))


@router.get("/tile/{level}/{path:path}", dependencies=[Hashes])
def tile(request: Request, level: str, path: str) -> Response:
    """A tile of hashes: the leaves' at level 0, those of full tiles below it above."""
    instance = get_instance(request)
    if (
        not level.isascii()
        or not level.isdigit()
        or len(level) > 2
        or (level != "0" and level.startswith("0"))
    ):
        raise NotFound(f"there is no level `{level[:20]}` of tiles")
    index, width = tile_path(path)
    with instance.read() as conn:
        content = instance.ledger.tile(conn, int(level), index, width)
    return Response(content, media_type=OCTETS, headers=_for_ever(request))


def _for_ever(request: Request) -> dict[str, str]:
    """What was once a tile of this width never changes; kept by shared caches only if everybody may see it."""
    scope = "public" if get_instance(request).config.public_log else "private"
    return {"Cache-Control": f"{scope}, max-age={FOREVER}, immutable"}

"""Keys over HTTP: those that sign this log, and those of others whose signatures count."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from alcaide.slices.evidence import queries, service
from alcaide.slices.evidence.api.shapes import PLAIN, KeyKeeper, ReasonText, RotationIn, Viewer
from alcaide.slices.evidence.model import TrustedKeyLine
from alcaide.ui.deps import get_instance
from alcaide.ui.exact import Moment

router = APIRouter()


class SigningKeyOut(BaseModel):
    """A key that signs or signed this log."""

    keyid: str
    vkey: str
    leaf: int = Field(description="The leaf that announces it.")


class SigningKeysOut(BaseModel):
    """This log's keys in order; the last one signs now."""

    origin: str
    keys: list[SigningKeyOut]
    witness_vkey: str = Field(description="The key under which checkpoints of other logs are cosigned here.")


class RotatedOut(BaseModel):
    """The key that signs from now on."""

    keyid: str


class TrustedKeyIn(BaseModel):
    """A public key of somebody else."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=99)
    key: str = Field(
        min_length=1,
        max_length=65_536,
        description="PEM, a verifier key `name+hash+base64`, or the certificate of an authority in PEM.",
    )
    note: str = Field(default="", max_length=2000)


class DistrustIn(BaseModel):
    """Why a key is no longer trusted. What was taken in under a compromised one since then counts as Unknown."""

    model_config = ConfigDict(extra="forbid")
    reason: ReasonText = Field(min_length=1)
    because: Literal["", "out-of-use", "compromised"] = ""
    since: Moment | None = Field(
        default=None, description="Since when it was in other hands; left out, ever. Only for `compromised`."
    )


class TrustedKeyOut(BaseModel):
    """Somebody else's key whose signatures count, or did."""

    name: str
    algorithm: str
    sha256: str
    pem: str
    note: str
    added_at: datetime
    added_by: str
    revoked_at: datetime | None


class TrustedKeysOut(BaseModel):
    """Trusted keys by name, those no longer trusted too."""

    items: list[TrustedKeyOut]
    next_cursor: str | None = None
    total: int


@router.get("/keys")
def keys(request: Request, _: Viewer) -> SigningKeysOut:
    """The keys that sign this log: what a checker pins."""
    instance = get_instance(request)
    with instance.read() as conn:
        chain = queries.key_chain(conn)
    origin = instance.ledger.origin
    return SigningKeysOut(
        origin=origin,
        keys=[
            SigningKeyOut(
                keyid=key.keyid,
                vkey=instance.keys.public_keys()[key.keyid].note_key(origin).to_text(),
                leaf=key.leaf,
            )
            for key in chain
        ],
        witness_vkey=queries.witness_key(instance, chain[-1].keyid).to_text(),
    )


@router.post("/keys/rotate")
def rotate(request: Request, actor: KeyKeeper, why: RotationIn) -> RotatedOut:
    """Sign with a new key from now on; the old one announces it."""
    return RotatedOut(keyid=service.rotate_key(get_instance(request), actor, reason=why.reason))


@router.get("/trusted-keys")
def trusted_keys(request: Request, _: Viewer) -> TrustedKeysOut:
    """Keys of others whose signatures count, or did."""
    with get_instance(request).read() as conn:
        lines = queries.trusted_keys(conn, with_revoked=True)
    return TrustedKeysOut(items=[_trusted(line) for line in lines], total=len(lines))


@router.post("/trusted-keys", status_code=201)
def trust(request: Request, actor: KeyKeeper, new: TrustedKeyIn) -> TrustedKeyOut:
    """Count signatures by this key from now on."""
    instance = get_instance(request)
    service.trust_key(instance, actor, new.name, new.key, note=new.note)
    with instance.read() as conn:
        return _trusted(queries.trusted_key(conn, new.name.strip()))


@router.post("/trusted-keys/{name}/distrust")
def distrust(
    request: Request,
    actor: KeyKeeper,
    name: Annotated[str, Path(max_length=100, pattern=PLAIN)],
    why: DistrustIn,
) -> TrustedKeyOut:
    """Count signatures by this key no longer; say so too of one that no longer counts and was compromised."""
    instance = get_instance(request)
    service.distrust_key(instance, actor, name, reason=why.reason, because=why.because, since=why.since)
    with instance.read() as conn:
        return _trusted(queries.trusted_key(conn, name))


def _trusted(line: TrustedKeyLine) -> TrustedKeyOut:
    return TrustedKeyOut(
        name=line.name,
        algorithm=line.algorithm,
        sha256=line.sha256,
        pem=line.pem,
        note=line.note,
        added_at=line.added_at,
        added_by=line.added_by,
        revoked_at=line.revoked_at,
    )

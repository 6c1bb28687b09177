"""Whose signatures are believed: keys of others, named by somebody here, and no longer believed when taken back."""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, cast, get_args

import sqlalchemy as sa

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import Conflict, InvalidInput, NotFound
from alcaide.kernel.evidence import Statement, Subject
from alcaide.kernel.evidence.certificates import fingerprint, load_root, root_algorithm
from alcaide.kernel.evidence.public_keys import algorithm_of, load_public_key
from alcaide.kernel.ledger.log import Tx
from alcaide.kernel.ledger.note import ED25519, NoteKey
from alcaide.predicates.base import By, at
from alcaide.predicates.key_event import TrustedKey
from alcaide.slices.evidence import tables as t

if TYPE_CHECKING:
    from alcaide.kernel.evidence.public_keys import PublicKey
    from alcaide.kernel.instance import Instance

MAX_TRUSTED = 64  # each is tried on each signature of each import
Event = Literal["trusted", "distrusted"]
Because = Literal["", "out-of-use", "compromised"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,98}\Z")


def trust_key(instance: Instance, actor: Actor, name: str, key: str, *, note: str = "") -> str:
    """Believe signatures by this key from now on; returns the SHA-256 of the key. Raises InvalidInput, Conflict.

    `key` is a public key in PEM, a verifier key of a signed note (`name+hash+base64`), or the certificate of an
    authority in PEM: then whoever it certifies for signing is believed, while their certificates are valid.
    """
    instance.authorizer.require(actor, "evidence.manage-keys", None)
    name = name.strip()
    if not _NAME.match(name):
        text = "use letters, digits, dots and dashes, at most 99 of them"
        raise InvalidInput(f"`{name[:60]}` is no name for a key: {text}", {"name": text})
    try:
        pem, digest, algorithm = _written(key)
    except InvalidInput as problem:
        raise InvalidInput(str(problem), {"key": str(problem)}) from None

    def work(tx: Tx) -> str:
        known = tx.conn.execute(sa.select(t.trusted_key)).all()
        for row in known:
            if row.name == name:
                message = (
                    f"the name `{name}` is or was that of a key; names are never given again, choose another"
                )
                raise Conflict(message)
            if row.sha256 == digest and row.revoked_at is None:
                raise Conflict(f"this key is trusted already, as `{row.name}`")
        if sum(row.revoked_at is None for row in known) >= MAX_TRUSTED:
            raise Conflict(f"{MAX_TRUSTED} keys are trusted, which is the limit; take one back first")
        leaf = tx.append(_said(tx, actor, "trusted", name, algorithm, digest, note))
        values = {"algorithm": algorithm, "sha256": digest, "pem": pem, "note": note.strip()[:2000]}
        tx.conn.execute(
            t.trusted_key.insert().values(
                name=name, added_at=tx.now, added_by=actor.name, revoked_at=None, leaf=leaf, **values
            )
        )
        return digest

    return instance.write(work)


def distrust_key(
    instance: Instance,
    actor: Actor,
    name: str,
    *,
    reason: str,
    because: str = "",
    since: datetime | None = None,
) -> None:
    """Believe this key no longer. What was taken in while it was believed stays as it is recorded.

    With `because="compromised"`, what was taken in under it from `since` on (ever, without it) counts as Unknown from
    now on. A key that is trusted no longer can still be said to have been compromised, as that is often learnt later.
    Raises InvalidInput, NotFound, Conflict.
    """
    instance.authorizer.require(actor, "evidence.manage-keys", None)
    if not reason.strip():
        raise InvalidInput("say why the key is no longer trusted", {"reason": "say why"})
    if because not in get_args(Because):
        raise InvalidInput("the key is out of use or compromised", {"because": "choose one of the two"})
    if since is not None and because != "compromised":
        raise InvalidInput("only a compromise has a time it began at", {"since": "leave it empty"})
    if since is not None and since > instance.clock():
        raise InvalidInput("a key cannot be known to be compromised later", {"since": "lies in the future"})

    def work(tx: Tx) -> None:
        row = tx.conn.execute(sa.select(t.trusted_key).where(t.trusted_key.c.name == name)).first()
        if row is None:
            raise NotFound(f"no key is trusted under the name `{name[:100]}`")
        if row.revoked_at is not None and because != "compromised":
            raise Conflict(f"key `{name}` is not trusted any more already")
        said = _said(
            tx, actor, "distrusted", name, row.algorithm, row.sha256, reason, cast("Because", because), since
        )
        tx.append(said)
        if row.revoked_at is not None:
            return
        tx.conn.execute(
            t.trusted_key.update()
            .where(t.trusted_key.c.name == name)
            .values(revoked_at=tx.now, revoked_by=actor.name)
        )

    instance.write(work)


def _said(
    tx: Tx,
    actor: Actor,
    event: Event,
    name: str,
    algorithm: str,
    digest: str,
    reason: str,
    because: Because = "",
    since: datetime | None = None,
) -> Statement:
    return TrustedKey(
        at=at(tx.now),
        by=By.of(actor),
        reason=reason.strip()[:2000],
        event=event,
        name=name,
        algorithm=algorithm,
        because=because,
        since=at(since) if since else "",
    ).about([Subject(f"trusted-key:{name}", {"sha256": digest})])


def _read(text: str) -> PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    cleaned = text.strip()
    if cleaned.startswith("-----BEGIN"):
        return load_public_key(cleaned.encode())
    if cleaned.count("+") < 2:
        raise InvalidInput(
            "this is no public key; give the text that starts `-----BEGIN PUBLIC KEY-----` or "
            "`-----BEGIN CERTIFICATE-----`, or a verifier key like `name+hash+base64`"
        )
    parsed = NoteKey.parse(cleaned)
    if parsed.algorithm != ED25519:
        raise InvalidInput("this is a witness's key; give the log's own verifier key")
    return Ed25519PublicKey.from_public_bytes(parsed.public)


def _written(text: str) -> tuple[str, str, str]:
    """PEM, SHA-256 of the DER, and the algorithm's name: of the public key, or of the authority's certificate."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if text.strip().startswith("-----BEGIN CERTIFICATE"):
        root = load_root(text.strip().encode())
        return root.public_bytes(Encoding.PEM).decode(), fingerprint(root), root_algorithm(root)
    public = _read(text)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return pem, sha256(der).hexdigest(), algorithm_of(public)

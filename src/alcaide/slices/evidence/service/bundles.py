"""Making a bundle, and checking one that somebody else made.

Made from one snapshot of the log, signed by its newest key, cosigned by the witnesses that answer. Checked from its
bytes alone: what this instance adds is only whose keys it knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from alcaide.kernel.access import Actor
from alcaide.kernel.errors import InvalidInput, NotFound
from alcaide.kernel.ids import slug
from alcaide.slices.evidence import queries
from alcaide.slices.evidence.model import BundleContent, BundleExamination, TrustChoice
from alcaide.slices.evidence.rules.bundle import build_bundle, examine_bundle, keyid_of_pem, read_trusted
from alcaide.slices.evidence.service.anchoring import Post, cosign, http_post

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance

MAX_SUBJECTS = 200


def export_bundle(
    instance: Instance,
    actor: Actor,
    subjects: Sequence[str],
    *,
    originals: bool = True,
    witnesses: bool = False,
    post: Post = http_post,
) -> tuple[str, bytes]:
    """A file name and a bundle of all that the log says about the subjects, checked before it is handed out.

    The same log gives the same bytes. With `witnesses`, each configured witness is asked to cosign the checkpoint;
    one that does not answer is left out, as the bundle says by not naming it.
    """
    instance.authorizer.require(actor, "evidence.export", None)
    wanted = list(dict.fromkeys(one.strip() for one in subjects if one.strip()))
    if not wanted:
        raise InvalidInput("name at least one subject, as `system:loan-desk`", {"subject": "name a subject"})
    if len(wanted) > MAX_SUBJECTS:
        raise InvalidInput(
            f"{len(wanted)} subjects are named, over the limit of {MAX_SUBJECTS}; export in parts"
        )
    with instance.read() as conn:
        checkpoint = instance.ledger.checkpoint(conn)
        content = queries.bundle_content(
            conn,
            instance,
            wanted,
            originals=originals,
            with_access=queries.may_see_all(instance, actor),
        )
        content = _with_cosignatures(instance, content, post) if witnesses else content
    bundle = build_bundle(content, instance.keys.signer(checkpoint.keyid))
    name = slug(wanted[0] if len(wanted) == 1 else f"{len(wanted)}-subjects") or "evidence"
    return f"{name}-at-{content.size}.zip", bundle


def _with_cosignatures(instance: Instance, content: BundleContent, post: Post) -> BundleContent:
    lines = []
    keys = []
    for key, line in cosign(instance, content.checkpoint, post):
        lines.append(line)
        keys.append(key)
    return replace(content, checkpoint=content.checkpoint + "".join(lines), witnesses=tuple(keys))


def check_bundle(instance: Instance, actor: Actor, data: bytes, choice: TrustChoice) -> BundleExamination:
    """What a bundle shows, check by check, with the keys that the asker chose to trust.

    Nothing is written, nothing is unpacked. Raises InvalidInput, naming the field, for a key that cannot be read, one
    that no log could sign with, and one that is trusted here no longer; a bundle that does not hold is no error.
    """
    instance.authorizer.require(actor, "evidence.view", None)
    return examine_bundle(data, trusted_by(instance, choice))


def trusted_by(instance: Instance, choice: TrustChoice) -> tuple[str, ...]:
    """The key ids and verifier keys behind a choice. Raises InvalidInput, NotFound."""
    found: list[str] = []
    with instance.read() as conn:
        if choice.own:
            found += [key.keyid for key in queries.key_chain(conn)]
        for name in choice.named:
            if not name.isprintable():  # no name of ours, and not every database takes the question
                raise NotFound("no key is trusted under that name; see the list under Keys")
            key = queries.trusted_key(conn, name)
            if key.revoked_at is not None:
                text = f"key `{name}` is trusted no longer; name another"
                raise InvalidInput(text, {"named": text})
            try:
                found.append(keyid_of_pem(key.pem))
            except InvalidInput as problem:
                text = f"key `{name}` cannot have signed a log: {problem}"
                raise InvalidInput(text, {"named": text}) from None
    try:
        found += read_trusted(choice.told)
    except InvalidInput as problem:
        raise InvalidInput(str(problem), {"told": str(problem)}) from None
    return tuple(dict.fromkeys(found))

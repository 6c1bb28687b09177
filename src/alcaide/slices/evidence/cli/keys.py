"""Which keys sign here, and whose signatures count."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from alcaide.slices.evidence.cli.base import (
    Data,
    Format,
    keys_app,
    read_file,
    say,
    say_json,
)


@keys_app.command(name="list")
def keys_list(*, format: Format = "table", data: Data = None) -> int:
    """List this log's signing keys in order; the last one signs now. These ids are what others pin."""
    from alcaide.kernel.instance import open_for_cli
    from alcaide.slices.evidence import queries

    with open_for_cli(data) as instance, instance.read() as conn:
        chain = queries.key_chain(conn)
        origin = instance.ledger.origin
        witness = queries.witness_key(instance, chain[-1].keyid).to_text()
        lines = [
            {
                "keyid": key.keyid,
                "leaf": key.leaf,
                "vkey": instance.keys.public_keys()[key.keyid].note_key(origin).to_text(),
            }
            for key in chain
        ]
    if format == "json":
        say_json({"origin": origin, "keys": lines, "witness_vkey": witness})
        return 0
    for line in lines:
        say(f"{line['keyid']}  announced by leaf {line['leaf']}\n  {line['vkey']}")
    say(f"as a witness of others: {witness}")
    return 0


@keys_app.command(name="rotate")
def keys_rotate(
    *,
    reason: Annotated[str, Parameter(name="--reason", help="Why, in your words; kept in the evidence.")],
    data: Data = None,
) -> int:
    """Make a new signing key; the old one announces it with its last statement and stays verifiable."""
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.evidence import service

    with open_for_cli(data) as instance:
        keyid = service.rotate_key(instance, cli_actor(), reason=reason)
    say(f"signing with {keyid} from now on; back up the keys folder, and tell those who pin your keys")
    return 0


@keys_app.command(name="trusted")
def keys_trusted(*, format: Format = "table", data: Data = None) -> int:
    """List the keys of others whose signatures count, and those that no longer do."""
    from alcaide.kernel.instance import open_for_cli
    from alcaide.slices.evidence import queries

    with open_for_cli(data) as instance, instance.read() as conn:
        lines = queries.trusted_keys(conn, with_revoked=True)
    if format == "json":
        say_json(
            [
                {
                    "name": line.name,
                    "algorithm": line.algorithm,
                    "sha256": line.sha256,
                    "trusted": line.revoked_at is None,
                }
                for line in lines
            ]
        )
        return 0
    for line in lines:
        state = "" if line.revoked_at is None else f"  no longer, since {line.revoked_at:%Y-%m-%d}"
        say(f"{line.name:<24} {line.algorithm:<12} sha256:{line.sha256}{state}")
    if not lines:
        say("no key is trusted; name one with `alcaide evidence keys trust NAME FILE`")
    return 0


@keys_app.command(name="trust")
def keys_trust(
    name: str,
    key: Path,
    *,
    note: Annotated[str, Parameter(name="--note", help="How you know whose it is.")] = "",
    data: Data = None,
) -> int:
    """Count signatures by the public key in a file (PEM or verifier key) from now on.

    A file with the certificate of an authority makes whoever it certifies for signing count.
    """
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.evidence import service

    text = read_file(key).decode("utf-8", "replace")
    with open_for_cli(data) as instance:
        digest = service.trust_key(instance, cli_actor(), name, text, note=note)
    say(f"signatures by {name} (sha256:{digest}) count from now on")
    return 0


@keys_app.command(name="distrust")
def keys_distrust(
    name: str,
    *,
    reason: Annotated[str, Parameter(name="--reason", help="Why, in your words.")],
    compromised: Annotated[
        bool, Parameter(name="--compromised", help="It was in other hands: since when, or ever.", negative="")
    ] = False,
    since: Annotated[
        str, Parameter(name="--since", help="With --compromised: a day, or a time as 2026-11-25T09:00:00Z.")
    ] = "",
    data: Data = None,
) -> int:
    """Count signatures by a key no longer.

    What was taken in before stays as it is recorded; under a compromised key, what came in since counts as Unknown.
    """
    from alcaide.kernel.clock import parse_rfc3339
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.evidence import service

    with open_for_cli(data) as instance:
        service.distrust_key(
            instance,
            cli_actor(),
            name,
            reason=reason,
            because="compromised" if compromised else "",
            since=parse_rfc3339(since if "T" in since else f"{since}T00:00:00Z") if since else None,
        )
    say(f"signatures by {name} count no longer")
    return 0

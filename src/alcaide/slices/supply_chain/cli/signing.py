"""`alcaide sign` and `alcaide verify`: models and datasets in the OpenSSF Model Signing format."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from alcaide.kernel.clock import utcnow
from alcaide.kernel.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from alcaide.instruments.scan.provenance.signing import Signer
    from alcaide.instruments.scan.provenance.trust import SigstoreTrust
    from alcaide.instruments.scan.provenance.verifying import Verification

Data = Annotated[Path | None, Parameter(name="--data", help="The data folder.", env_var="ALCAIDE_DATA")]
Links = Annotated[
    Literal["refuse", "inside", "follow"],
    Parameter(
        help="Symbolic links to files: refused unless said; followed inside of the folder, or anywhere."
    ),
]
Ignored = Annotated[
    list[Path],
    Parameter(name="--ignore", help="Files or folders in it that are left out; repeatable.", negative=""),
]

EXIT = {"passed": 0, "failed": 1, "unknown": 2}
SIGNATURE = "model.sig"


def sign(
    path: Annotated[Path, Parameter(help="The folder or file to sign.")],
    *,
    key: Annotated[
        Path | None, Parameter(help="A private key in PEM: ECDSA on P-256, P-384 or P-521.")
    ] = None,
    certificate: Annotated[
        Path | None, Parameter(help="The certificate for the key, in PEM; signs by certificate.")
    ] = None,
    chain: Annotated[
        list[Path], Parameter(help="Certificates between it and the root; repeatable.", negative="")
    ] = [],  # noqa: B006 - cyclopts copies it
    sigstore: Annotated[
        bool,
        Parameter(
            help="Sign with an identity, through a Sigstore instance that must be reachable.", negative=""
        ),
    ] = False,
    trust_config: Annotated[
        Path | None, Parameter(help="Which Sigstore instance; the public one if not said.")
    ] = None,
    signature: Annotated[
        Path | None, Parameter(help="Where to write; `model.sig` in the folder, `FILE.sig` beside a file.")
    ] = None,
    ignore: Ignored = [],  # noqa: B006 - cyclopts copies it
    links: Links = "refuse",
) -> int:
    """Sign a model or dataset, so that whoever gets it can tell that it is what you let out of the house.

    A password of the key is read from the environment variable `ALCAIDE_KEY_PASSWORD`, never from the command line.
    """
    from alcaide.instruments.scan.provenance.signing import sign as sign_it

    signer = _signer(key, certificate, chain, sigstore=sigstore, trust_config=trust_config)
    where = signature or _beside(path)
    done = sign_it(path, where, signer, ignore=[str(one) for one in ignore], links=links)
    _say(
        f"signed {len(done.files):,} {'file' if len(done.files) == 1 else 'files'} of {done.name}: {done.signature}"
    )
    _say(f"sha256 {done.listing}  (register the version under this digest)")
    if done.root != done.listing:
        _say(f"sha256 {done.root}  (the name the signature gives it)")
    return 0


def verify(
    path: Annotated[Path, Parameter(help="The folder or file that was signed.")],
    *,
    signature: Annotated[
        Path | None, Parameter(help="The signature; `model.sig` in the folder, `FILE.sig` beside a file.")
    ] = None,
    trust: Annotated[
        list[Path],
        Parameter(
            help="A public key or a root certificate in PEM whose signatures count; repeatable.", negative=""
        ),
    ] = [],  # noqa: B006 - cyclopts copies it
    trust_root: Annotated[
        Path | None, Parameter(help="A Sigstore instance's `trusted_root.json`, for signatures by identity.")
    ] = None,
    identity: Annotated[str, Parameter(help="Who must have signed, with --trust-root.")] = "",
    issuer: Annotated[str, Parameter(help="Who must have vouched for them, with --trust-root.")] = "",
    ignore: Ignored = [],  # noqa: B006 - cyclopts copies it
    links: Links = "refuse",
    format: Annotated[Literal["text", "json"], Parameter(name="--format")] = "text",
    record: Annotated[str, Parameter(help="Put it on record about this: `model:name@version`.")] = "",
    reason: Annotated[str, Parameter(help="Why, kept with the record.")] = "",
    data: Data = None,
) -> int:
    """Hold a model or dataset against its signature: is it what somebody you trust has signed?

    Without --trust, the keys and certificates count that this installation trusts (`alcaide evidence keys`).
    Ends with 0 if it is, 1 if a file or the signature is wrong, 2 if nobody you trust has signed it.
    """
    from alcaide.instruments.scan.provenance.trust import SigstoreTrust, trust_of
    from alcaide.instruments.scan.provenance.verifying import verify_signature
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.supply_chain import service

    where = signature or _beside(path)
    given: SigstoreTrust | None = None
    if trust_root is not None:
        if not identity or not issuer:
            raise InvalidInput(
                "--trust-root says which Sigstore to believe; say whom with --identity and --issuer"
            )
        given = SigstoreTrust(_read(trust_root), identity, issuer)
    pems = {one.name: _read(one) for one in trust}
    if not pems and given is None:
        with open_for_cli(data) as instance, instance.read() as conn:
            pems = service.trusted_pems(instance, conn)
    found = verify_signature(
        path,
        _read(where),
        trust_of(pems, given),
        now=utcnow(),
        ignore=[*(str(one) for one in ignore), *_inside(where, path)],
        links=links,
    )
    leaf = None
    if record:
        with open_for_cli(data) as instance:
            leaf = service.record_verification(instance, cli_actor(), found, record, reason=reason)
    _show(found, format, leaf)
    return EXIT[found.outcome]


def _signer(
    key: Path | None,
    certificate: Path | None,
    chain: list[Path],
    *,
    sigstore: bool,
    trust_config: Path | None,
) -> Signer:
    """With what to sign. Raises InvalidInput where that is not said, or said twice."""
    from alcaide.instruments.scan.provenance.signing import CertificateSigner, KeySigner, SigstoreSigner

    if sigstore:
        if key is not None or certificate is not None:
            raise InvalidInput("sign with a key or with an identity; leave out either --key or --sigstore")
        return SigstoreSigner(os.environ.get("SIGSTORE_ID_TOKEN"), trust_config)
    if key is None:
        raise InvalidInput(
            "say with what to sign: --key PRIVATE.pem, with --certificate CERT.pem, or --sigstore"
        )
    if certificate is not None:
        return CertificateSigner(key, certificate, tuple(chain))
    password = os.environ.get("ALCAIDE_KEY_PASSWORD")
    return KeySigner(key, password.encode() if password else None)


def _beside(path: Path) -> Path:
    return path / SIGNATURE if path.is_dir() else path.with_name(f"{path.name}.sig")


def _inside(signature: Path, path: Path) -> list[str]:
    """The signature's own path in the folder that it signs, if it lies there."""
    try:
        return [signature.resolve().relative_to(path.resolve()).as_posix()] if path.is_dir() else []
    except ValueError:
        return []


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(64 << 20)
    except OSError as error:
        raise NotFound(
            f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}; check the path"
        ) from error


def _show(found: Verification, format: str, leaf: int | None) -> None:
    check = found.check
    named = ", ".join(one.name for one in found.verified_by)
    if format == "json":
        _say(
            json.dumps(
                {
                    "outcome": found.outcome,
                    "reason": found.reason,
                    "verified_by": [one.name for one in found.verified_by],
                    "signer": found.signed_by.signer,
                    "issuer": found.signed_by.issuer,
                    "signed_at": found.signed_by.signed_at,
                    "files": len(found.files),
                    "changed": list(check.changed) if check else [],
                    "missing": list(check.missing) if check else [],
                    "unsigned": list(check.unsigned) if check else [],
                    "leaf": leaf,
                },
                indent=2,
                ensure_ascii=False,
            )
        )
        return
    _say(f"{found.outcome}  {len(found.files):,} files{f', signed by {named}' if named else ''}")
    if found.reason:
        _say(found.reason)
    for what, names in (
        (("changed", check.changed), ("missing", check.missing), ("not signed", check.unsigned))
        if check
        else ()
    ):
        for name in names[:20]:
            _say(f"  {what}: {name}")
        if len(names) > 20:
            _say(f"  and {len(names) - 20:,} more that are {what}")
    if leaf is not None:
        _say(f"on record as leaf {leaf}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")

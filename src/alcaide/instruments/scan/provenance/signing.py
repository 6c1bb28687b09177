"""Sign a model or a dataset in the OpenSSF Model Signing format, so that the format's own command verifies it.

What is signed is made by the `model-signing` library (the extra `signing`); which files it is over, and their digests,
are ours: hashed by several threads, links treated as asked, the signature itself and version control left out.

Keys are read from files, used once and not kept. Ed25519 keys are refused: the format's library signs with elliptic
curves only, and a signature that its command cannot verify is no use to whoever gets it.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.provenance.folder import digest_names, names_of
from alcaide.kernel.errors import InvalidInput, Unavailable
from alcaide.predicates.content import BESIDE, content_of, listing_digest, root_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from alcaide.instruments.scan.provenance.folder import Links

_CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})
_MAX_KEY = 64 << 10


@dataclass(frozen=True, slots=True)
class KeySigner:
    """A private key in PEM: ECDSA on P-256, P-384 or P-521."""

    private_key: Path
    password: bytes | None = None


@dataclass(frozen=True, slots=True)
class CertificateSigner:
    """A private key with the certificate for it and the chain to the root, in PEM. The root itself may be left out."""

    private_key: Path
    certificate: Path
    chain: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class SigstoreSigner:
    """A person's or a pipeline's identity, certified by a Sigstore instance, which must be reachable.

    `identity_token` is an OIDC token; without one, the surroundings (a CI system) are asked for it. `trust_config`
    names an instance of one's own; the public one if None.
    """

    identity_token: str | None = None
    trust_config: Path | None = None


Signer = KeySigner | CertificateSigner | SigstoreSigner


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed, and where the signature is."""

    signature: Path
    name: str
    files: tuple[tuple[str, str], ...]
    root: str
    """The digest that names the model in the signature."""
    listing: str
    """The digest that binds the names too; register the model under this one."""


def sign(
    path: Path,
    signature: Path,
    signer: Signer,
    *,
    ignore: Collection[str] = (),
    links: Links = "refuse",
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Signed:
    """Sign a folder, or one file, and write the signature.

    Args:
        path: what to sign.
        signature: where to write; written whole or not at all. Left out of what is signed if it is in the folder.
        signer: with what.
        ignore: files and folders, relative to `path`, that are not signed and need not be there to verify.
        links: what to do with symbolic links to files.
        workers: threads that hash.
        progress: told the files done and the total.

    Raises:
        NotFound: there is nothing at `path`.
        InvalidInput: the key, the certificate or the folder cannot be used; says why.
        Unavailable: the extra is not installed, or Sigstore is not reachable.
    """
    _check(signer)
    left_out = _left_out(path, signature, ignore)
    names = names_of(path, ignore=left_out, links=links)
    if not names:
        raise InvalidInput(f"`{path}` has no file to sign; give a folder with something in it")
    files = digest_names(path, names, links=links, workers=workers, progress=progress)
    name = path.name if path.name not in ("", "..") else path.resolve().name
    _write(path, signature, signer, _manifest(name, files, left_out, links, path.is_file()))
    content = content_of(files)
    listing = files[0][1] if path.is_file() else listing_digest(content)
    return Signed(signature, name, tuple(files), root_digest(files), listing)


def why_not_installed() -> str:
    """Why nothing can be signed here; "" if it can."""
    try:
        import model_signing.signing  # noqa: F401
    except ImportError as problem:
        return (
            f"signing needs the extra `signing` ({problem.name} is missing); `pip install 'alcaide[signing]'`"
        )
    return ""


def _left_out(path: Path, signature: Path, ignore: Collection[str]) -> tuple[str, ...]:
    """What is ignored, the signature included, as paths relative to the folder."""
    found = []
    for name in ignore:
        plain = name.replace("\\", "/").removeprefix("./").rstrip("/")
        if not plain or plain.startswith("/") or ".." in plain.split("/"):
            raise InvalidInput(
                f"`{name[:120]}` is not a path within the folder; give it relative to `{path}`"
            )
        found.append(plain)
    if path.is_dir():
        with contextlib.suppress(ValueError):  # outside of the folder it is not met
            found.append(signature.resolve().relative_to(path.resolve()).as_posix())
    return tuple(dict.fromkeys(found))


def _check(signer: Signer) -> None:
    """Refuse what the library would refuse late, or in words that do not help."""
    if missing := why_not_installed():
        raise Unavailable(missing)
    if isinstance(signer, SigstoreSigner):
        return
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    password = signer.password if isinstance(signer, KeySigner) else None
    try:
        key = load_pem_private_key(_read(signer.private_key, "private key"), password)
    except TypeError:
        if password is None:
            told = (
                "is encrypted; give its password"
                if isinstance(signer, KeySigner)
                else ("is encrypted, which does not go together with a certificate; decrypt it first")
            )
        else:
            told = "is not encrypted; give no password"
        raise InvalidInput(f"the private key `{signer.private_key}` {told}") from None
    except (ValueError, UnsupportedAlgorithm):
        told = "the password is wrong, or it" if password else "it"
        raise InvalidInput(
            f"the private key `{signer.private_key}` cannot be read: {told} is no private key in PEM"
        ) from None
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name not in _CURVES:
        raise InvalidInput(
            f"the private key `{signer.private_key}` is not on P-256, P-384 or P-521; the format has no other keys"
        )
    if isinstance(signer, CertificateSigner):
        _check_certificate(signer, key)


def _check_certificate(signer: CertificateSigner, key: Any) -> None:
    from cryptography.x509 import load_pem_x509_certificate, load_pem_x509_certificates

    from alcaide.kernel.evidence.certificates import why_not_signing

    try:
        certificate = load_pem_x509_certificate(_read(signer.certificate, "certificate"))
        for path in signer.chain:
            load_pem_x509_certificates(_read(path, "certificate"))
    except ValueError:
        raise InvalidInput(
            "a certificate cannot be read; give files that start `-----BEGIN CERTIFICATE-----`"
        ) from None
    if certificate.public_key() != key.public_key():
        raise InvalidInput(
            f"the certificate `{signer.certificate}` is for another key than `{signer.private_key}`; "
            "give the two that belong together"
        )
    if problem := why_not_signing(certificate):
        raise InvalidInput(f"the certificate `{signer.certificate}` {problem}")


def _read(path: Path, what: str) -> bytes:
    try:
        if path.stat().st_size > _MAX_KEY:
            raise InvalidInput(f"the {what} `{path}` has more than {_MAX_KEY >> 10} KiB; give a single one")
        return path.read_bytes()
    except OSError as problem:
        raise InvalidInput(
            f"the {what} `{path}` cannot be read: {problem.strerror}; check the path"
        ) from None


def _manifest(
    name: str, files: list[tuple[str, str]], left_out: tuple[str, ...], links: Links, alone: bool
) -> Any:
    """The library's manifest of these files, with the parameters that a verifier must repeat."""
    manifest: Any = import_module("model_signing.manifest")
    ignored = () if alone else (*left_out, *BESIDE)
    parameters = {
        "method": "files",
        "hash_type": "sha256",
        "allow_symlinks": links != "refuse",
        "ignore_paths": list(dict.fromkeys(ignored)),
    }
    items = [
        manifest.FileManifestItem(
            path=PurePosixPath(path), digest=manifest.hashing.Digest("sha256", bytes.fromhex(digest))
        )
        for path, digest in files
    ]
    return manifest.Manifest(name, items, manifest.SerializationType.from_args(parameters))


def _write(path: Path, signature: Path, signer: Signer, manifest: Any) -> None:
    """Have the library sign the manifest; the file appears when it is whole."""
    hashing: Any = import_module("model_signing.hashing")
    signing: Any = import_module("model_signing.signing")

    class Hashed(hashing.Config):  # type: ignore[misc]  # the library's types do not hold for its own calls
        """Says what was hashed already."""

        def hash(self, model_path: Any, *, files_to_hash: Any = None) -> Any:
            del model_path, files_to_hash
            return manifest

    partial = signature.with_name(f".{signature.name}.{os.getpid()}.partial")
    config = signing.Config().set_hashing_config(Hashed())
    try:
        if isinstance(signer, KeySigner):
            config.use_elliptic_key_signer(private_key=signer.private_key, password=signer.password)
        elif isinstance(signer, CertificateSigner):
            config.use_certificate_signer(
                private_key=signer.private_key,
                signing_certificate=signer.certificate,
                certificate_chain=signer.chain,
            )
        else:
            _use_sigstore(config, signer)
        config.sign(path, partial)
        partial.replace(signature)
    except OSError as problem:
        raise InvalidInput(
            f"`{signature}` cannot be written: {problem.strerror or problem}; check the path"
        ) from None
    except (ValueError, TypeError) as problem:
        raise InvalidInput(f"it cannot be signed: {problem}") from None
    finally:
        partial.unlink(missing_ok=True)


def _use_sigstore(config: Any, signer: SigstoreSigner) -> None:
    try:
        config.use_sigstore_signer(
            identity_token=signer.identity_token,
            use_ambient_credentials=signer.identity_token is None,
            trust_config=signer.trust_config,
        )
    except Exception as problem:
        raise Unavailable(
            f"Sigstore cannot be used from here ({type(problem).__name__}); sign with a key or a certificate"
        ) from problem

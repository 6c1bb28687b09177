"""Signing in through an OpenID Connect provider: authorization code with PKCE, and every check on what comes back.

What a caller may rely on: `Claims` are returned only for an ID token that was fetched from the provider's
token endpoint over TLS, signed with one of its published keys by an asymmetric algorithm, issued by exactly
the configured issuer for exactly this client, not expired, and carrying the nonce of this sign-in. Anything
else raises `OidcRefused` with a reason an administrator can act on.

Left out on purpose: whose account the claims belong to and which roles they give (the access slice), and
keeping state between the two requests (also there: it must survive a restart and be used once).
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from alcaide.kernel.errors import AlcaideError, ConfigError, Unavailable

if TYPE_CHECKING:
    import httpx2
    from joserfc.jwk import KeySet

ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "Ed25519", "EdDSA")
"""Asymmetric only. `none` and the HS family are absent: with them whoever knows the client could sign."""
LEEWAY_SECONDS = 60
LONGEST_ANSWER = 1 << 20
_METADATA_LIFE_SECONDS = 3600
_KEYS_REFETCH_SECONDS = 60
"""An unknown key id fetches the keys again at most this often: rotation is noticed, a flood is not passed on."""
_TIMEOUT_SECONDS = 8.0


class OidcRefused(AlcaideError):
    """The provider's answer does not prove who this is. The message says which check failed."""

    status = 401
    code = "sign-in-refused"


@dataclass(frozen=True)
class OidcSettings:
    """One provider, and how its people become users here."""

    issuer: str
    client_id: str
    client_secret: str = ""
    name: str = "single sign-on"
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    groups_claim: str = "groups"
    group_roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    email_roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    default_roles: tuple[str, ...] = ()
    create_users: bool = True


@dataclass(frozen=True)
class Claims:
    """What a verified ID token said about the person."""

    issuer: str
    subject: str
    email: str
    email_verified: bool
    name: str
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Metadata:
    """What the provider publishes about itself, as far as it is used."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    basic_auth: bool
    iss_parameter: bool


def settings_from(raw: Mapping[str, Any], environ: Mapping[str, str]) -> OidcSettings:
    """Read the `oidc:` section of the configuration.

    The secret may stand in an environment variable or a file.
    """
    known = {
        "issuer",
        "client_id",
        "client_secret_env",
        "client_secret_file",
        "name",
        "scopes",
        "groups_claim",
        "group_roles",
        "email_roles",
        "default_roles",
        "create_users",
    }
    for key in raw:
        if key not in known:
            raise ConfigError(f"setting `oidc.{key}` is not known; use one of {', '.join(sorted(known))}")
    issuer, client_id = raw.get("issuer"), raw.get("client_id")
    if not isinstance(issuer, str) or not isinstance(client_id, str) or not client_id:
        raise ConfigError("settings `oidc.issuer` and `oidc.client_id` are both needed for single sign-on")
    _safe_url("oidc.issuer", issuer)
    scopes = _names("scopes", raw.get("scopes", ["openid", "email", "profile"]))
    if "openid" not in scopes:
        raise ConfigError("setting `oidc.scopes` lacks `openid`; add it")
    create = raw.get("create_users", True)
    if not isinstance(create, bool):
        raise ConfigError("setting `oidc.create_users` is true or false")
    return OidcSettings(
        issuer=issuer,
        client_id=client_id,
        client_secret=_client_secret(raw, environ),
        name=str(raw.get("name", "single sign-on"))[:60],
        scopes=scopes,
        groups_claim=str(raw.get("groups_claim", "groups")),
        group_roles=_roles_by("group_roles", raw.get("group_roles", {})),
        email_roles={k.lower(): v for k, v in _roles_by("email_roles", raw.get("email_roles", {})).items()},
        default_roles=_names("default_roles", raw.get("default_roles", [])),
        create_users=create,
    )


def code_challenge(verifier: str) -> str:
    """RFC 7636 S256."""
    return base64.urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")


class OidcClient:
    """One provider. Keeps its metadata and keys for a while; safe to share between threads."""

    def __init__(self, settings: OidcSettings, *, transport: httpx2.BaseTransport | None = None) -> None:
        self.settings = settings
        self._transport = transport
        self._lock = Lock()
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def authorization_url(
        self, *, redirect_uri: str, state: str, nonce: str, verifier: str, now: datetime
    ) -> str:
        """Where to send the browser."""
        metadata = self.metadata(now)
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        joint = "&" if urlsplit(metadata.authorization_endpoint).query else "?"
        return f"{metadata.authorization_endpoint}{joint}{urlencode(query)}"

    def exchange(
        self,
        *,
        code: str,
        redirect_uri: str,
        verifier: str,
        nonce: str,
        issuer_said: str | None,
        now: datetime,
    ) -> Claims:
        """Trade the code for an ID token and check it.

        1. The `iss` of the callback, where the provider promises one, is the issuer (RFC 9207: no mix-up).
        2. The token endpoint takes the code with the PKCE verifier.
        3. The ID token verifies: signature, issuer, audience, times, nonce.
        """
        metadata = self.metadata(now)
        if (metadata.iss_parameter or issuer_said is not None) and issuer_said != self.settings.issuer:
            raise OidcRefused("the sign-in answer names another provider; start again from the sign-in page")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        auth: tuple[str, str] | None = None
        if not self.settings.client_secret:
            form["client_id"] = self.settings.client_id
        elif metadata.basic_auth:
            auth = (self.settings.client_id, self.settings.client_secret)
        else:
            form |= {"client_id": self.settings.client_id, "client_secret": self.settings.client_secret}
        answer = self._call("POST", metadata.token_endpoint, form=form, auth=auth)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise OidcRefused(
                "the provider gave no ID token; ask its administrator to allow the `openid` scope"
            )
        return self.claims(token, nonce=nonce, now=now)

    def claims(self, id_token: str, *, nonce: str, now: datetime) -> Claims:
        """Verify an ID token as OpenID Connect Core §3.1.3.7 asks."""
        from joserfc import jws, jwt
        from joserfc.errors import ExpiredTokenError, JoseError

        if len(id_token) > 64 * 1024:
            raise OidcRefused("the ID token is larger than 64 KiB; ask the provider to send fewer groups")
        try:
            header = jws.extract_compact(id_token.encode("utf-8", "replace")).headers()
        except (JoseError, ValueError) as problem:
            raise OidcRefused(
                "the ID token cannot be read; try again, then ask the administrator"
            ) from problem
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise OidcRefused(f"the ID token is signed with `{str(algorithm)[:20]}`, which is not accepted")
        try:
            token = jwt.decode(id_token, self._key_for(header, now), algorithms=list(ALGORITHMS))
            jwt.JWTClaimsRegistry(
                now=int(now.timestamp()),
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": self.settings.issuer},
                sub={"essential": True},
                aud={"essential": True, "value": self.settings.client_id},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True},
            ).validate(token.claims)
        except ExpiredTokenError as problem:
            raise OidcRefused(
                "the ID token has expired; sign in again, and check this machine's clock"
            ) from problem
        except (JoseError, ValueError, TypeError) as problem:
            reason = str(problem).strip().splitlines()[0][:120] if str(problem) else type(problem).__name__
            raise OidcRefused(f"the ID token does not verify ({reason}); ask the administrator") from problem
        said = token.claims
        if not isinstance(said["nonce"], str) or not hmac.compare_digest(
            said["nonce"].encode(), nonce.encode()
        ):
            raise OidcRefused("the ID token belongs to another sign-in; start again from the sign-in page")
        audience = said["aud"]
        if isinstance(audience, list) and len(audience) > 1 and said.get("azp") != self.settings.client_id:
            raise OidcRefused("the ID token was issued to another application; ask the administrator")
        if "azp" in said and said["azp"] != self.settings.client_id:
            raise OidcRefused("the ID token was issued to another application; ask the administrator")
        return _claims(said, self.settings)

    def metadata(self, now: datetime) -> Metadata:
        """The provider's metadata, fetched at most once an hour. Raises OidcRefused, Unavailable."""
        with self._lock:
            if self._metadata and 0 <= now.timestamp() - self._metadata[0] < _METADATA_LIFE_SECONDS:
                return self._metadata[1]
        found = self._call("GET", self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != self.settings.issuer:
            raise OidcRefused(
                f"the provider calls itself `{str(found.get('issuer'))[:120]}`, not `{self.settings.issuer}`; "
                "set `oidc.issuer` to exactly what it says"
            )
        methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        metadata = Metadata(
            authorization_endpoint=_endpoint(found, "authorization_endpoint"),
            token_endpoint=_endpoint(found, "token_endpoint"),
            jwks_uri=_endpoint(found, "jwks_uri"),
            basic_auth=not isinstance(methods, list) or "client_secret_basic" in methods,
            iss_parameter=found.get("authorization_response_iss_parameter_supported") is True,
        )
        with self._lock:
            self._metadata = (now.timestamp(), metadata)
        return metadata

    def _key_for(self, header: Mapping[str, Any], now: datetime) -> Any:
        """The published key that the token names; the keys are fetched again when it names one we have not seen."""
        from joserfc.errors import InvalidKeyIdError

        kid = header.get("kid")
        keys = self._published(now, refetch=False)
        if kid is not None and kid not in {key.kid for key in keys}:
            keys = self._published(now, refetch=True)
        if kid is None and len(keys.keys) > 1:
            raise OidcRefused("the ID token does not say which key signed it; ask the administrator")
        try:
            key = keys.get_by_kid(kid)
        except InvalidKeyIdError as problem:
            raise OidcRefused("the ID token is signed with a key the provider does not publish") from problem
        # INVARIANT: a symmetric key in the published set never verifies anything.
        if key.key_type == "oct" or key.get("use", "sig") != "sig":
            raise OidcRefused(
                "the ID token is signed with a key that is not for signatures; ask the administrator"
            )
        return key

    def _published(self, now: datetime, *, refetch: bool) -> KeySet:
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        with self._lock:
            kept = self._keys
        if kept:
            age = now.timestamp() - kept[0]
            if 0 <= age < (_KEYS_REFETCH_SECONDS if refetch else _METADATA_LIFE_SECONDS):
                return kept[1]
        raw = self._call("GET", self.metadata(now).jwks_uri)
        try:
            keys = KeySet.import_key_set({"keys": list(raw.get("keys", ()))[:100]})
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as problem:
            raise Unavailable("the provider's keys cannot be read; ask the administrator") from problem
        with self._lock:
            self._keys = (now.timestamp(), keys)
        return keys

    def _call(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> dict[str, Any]:
        """One bounded request: no redirects, 1 MiB, eight seconds a step, JSON object or nothing."""
        import httpx2

        try:
            with (
                httpx2.Client(
                    timeout=_TIMEOUT_SECONDS, follow_redirects=False, transport=self._transport
                ) as client,
                client.stream(
                    method, url, data=form, auth=auth or None, headers={"Accept": "application/json"}
                ) as answer,
            ):
                body = b""
                for chunk in answer.iter_bytes(64 * 1024):
                    body += chunk
                    if len(body) > LONGEST_ANSWER:
                        raise Unavailable("the provider answered with more than 1 MiB; ask the administrator")
                status = answer.status_code
        except httpx2.HTTPError as problem:
            raise Unavailable(
                f"the sign-in provider does not answer ({type(problem).__name__}); try again in a minute"
            ) from problem
        if status != 200:
            raise _refusal(method, status, body)
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError) as problem:
            raise Unavailable(
                "the provider answered with something that is not JSON; ask the administrator"
            ) from problem
        if not isinstance(parsed, dict):
            raise Unavailable(
                "the provider answered with something that is not an object; ask the administrator"
            )
        return parsed


def _refusal(method: str, status: int, body: bytes) -> AlcaideError:
    code = ""
    try:
        parsed = json.loads(body)
        if isinstance(parsed, dict) and isinstance(parsed.get("error"), str):
            code = parsed["error"][:60]
    except (ValueError, RecursionError):
        code = ""
    if method == "POST" and 400 <= status < 500:
        said = f" (`{code}`)" if code else ""
        return OidcRefused(f"the provider refused the sign-in code{said}; start again from the sign-in page")
    return Unavailable(f"the sign-in provider answered with status {status}; try again in a minute")


def _claims(said: Mapping[str, Any], settings: OidcSettings) -> Claims:
    subject = said["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise OidcRefused("the ID token's subject is empty or too long; ask the administrator")
    email = said.get("email")
    groups = said.get(settings.groups_claim, [])
    if isinstance(groups, str):
        groups = [groups]
    if not isinstance(groups, list):
        groups = []
    name = said.get("name") or said.get("preferred_username") or ""
    return Claims(
        issuer=settings.issuer,
        subject=subject,
        email=email.strip()[:254] if isinstance(email, str) else "",
        email_verified=said.get("email_verified") is True,
        name=name.strip()[:120] if isinstance(name, str) else "",
        groups=tuple(group for group in groups[:2000] if isinstance(group, str)),
    )


def _endpoint(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise Unavailable(f"the provider's metadata lacks `{name}`; ask its administrator")
    _safe_url(name, value)
    return value


def _safe_url(name: str, url: str) -> None:
    parts = urlsplit(url)
    loopback = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not (parts.scheme == "https" or (parts.scheme == "http" and loopback)) or not parts.hostname:
        raise ConfigError(f"`{name}` is `{url[:120]}`; it must be an https address")
    if parts.fragment or parts.username or parts.password:
        raise ConfigError(f"`{name}` holds a fragment or a password; leave them out")


def _client_secret(raw: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    if variable := raw.get("client_secret_env"):
        secret = environ.get(str(variable), "")
        if not secret:
            raise ConfigError(
                f"environment variable `{variable}` of `oidc.client_secret_env` is empty; set it"
            )
        return secret
    if path := raw.get("client_secret_file"):
        try:
            with Path(str(path)).open(encoding="utf-8") as file:
                return file.read(4096).strip()
        except (OSError, UnicodeDecodeError) as problem:
            raise ConfigError(
                f"`oidc.client_secret_file` `{path}` cannot be read; check it exists"
            ) from problem
    return ""


def _names(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ConfigError(f"setting `oidc.{key}` is a list of names")
    return tuple(value)


def _roles_by(key: str, value: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise ConfigError(f"setting `oidc.{key}` maps each name to a list of roles")
    return {str(name): _names(f"{key}.{name}", roles) for name, roles in value.items()}

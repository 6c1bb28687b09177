"""An OpenID provider small enough to read: authorization code with PKCE, over real HTTP, with real keys.

It is honest by default. A test makes it lie by setting `claims`, `headers`, `sign_with` or `metadata`.
"""

from __future__ import annotations

import base64
import hmac
import json
import threading
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT_ID = "alcaide-test"
CLIENT_SECRET = "a secret that only the two of them know"


class Provider:
    """Runs until `close`. `person` is who is signed in there."""

    def __init__(self) -> None:
        self.rsa = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})
        self.ec = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig"})
        self.stranger = RSAKey.generate_key(2048, {"kid": "rsa-1"})
        self.published: list[Any] = [self.rsa, self.ec]
        self.person = {
            "sub": "p-1",
            "email": "grace@example.org",
            "email_verified": True,
            "name": "Grace Pier",
        }
        self.algorithm = "RS256"
        self.sign_with: Any = None
        self.headers: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.id_token: str | None = None
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def settings(self, **more: Any) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "client_id": CLIENT_ID,
            "client_secret_env": "TEST_OIDC_SECRET",
            "name": "Harbour ID",
            "group_roles": {"ml": ["ml-engineer"], "security": ["security-lead"], "ops": ["admin"]},
            **more,
        }

    def approve(self, url: str, *, now: float) -> str:
        """What happens when the person at the browser says yes: the address that the browser is sent to."""
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}" == self.issuer
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = {**asked, "now": str(now)}
        query = {"code": code, "state": asked["state"], "iss": self.issuer}
        return f"{asked['redirect_uri']}?{urlencode(query)}"

    def token_for(self, asked: dict[str, str]) -> str:
        if self.id_token is not None:
            return self.id_token
        now = int(float(asked["now"]))
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.person,
            **self.claims,
        }
        key = self.sign_with or (self.ec if self.algorithm.startswith("ES") else self.rsa)
        header = {"alg": self.algorithm, "kid": key.kid or "rsa-1", **self.headers}
        return sign(header, {k: v for k, v in claims.items() if v is not None}, key)

    def answer(self, method: str, path: str, body: dict[str, str], authorization: str) -> tuple[int, bytes]:
        self.asked.append(f"{method} {path}")
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            return 200, json.dumps(
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token",
                    "jwks_uri": f"{self.issuer}/keys",
                    "authorization_response_iss_parameter_supported": True,
                    **self.metadata,
                }
            ).encode()
        if path == "/keys":
            return 200, json.dumps({"keys": [key.as_dict(private=False) for key in self.published]}).encode()
        if path == "/token" and method == "POST":
            return self._token(body, authorization)
        return 404, b"{}"

    def _token(self, body: dict[str, str], authorization: str) -> tuple[int, bytes]:
        right = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if authorization != f"Basic {right}":
            return 401, b'{"error": "invalid_client"}'
        asked = self.codes.pop(body.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(sha256(body.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or body.get("redirect_uri") != asked["redirect_uri"]
            or challenge.rstrip(b"=").decode() != asked["code_challenge"]
        ):
            return 400, b'{"error": "invalid_grant"}'
        token = self.token_for(asked)
        return 200, json.dumps({"access_token": "x", "token_type": "Bearer", "id_token": token}).encode()


def sign(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
    """A JWT, dishonest ones included."""
    if header["alg"] == "none":
        return ".".join([_b64(json.dumps(header).encode()), _b64(json.dumps(claims).encode()), ""])
    if header["alg"] == "HS256":
        signed = f"{_b64(json.dumps(header).encode())}.{_b64(json.dumps(claims).encode())}"
        return f"{signed}.{_b64(hmac.digest(key.secret, signed.encode(), 'sha256'))}"
    return str(jwt.encode(header, claims, key, algorithms=[header["alg"]]))


@dataclass(frozen=True)
class SharedKey:
    """An HMAC key as an attacker would use it; the library refuses to make one from a public key, rightly."""

    kid: str
    secret: bytes


def hmac_key_from_public(key: Any) -> SharedKey:
    """The public key's text as an HMAC secret: what somebody who knows only public things can sign with."""
    return SharedKey(key.kid, key.as_pem(private=False))


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _handler_for(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*provider.answer("GET", self.path, {}, ""))

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            body = {name: values[0] for name, values in parse_qs(raw).items()}
            self._send(*provider.answer("POST", self.path, body, self.headers.get("Authorization", "")))

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler

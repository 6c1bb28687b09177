"""What stands around a token: the word that says what it is, and whose it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

import ahocorasick_rs

from alcaide.instruments.guard.detectors.secrets.formats import FORMATS, Format

BEFORE = 110
"""Characters ahead of a token in which a word may speak of it: a line of code, or a label on the line above."""
AFTER = 48
"""Characters behind it: a comment on the same line, the next argument."""


def _phrases(listed: str) -> tuple[str, ...]:
    """Phrases of a list that commas and line ends part."""
    return tuple(
        phrase.strip() for line in listed.split("\n") for phrase in line.split(",") if phrase.strip()
    )


class Role(StrEnum):
    """What a word says of the token after it.

    An identifier names an application and is shown to everyone (RFC 6749 §2.2); some providers let it open doors.
    """

    SECRET = "secret"  # noqa: S105 - the word, not a secret
    KEY = "key"
    IDENTIFIER = "identifier"
    OTHER = "other"


_SECRET_PHRASES = _phrases(
    """
    secret, token, api.key, access.key, apikey, api_key, api-key, api key, access key, access_key,
    accesskey, access-key,
    private key, private_key, privatekey, private-key, auth_key, authkey, auth key, auth-key, bearer,
    credential, creds, password, passwd, passphrase, pwd, encryption key, encryption_key, encryptionkey,
    encrypt_key, signing key, signing_key, signingkey, signing-key, subscription-key, subscription key,
    subscription_key, license key, license_key, licensekey, licence key, master key, master_key, master.key, masterkey,
    app_key, appkey, app-key, app key, application key, application_key, applicationkey, admin_key,
    admin key, admin-key, service_key, service key, authorization, shared key, shared_key, sharedaccesskey,
    accountkey, account_key, account key, storage_key, storage key, integration key, integration_key,
    write_key, write key, writekey, sdk_key, sdk key, security key, security_key, session_key, access code,
    passcode, user key, user_key, api id key, hmac, server key, server_key, rest key, insert key,
    webhook key, cookie_key, jwt_key, app_secret, oauth, passwort, kennwort, geheimnis, schlüssel,
    zugangsdaten, mot de passe, clé, jeton, contraseña, clave, senha, chave, segredo, chiave, hasło, klucz,
    wachtwoord, sleutel, lösenord, nyckel, пароль, ключ, секрет, токен, 密码, 密碼, 密钥, 密鑰, 令牌, 口令, パスワード,
    トークン, シークレット, 비밀번호, 토큰, كلمة المرور, رمز
    """
)
_KEY_PHRASES = _phrases(
    """
    key, auth, apik, cookie, session, pass, login, login_id, pin, otp, seed, sid, webhook, キー, 키
    """
)
_IDENTIFIER_PHRASES = _phrases(
    """
    app id, app_id, app-id, appid, client id, client_id, client-id, clientid, access id, access_id, accessid,
    application id, application_id, applicationid, consumer_id, project id, project_id, projectid
    """
)
_OTHER_PHRASES = _phrases(
    """
    sha, sha1, sha-1, sha224, sha256, sha-256, sha384, sha512, sha-512, md5, hash, checksum, digest,
    integrity, commit, revision, rev, etag, uuid, guid, request_id, request id, requestid, request-id,
    trace_id, traceid, trace-id, trace id, traceparent, span_id, spanid, correlation, fingerprint,
    thumbprint, public key, public_key, publickey, public-key, pubkey, ssh-rsa, ed25519, ecdsa-sha2,
    certificate, signature, nonce, salt, build, data:image, ;base64, rowkey, row_key, partitionkey,
    partition_key, partition key, publickeytoken, sortkey, sort_key, sort key, object key, objectkey,
    object_key, s3 key, s3_key, s3key, idempotency, keypair, key pair, key_pair, keyvault, key vault,
    key_vault, keystore, issuerkeyhash, keyhash, key_name, keyname, key-name, keyword, hotkey,
    public_token, tokenizer, contract address, wallet address, csrf, xsrf, primary key, primary_key,
    did:key, submodule, token mint,
    primarykey, foreign key, foreign_key, cache key, cache_key, cachekey, cache-key, page_token,
    next_token, nexttoken, pagetoken, nextpagetoken, site key, site_key, site-key, sitekey,
    continuation, pagination, cursor, dedup, token_id,
    token_type, key_id, keyid, key-id, key id, kid, image, layer, blob, tree, parent, resolved, version,
    order, invoice, tracking, part number, sku, serial, isbn, doi, tx, txid, transaction, block, address,
    contract, merge, cherry, branch, object_id, objectid, message_id, message-id, messageid, event_id,
    user_id, userid, account_id, tenant_id, subscription_id, document_id, file_id, record,
    locale, i18n, translation, crc, oid, bucket, partition, shard, boundary, x-amz-request-id, cf-ray,
    digest-sha, sri, container, pod, instance, job_id, run_id, batch, sample, dataset, chunk, row, node_id,
    device, mac, imei
    """
)
_WHOLE = frozenset(
    _phrases(
        """
    key, auth, pass, pin, otp, seed, sid, pwd, creds, hmac,
    sha, hash, rev, salt, build, order, tree, layer, blob, image
    parent, tx, doi, sku, block, row, pod, kid, mac,
    job, batch, merge, branch, version, record, node, device, sample, cursor
    crc, oid, sri, cookie, session, login, etag,
    address, contract, container, instance, bucket, chunk, shard, cherry
    isbn, imei, md5, nonce, digest, oauth, clé, clave, chave, senha, parola, cf-ray, apik
    """
    )
)
"""Words believed only where no letter touches them on the right (`keyboard`, `passing`, `treetop` are others)."""
_AT_START = frozenset(
    _phrases(
        """
    pass, pin, otp, seed, sid, rev, row, mac, tx, pod, oid, doi, sku, crc, sri, kid, sha, order
    """
    )
)
"""Words believed only where no letter touches them on the left either (`compass`, `arrow`)."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the nearest word says, how closely it is tied to the token, and which providers are named."""

    role: Role | None
    word: str
    linked: bool
    formats: tuple[Format, ...]
    assigned: frozenset[str] = frozenset()
    """Identifiers of the formats whose provider's name the token is tied to; told only where no word has a role."""


_NOTHING = Surroundings(None, "", False, ())
_LINKING = frozenset(
    _phrases(
        """
    s, is, was, are, be, to, for, the, value, new, my, here,
    name, this, as, of, with, use, using, set, in, on, at, current
    following, below, ist, lautet, est, es, son, è, é, und,
    y, et, e, prod, production, dev, test, staging, live, string, str
    default, id, bearer, basic, token, key, const, let, var,
    data, content, text, body, val, v, env, secret, number
    """
    )
)
_GOES_ON = (
    "for",
    "of",
    "to",
    "val",
    "prod",
    "dev",
    "test",
    "stag",
    "live",
    "key",
    "str",
    "new",
    "old",
    "in",
    "on",
    "is",
)
"""How the rest of a name begins that still is of the secret: `tokenForBuild`."""
_ABOUT = re.compile(
    r"s?(?:[ _.-]?(?:id|name|arn|ref|uri|url|endpoint|path|file|alias|type|prefix|suffix|version|hash|hashed|len|length"
    r"|count|address|expir\w{0,5}|ttl|uuid|guid|fingerprint|vault|store|kind|manager|provider|algorithm|usage|limit|format|"
    r"contract|policy|rotation|scope|issuer|audience|method|server|class|template)s?){1,3}(?:[^a-z]|$)"
)
"""What turns a word for a secret into something said about one: `secretName`, `token_endpoint`, `key file`."""
_PUBLIC = re.compile(
    r"csrf|xsrf|requestverification|authenticity|(?:^|[_.-])(?:hash|hashed|digest|salted)|hash$|encrypted|sealed|public"
    r"|pub_?key|verif\w{0,8}[_-]?key|host_?key|continuation|websocket|gpg|pgp|fpr$|recv|template|fingerprint|thumbprint"
    r"|(?:sync|page|device|push|cursor|change|next|resume|poll|after|before|delta|start|marker|offset|scroll|upload|lock)"
    r"[_-]?token|idempoten|primary|foreign|partition|sri$|kms"
    r"|(?:cache|sort|map|row|order|item|group|event|message|routing|object|lookup|index|query|issue|flag)[_-]?key"
)
"""Names that hold a word for a secret and are of something shown to everyone, or of no use without another key."""
_NAME = "abcdefghijklmnopqrstuvwxyz0123456789_-."
_LETTERS = re.compile(r"[^\W\d_]+")


class _Meaning(NamedTuple):
    """What one phrase says of a token near it."""

    text: str
    role: Role | None
    formats: tuple[Format, ...]
    whole: bool
    at_start: bool


@lru_cache(maxsize=1)
def _automaton() -> tuple[ahocorasick_rs.AhoCorasick, tuple[_Meaning, ...]]:
    roles: dict[str, Role] = {}
    for phrases, role in (
        (_KEY_PHRASES, Role.KEY),
        (_IDENTIFIER_PHRASES, Role.IDENTIFIER),
        (_SECRET_PHRASES, Role.SECRET),
        (_OTHER_PHRASES, Role.OTHER),
    ):
        roles.update(dict.fromkeys(phrases, role))
    providers: dict[str, list[Format]] = {}
    for format_ in FORMATS:
        for word in format_.near:
            providers.setdefault(word, []).append(format_)
    words = sorted({*roles, *providers})
    meanings = tuple(
        _Meaning(word, roles.get(word), tuple(providers.get(word, ())), word in _WHOLE, word in _AT_START)
        for word in words
    )
    return ahocorasick_rs.AhoCorasick(words), meanings


def surroundings(lower: str, start: int, end: int) -> Surroundings:
    """What `lower` says around its characters `start` to `end`, which are the token."""
    low = max(0, start - BEFORE)
    window = lower[low : min(len(lower), end + AFTER)]
    at, behind = start - low, end - low
    stop = window.find("\n", behind)
    window = window[: stop if stop >= 0 else len(window)]
    automaton, meanings = _automaton()
    role: Role | None = None
    word, closest = "", -1
    formats: dict[str, Format] = {}
    named: list[tuple[int, tuple[Format, ...]]] = []
    for index, first, last in automaton.find_matches_as_indexes(window, overlapping=True):
        text, says, of_provider, whole, at_start = meanings[index]
        if of_provider and not (last > at and first < behind) and not (first and window[first - 1].isalpha()):
            formats.update((format_.id, format_) for format_ in of_provider)
            if last <= at:
                named.append((last, of_provider))
        # The word that ends last speaks; of those, the longer (`public key`, not `key`).
        if says is None or last > at or last < closest or (last == closest and len(text) <= len(word)):
            continue
        if whole and last < len(window) and window[last].isalpha():
            continue
        if at_start and first and window[first - 1].isalpha():
            continue
        role, word, closest = says, text, last
    if role is not None and role is not Role.OTHER and _of_something_public(window, closest, len(word)):
        role = Role.OTHER
    if role is None and not formats:
        return _NOTHING
    linked = role is not None and _linked(window[closest:at])
    if role is not None or not named:
        return Surroundings(role, word, linked, tuple(formats.values()))
    tied = frozenset(one.id for last, those in named if _linked(window[last:at]) for one in those)
    return Surroundings(None, word, linked, tuple(formats.values()), tied)


def _of_something_public(window: str, end: int, length: int) -> bool:
    """Whether the name that the word ending at `end` is part of speaks about a secret, or of none."""
    if _ABOUT.match(window, end):
        return True
    head, tail = window[max(0, end - 60) : end - length], window[end : end + 40]
    name = (
        head[len(head.rstrip(_NAME)) :]
        + window[end - length : end]
        + tail[: len(tail) - len(tail.lstrip(_NAME))]
    )
    if window[: end - length].rstrip(_NAME).endswith("::") and tail.lstrip(_NAME)[:1] in ('"', "'"):
        return True  # `"AWS::IAM::AccessKey": …`: the name of a type, as the key of a map
    return _PUBLIC.search(name) is not None


def _linked(gap: str) -> bool:
    if len(gap) > 48 or gap.count("\n") > 2 or ". " in gap or "&" in gap or gap.endswith(" ("):
        return False
    words = _LETTERS.findall(gap)
    if gap[:1].isalpha() and not words[0].startswith(_GOES_ON) and words[0] not in _LINKING:
        return False  # `tokenizer`, `secretary`: another word
    return len(words) <= 1 or all(word in _LINKING for word in words)

"""What the detector says beyond yes and no: extent, certainty, reasons, options; and what it never says."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alcaide.instruments.guard.detectors.secrets import SECRETS
from alcaide.kernel.errors import InvalidInput
from tests.unit.instruments.guard.secrets.examples import EXAMPLES, example
from tests.unit.instruments.guard.secrets.looking import look, rules_of, secrets_of, seen
from tests.unit.instruments.guard.secrets.made import jwt, pem

PIECES = (
    "password", "=", ":", '"', "'", " ", "\n", "{", "secret", "token", "://", "@", "x9K!", "|", "\\n", "eyJ",
    "kind: Secret", "-----BEGIN RSA PRIVATE KEY-----", "data:",
)  # fmt: skip


def a_key(name: str, seed: int = 3) -> str:
    return example(EXAMPLES[name], Random(seed))


def test_a_finding_names_the_provider_and_never_the_secret():
    key = a_key("github-token")
    (finding,) = seen(f"use {key} for the build")
    assert (finding.detector, finding.rule, finding.category) == ("secrets", "secrets/github-token", "secret")
    assert "GitHub" in finding.message
    assert key[8:] not in finding.message + str(finding.evidence)
    assert finding.entity == "TOKEN"
    assert "owasp-llm:2025/LLM02" in finding.taxonomy


def test_a_checksum_that_holds_makes_surer_than_one_that_does_not():
    key = a_key("github-token")
    other = key[:-1] + ("a" if key[-1] != "a" else "b")
    (holds,), (fails,) = seen(key), seen(other)
    assert holds.score > fails.score >= 0.5
    assert (holds.evidence["check"], fails.evidence["check"]) == ("holds", "fails")


def test_an_aws_key_id_is_told_with_its_account():
    (finding,) = [
        one for one in seen(f"key {a_key('aws-access-key-id')}") if one.rule.endswith("aws-access-key-id")
    ]
    assert len(finding.evidence.get("account", "000000000000")) == 12


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + "x" * 36,
        "sk_live_" + "1234567890" * 3,
        "api_key = <YOUR_API_KEY>",
        "password: ${DB_PASSWORD}",
        "password: changeme",
        "token: {{ token }}",
    ],
)
def test_what_manuals_write_is_below_the_shipped_threshold(text):
    assert seen(text) == []


def test_a_key_that_its_issuer_prints_is_known_and_another_of_its_make_is_found():
    printed = "AIzaSy" + "B41DRUbKWJHPxaFjMAwdrzWzbVKartNGg"
    (finding,) = look(f"apiKey: '{printed}'").findings
    assert finding.score < 0.5
    assert finding.evidence["published"] is True
    assert secrets_of(f"apiKey: '{a_key('google-api-key')}'") == [a_key("google-api-key")]


def test_a_key_shorter_than_any_of_its_make_is_told_below_the_threshold():
    key = a_key("github-token")
    (short,) = look(f'token = "{key[:-1]}"').findings
    assert short.score < 0.5
    assert short.evidence["short_for"] == "GitHub"
    assert secrets_of(f'token = "{key}"') == [key]


def test_a_mark_that_services_share_does_not_make_a_key_too_short():
    assert secrets_of('api_key = "sk-' + 'q7Wz4mKx9vRt2Lp8"')


@pytest.mark.parametrize(
    "name", ["csrf_token", "page_token", "deviceToken", "publicKey", "hashed_password", "sitekey"]
)
def test_the_name_of_something_shown_to_everyone_holds_no_secret(name):
    value = "q7Wz4mKx9vRt2Lp8Yc3Nd6Hb1Js5Gf0T"
    assert seen(f'{name} = "{value}"') == []
    assert secrets_of(f'api_token = "{value}"') == [value]


@pytest.mark.parametrize("value", ["a1b2c3d4e5f6g7h8i9j0", "abcd1234efgh5678", "abcd1234wxyz9876"])
def test_rows_woven_into_each_other_are_a_placeholder(value):
    assert seen(f'token = "{value}"') == []


def test_words_with_a_number_are_the_name_of_a_secret_and_not_one():
    assert seen('client_secret = "payments-client-secret-2"') == []
    assert secrets_of('client_secret = "q7Wz4mKx9vRt2Lp8"') == ["q7Wz4mKx9vRt2Lp8"]


def test_a_user_and_a_password_alike_are_what_an_installation_begins_with():
    assert seen("postgres://orders:orders@db/orders") == []
    assert secrets_of("postgres://orders:Kx8mQz2pLw@db/orders") == ["Kx8mQz2pLw"]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("DB_PASSWORD=Kx8!mQz2#pLw", "Kx8!mQz2#pLw"),
        ('{"password": "Kx8!mQz2pLw", "port": 1}', "Kx8!mQz2pLw"),
        ("Server=a;User Id=b;Password=Kx8mQz2pLw;Encrypt=true", "Kx8mQz2pLw"),
        ("jdbc:mysql://db/shop?user=a&password=Kx8mQz2pLw&ssl=1", "Kx8mQz2pLw"),
        ("amqp://svc:Kx8mQz2pLw@queue:5672/", "Kx8mQz2pLw"),
        ("redis://:Kx8mQz2pLw@cache:6379/0", "Kx8mQz2pLw"),
        ("the password is Kx8!mQz2pLw.", "Kx8!mQz2pLw"),
        ("<password>Kx8!mQz2pLw</password>", "Kx8!mQz2pLw"),
        ("machine a login b password Kx8mQz2pLw", "Kx8mQz2pLw"),
        ("mysql -u root -pKx8mQz2pLw shop", "Kx8mQz2pLw"),
        ("curl -su admin:Kx8mQz2pLw https://h/", "Kx8mQz2pLw"),
    ],
)
def test_the_extent_is_the_secret_alone(text, secret):
    assert secrets_of(text) == [secret]


@pytest.mark.parametrize(
    "text",
    [
        "The password is required and must have 12 characters.",
        "password: str = Field(min_length=12)",
        "def login(user, password): return check(password)",
        "postgres://user:password@localhost/db",
        "https://host:8080/path@2x.png",
        "token: 12 tokens per word",
        "パスワードは忘れました。再設定の方法は？スペインの首都は？",
        "sha256:" + "0f" * 32,
        "commit " + "9c" * 20,
    ],
)
def test_talk_and_code_about_secrets_is_let_go(text):
    assert seen(text) == []


@pytest.mark.parametrize("label", ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"])
def test_a_key_block_is_one_finding_from_its_first_line_to_its_last(label):
    block = pem(Random(2), label)
    assert secrets_of(f"here:\n{block}\nthanks") == [block]


def test_a_key_block_in_one_line_of_json_is_seen_whole():
    block = pem(Random(2)).replace("\n", "\\n")
    assert secrets_of(f'{{"key": "{block}\\n"}}') == [block]


def test_a_key_block_that_was_cut_short_is_still_seen():
    block = pem(Random(2))[:200].rstrip("\n")
    assert secrets_of(f"it begins {block}") == [block]


def test_a_public_key_block_is_none():
    assert seen(pem(Random(2), "PUBLIC KEY")) == []


def test_the_public_role_of_a_token_is_a_note():
    import base64
    import json

    def part(value: dict) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    head = part({"alg": "HS256"})
    anon, service = (
        f"{head}.{part({'role': role, 'iat': 1})}.{'k3' * 20}" for role in ("anon", "service_role")
    )
    assert [finding.level for finding in look(anon).findings] == ["note"]
    assert [finding.level for finding in look(service).findings] == ["error"]


def test_the_more_specific_finding_stays_where_two_overlap():
    key = a_key("stripe-live-key")
    assert rules_of(f"STRIPE_SECRET_KEY={key}") == {"stripe-live-key"}


def test_every_password_of_a_column_is_found_and_its_heading_is_not():
    table = "user,password\nana,Kx8mQz2pLw\nbo,Tr7nWs4vRd\n"
    assert secrets_of(table) == ["Kx8mQz2pLw", "Tr7nWs4vRd"]


def test_a_manifest_gives_its_values_and_not_its_metadata():
    manifest = "kind: Secret\nmetadata:\n  name: db\ndata:\n  password: S3g4IW1RejJwTHc=\ntype: Opaque\n"
    assert secrets_of(manifest) == ["S3g4IW1RejJwTHc="]


def test_a_rule_that_is_ignored_finds_nothing_and_the_others_still_do():
    text = f"{a_key('github-token')} {a_key('npm-token')}"
    assert len(secrets_of(text)) == 2
    assert secrets_of(text, SECRETS.configured({"ignore": ["github-token"]})) == [a_key("npm-token")]


def test_a_value_that_is_allowed_is_let_go_and_its_like_is_not():
    text = f"{a_key('github-token', 1)} {a_key('github-token', 2)}"
    detector = SECRETS.configured({"allow": [a_key("github-token", 1)]})
    assert secrets_of(text, detector) == [a_key("github-token", 2)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ignor": []}, "`ignor`"),
        ({"ignore": "x"}, "`ignore`"),
        ({"ignore": ["no-such"]}, "`no-such`"),
        ({"allow": [1]}, "`allow`"),
    ],
)
def test_a_wrong_option_is_named(options, said):
    with pytest.raises(InvalidInput, match=said):
        SECRETS.configured(options)


@pytest.mark.parametrize(
    "piece",
    [
        "password=",
        "secret: ",
        "key=",
        "a",
        "\n",
        "eyJ",
        "sk-",
        "-----BEGIN PRIVATE KEY-----",
        "://a:b@",
        "ghp_",
        "\\",
        '"',
        "kind: secret\ndata:\n",
    ],
)
def test_a_long_repetition_is_looked_at_to_its_end(piece):
    text = piece * (60_000 // len(piece)) + f" {a_key('stripe-live-key')}"
    assert a_key("stripe-live-key") in secrets_of(text)


def test_a_blob_is_no_field_of_secrets():
    import base64

    blob = base64.encodebytes(Random(1).randbytes(150_000)).decode()
    assert seen(f"image:\n{blob}") == []


def test_spans_count_characters_where_others_than_ascii_come_first():
    assert secrets_of(f"密码 ключ 🔑 {jwt(Random(1))} é") == [jwt(Random(1))]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400))
def test_any_text_gives_findings_within_it(text):
    for finding in look(text).findings:
        assert 0 <= finding.span.start < finding.span.end <= len(text)
        assert 0 <= finding.score <= 1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_broken_structures_give_findings_within_the_text(pieces):
    text = "".join(pieces)
    for finding in look(text).findings:
        assert 0 <= finding.span.start < finding.span.end <= len(text)

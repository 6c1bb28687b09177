"""Formats held to vectors that others published, through the product's own functions."""

from __future__ import annotations

import base64
import json
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from alcaide.kernel.evidence import canonical, pae, parse_envelope, parse_statement, strict_json
from alcaide.kernel.evidence.public_keys import signature_holds
from alcaide.kernel.ledger import merkle
from alcaide.kernel.ledger.keys import Ed25519Signer, keyid_of

# RFC 8785, appendix B: IEEE 754 bits and the text they become.
NUMBERS = """
0000000000000000 0
8000000000000000 0
0000000000000001 5e-324
8000000000000001 -5e-324
7fefffffffffffff 1.7976931348623157e+308
ffefffffffffffff -1.7976931348623157e+308
4340000000000000 9007199254740992
c340000000000000 -9007199254740992
4430000000000000 295147905179352830000
44b52d02c7e14af5 9.999999999999997e+22
44b52d02c7e14af6 1e+23
44b52d02c7e14af7 1.0000000000000001e+23
444b1ae4d6e2ef4e 999999999999999700000
444b1ae4d6e2ef4f 999999999999999900000
444b1ae4d6e2ef50 1e+21
3eb0c6f7a0b5ed8c 9.999999999999997e-7
3eb0c6f7a0b5ed8d 0.000001
41b3de4355555553 333333333.3333332
41b3de4355555554 333333333.33333325
41b3de4355555555 333333333.3333333
41b3de4355555556 333333333.3333334
41b3de4355555557 333333333.33333343
becbf647612f3696 -0.0000033333333333333333
43143ff3c1cb0959 1424953923781206.2
"""


@pytest.mark.parametrize("line", NUMBERS.split("\n")[1:-1])
def test_rfc_8785_numbers(line: str):
    bits, text = line.split()
    (value,) = struct.unpack(">d", bytes.fromhex(bits))

    assert canonical([value]) == f"[{text}]".encode()


def test_rfc_8785_sample_document():
    """Section 3.2.2, to the result of section 3.2.3."""
    text = (
        r'{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],'
        r'"string":"\u20ac$\u000F\u000aA' + "'" + r'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}'
    )

    assert (
        canonical(strict_json(text.encode()))
        == (
            '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
            r'"string":"€$\u000f\nA' + "'" + r'B\"\\\\\"/"}'
        ).encode()
    )


# RFC 8032, section 7.1, tests 1 to 3: secret, public, message, signature.
ED25519 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
            "387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
            "4a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), ED25519)
def test_rfc_8032_signatures(secret: str, public: str, message: str, signature: str):
    raw = bytes.fromhex(public)
    signer = Ed25519Signer(keyid_of(raw), raw, bytes.fromhex(secret) + raw)

    assert signer.sign(bytes.fromhex(message)).hex() == signature


def test_dsse_protocol_example():
    """DSSE v1, protocol.md: the test vector with ECDSA over P-256."""
    key = ec.EllipticCurvePublicNumbers(
        46950820868899156662930047687818585632848591499744589407958293238635476079160,
        5640078356564379163099075877009565129882514886557779369047442380624545832820,
        ec.SECP256R1(),
    ).public_key()
    raw = base64.b64decode(
        "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="
    )
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    message = pae("http://example.com/HelloWorld", b"hello world")

    assert message == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert signature_holds(key, signature, message)
    assert not signature_holds(key, signature, message + b"!")


def test_dsse_envelope_example_reads():
    document = {
        "payload": "aGVsbG8gd29ybGQ=",
        "payloadType": "http://example.com/HelloWorld",
        "signatures": [
            {
                "sig": "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="
            }
        ],
    }

    assert parse_envelope(json.dumps(document).encode()).payload == b"hello world"


# The eight leaves, roots and proofs of the Certificate Transparency project's reference tree.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]


def perfect(level: int, position: int) -> bytes:
    return merkle.fold_perfect(HASHES[position << level : (position + 1) << level])


@pytest.mark.parametrize("size", range(9))
def test_rfc_6962_roots(size: int):
    assert merkle.root_of(HASHES[:size]).hex() == ROOTS[size]


def test_rfc_6962_inclusion_proof():
    proof = merkle.inclusion_proof(perfect, 0, 8)

    assert [node.hex() for node in proof] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert merkle.verify_inclusion(HASHES[0], 0, 8, proof, bytes.fromhex(ROOTS[8]))


def test_rfc_6962_consistency_proof():
    proof = merkle.consistency_proof(perfect, 6, 8)

    assert [node.hex() for node in proof] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert merkle.verify_consistency(6, 8, bytes.fromhex(ROOTS[6]), bytes.fromhex(ROOTS[8]), proof)


def test_in_toto_statement_example():
    """The attestation framework's example of a Statement, spec v1."""
    statement = parse_statement(
        b"""{
          "_type": "https://in-toto.io/Statement/v1",
          "subject": [{"name": "curl-7.72.0.tar.bz2", "digest": {"sha256":
            "ad91970864102a59765e20ce16216efc9d6ad381471f7accceceab7d905703ef"}}],
          "predicateType": "https://example.com/unset", "predicate": {}
        }"""
    )

    assert statement.subjects[0].name == "curl-7.72.0.tar.bz2"
    assert statement.keys[1] == "sha256:ad91970864102a59765e20ce16216efc9d6ad381471f7accceceab7d905703ef"

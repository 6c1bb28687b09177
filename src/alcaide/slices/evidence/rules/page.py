"""The page inside a bundle: what it holds, readable in any browser without network, script or Alcaide."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence import Statement, parse_envelope, parse_statement
from alcaide.slices.evidence.model import BundleContent, title_of

_MAX_SHOWN = 20_000  # characters of one predicate; the leaf itself is whole
_STYLE = (
    ":root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}"
    "body{max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8884;vertical-align:top}"
    "code,pre{font:13px/1.45 ui-monospace,monospace;overflow-wrap:anywhere;white-space:pre-wrap}"
    "details{border:1px solid #8884;border-radius:6px;margin:.6rem 0;padding:.5rem .8rem}"
    "summary{cursor:pointer}.muted{opacity:.7}"
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def index_page(content: BundleContent) -> bytes:
    """A page of the content's statements. It says of itself that it proves nothing: the verifier does."""
    rows = "".join(_leaf(index, content.leaves[index]) for index in sorted(content.leaves))
    facts = [
        ("About", ", ".join(content.about)),
        ("Log", f"{content.origin}, size {content.size}"),
        ("Up to", content.at),
        ("Signed by", ", ".join(key.keyid for key in content.chain)),
        ("Witnesses", ", ".join(key.name for key in content.witnesses) or "none"),
        ("Leaves", str(len(content.leaves))),
        ("Originals", str(len(content.originals))),
    ]
    table = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in facts)
    return (
        "<!doctype html>\n<html lang=en><meta charset=utf-8>"
        f'<meta http-equiv=Content-Security-Policy content="{_POLICY}">'
        "<meta name=viewport content='width=device-width,initial-scale=1'>"
        f"<title>Evidence about {escape(', '.join(content.about))}</title><style>{_STYLE}</style>"
        f"<h1>Evidence about {escape(', '.join(content.about))}</h1>"
        "<p>This page is for reading. What proves that nothing was altered or left out are the other files; check "
        "them with <code>python verify.py bundle.zip --trusted KEYID</code>, with a key id that you were told by "
        f"other means.</p><table>{table}</table><h2>What the log says</h2>{rows}</html>\n"
    ).encode()


def _leaf(index: int, envelope: bytes) -> str:
    try:
        parsed = parse_envelope(envelope)
        statement = parse_statement(parsed.payload)
    except InvalidInput as problem:
        return f"<details><summary>Leaf {index}: {escape(str(problem))}</summary></details>"
    body = json.dumps(dict(statement.predicate), indent=2, ensure_ascii=False)
    if len(body) > _MAX_SHOWN:
        body = f"{body[:_MAX_SHOWN]}\n… {len(body) - _MAX_SHOWN} more characters in leaves/{index:012d}.json"
    signers = ", ".join(signature.keyid or "unnamed key" for signature in parsed.signatures)
    subjects = "".join(
        f"<tr><td><code>{escape(s.name)}</code></td><td><code>{escape(_digest(s.digest))}</code></td></tr>"
        for s in statement.subjects[:50]
    )
    return (
        f"<details><summary>Leaf {index}: <b>{escape(title_of(statement.predicate_type))}</b> "
        f"<span class=muted>{escape(_when(statement))}</span></summary>"
        f"<p class=muted>{escape(statement.predicate_type)}, signed by {escape(signers)}</p>"
        f"<table>{subjects}</table><pre>{escape(body)}</pre></details>"
    )


def _when(statement: Statement) -> str:
    value: Any = statement.predicate.get("at")
    return value if isinstance(value, str) else ""


def _digest(digest: Any) -> str:
    return ", ".join(f"{algorithm}:{value}" for algorithm, value in digest.items())

"""`alcaide evidence`: take evidence in and out, and check that it is all there, without a browser.

`verify` with a bundle or an anchor file needs nothing but the file; everything else works on the local data folder.

Exit codes: 0 it holds, 1 it does not, 2 it holds but is tied to no key that was named as trusted, 3 could not be done.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from alcaide.kernel.errors import InvalidInput, TooLarge

if TYPE_CHECKING:
    from alcaide.slices.evidence.model import BundleReport

app = App(name="evidence", help="What was said, and is it intact?")
keys_app = App(name="keys", help="Which keys sign here, and whose signatures count.")
anchors_app = App(
    name="anchors", help="Where checkpoints are left outside, and for whom this is the outside."
)
app.command(keys_app)
app.command(anchors_app)

Data = Annotated[Path | None, Parameter(name="--data", help="The data folder.", env_var="ALCAIDE_DATA")]
Format = Annotated[Literal["table", "json"], Parameter(name="--format", help="How to print.")]
Trusted = Annotated[
    list[str] | None,
    Parameter(
        name=["--trusted", "--key"],
        help="A key id, a verifier key, or a file of them or of public keys. May be given more than once.",
        negative="",
    ),
]

MAX_FILE = 1024 * 2**20
OUTCOME_CODES = {"passed": 0, "failed": 1, "unknown": 2}


# -- taking in ----------------------------------------------------------------------------------------


@app.command(name="import")
def import_(
    file: Path,
    *,
    about: Annotated[
        list[str] | None,
        Parameter(name="--about", help="What it is about, as `system:loan-desk`. Repeatable.", negative=""),
    ] = None,
    kind: Annotated[
        str, Parameter(name="--kind", help="The document's format; `auto` looks at its content.")
    ] = "auto",
    key: Annotated[str, Parameter(name="--key", help="The trusted key that must have signed it.")] = "",
    reason: Annotated[str, Parameter(name="--reason", help="Why, in your words.")] = "",
    format: Format = "table",
    data: Data = None,
) -> int:
    """Take in a document that somebody else made: a bill of materials, a scan report, an attestation, a signature."""
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.evidence import service

    content = _read(file)
    with open_for_cli(data) as instance:
        result = service.import_document(
            instance,
            cli_actor(),
            content,
            about=about or (),
            kind=kind,
            key=key,
            filename=file.name,
            reason=reason,
        )
    if format == "json":
        _json(result.as_json())
        return 0
    _say(f"taken in as leaf {result.leaf}: {result.title}")
    _say(f"  outcome    {result.outcome}{f', {result.reason}' if result.reason else ''}")
    _say(f"  signature  {_signature_text(result.signature, result.verified_by)}")
    _say(f"  about      {', '.join(s.name or f'sha256:{s.sha256}' for s in result.subjects[:10])}")
    for note in result.notes[:10]:
        _say(f"  note       {note}")
    return 0


def _signature_text(state: str, names: Sequence[str]) -> str:
    if state == "trusted":
        return f"holds, by {', '.join(names)}"
    return {"none": "the format carries none", "unknown-key": "by a key that nobody here has named"}[state]


@app.command(name="attest")
def attest(
    subject: str,
    claim: str,
    *,
    outcome: Annotated[
        Literal["passed", "failed"], Parameter(name="--outcome", help="Whether it holds.")
    ] = "passed",
    ref: Annotated[str, Parameter(name="--ref", help="The control or requirement that it answers.")] = "",
    until: Annotated[str, Parameter(name="--until", help="A day, or a duration like 90d.")] = "",
    reason: Annotated[str, Parameter(name="--reason", help="What it rests on.")] = "",
    data: Data = None,
) -> int:
    """Say under your own name that something holds of a subject, or does not."""
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.evidence import service

    with open_for_cli(data) as instance:
        leaf = service.attest(
            instance,
            cli_actor(),
            [subject],
            claim,
            outcome=outcome,
            ref=ref,
            until=read_until(until, instance.clock()) if until else None,
            reason=reason,
        )
    _say(f"attested as leaf {leaf}")
    return 0


def read_until(text: str, now: datetime) -> datetime:
    """The end of a day (`2027-01-31`), a moment, or `now` and a duration. Raises InvalidInput."""
    from datetime import timedelta

    from alcaide.kernel.clock import parse_duration, parse_rfc3339

    cleaned = text.strip()
    if len(cleaned) == 10 and cleaned[4:5] == "-":
        return parse_rfc3339(f"{cleaned}T00:00:00Z") + timedelta(days=1)
    return parse_rfc3339(cleaned) if "T" in cleaned[1:] else now + parse_duration(cleaned)


# -- taking out ---------------------------------------------------------------------------------------


@app.command(name="export")
def export(
    subjects: Annotated[list[str], Parameter(negative="")],
    *,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="The file to write.")] = None,
    originals: Annotated[bool, Parameter(name="--originals", help="Put the original documents in.")] = True,
    witnesses: Annotated[
        bool, Parameter(name="--witnesses", help="Have the configured witnesses cosign the checkpoint.")
    ] = True,
    data: Data = None,
) -> int:
    """Write one file with all that the log says about some subjects, which a stranger can check offline."""
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.evidence import service
    from alcaide.slices.evidence.rules.bundle import verify_bundle

    with open_for_cli(data) as instance:
        name, bundle = service.export_bundle(
            instance, cli_actor(), subjects, originals=originals, witnesses=witnesses
        )
    path = out or Path(name)
    try:
        path.write_bytes(bundle)
    except OSError as problem:
        raise InvalidInput(f"`{path}` cannot be written: {problem.strerror}; give another with -o") from None
    report = verify_bundle(bundle)
    _say(f"{path}: {len(report.leaves)} leaves, {len(report.originals)} originals, {len(bundle)} bytes")
    _say(f"signed by {report.keys[-1]}")
    if report.witnesses:
        _say(f"witnessed by {', '.join(witness for witness, _ in report.witnesses)}")
    _say("tell whoever checks it this key id by other means than the file itself")
    return 0


# -- checking -----------------------------------------------------------------------------------------


@app.command(name="verify")
def verify(
    bundle: Path | None = None,
    *,
    trusted: Trusted = None,
    own: Annotated[
        bool, Parameter(name="--own", help="Trust the keys of the log in the data folder.", negative="")
    ] = False,
    named: Annotated[
        list[str] | None,
        Parameter(name="--named", help="Trust a key that `keys trust` gave this name.", negative=""),
    ] = None,
    anchors: Annotated[
        Path | None, Parameter(name="--anchors", help="Hold this anchor file against the log.")
    ] = None,
    processes: Annotated[
        int | None, Parameter(name="--processes", help="Worker processes; all cores.")
    ] = None,
    format: Format = "table",
    data: Data = None,
) -> int:
    """Check a bundle offline; or, without one, the whole log from its first leaf."""
    if bundle is not None:
        return _verify_bundle(bundle, trusted or [], own, named or [], format, data)
    if anchors is not None:
        return _verify_anchors(anchors, format, data)
    return _verify_log(processes, format, data)


def _verify_bundle(
    path: Path, trusted: Sequence[str], own: bool, named: Sequence[str], format: str, data: Path | None
) -> int:
    from alcaide.slices.evidence.model import TrustChoice
    from alcaide.slices.evidence.rules.bundle import examine_bundle, read_trusted

    content = _read(path)
    keys = read_trusted("\n".join(_trusted(trusted)))
    if own or named:
        from alcaide.kernel.instance import open_for_cli
        from alcaide.slices.evidence import service

        with open_for_cli(data) as instance:
            keys += service.trusted_by(instance, TrustChoice(own, tuple(named)))
    found = examine_bundle(content, keys)
    if format == "json":
        _json(found.as_json())
    elif found.report is None:
        _complain(f"refused: {found.reason}")
    else:
        _show_bundle(found.report)
    return OUTCOME_CODES[found.outcome]


def _trusted(given: Sequence[str]) -> list[str]:
    """What was given, files replaced by what they hold."""
    return [_read(Path(one)).decode("utf-8", "replace") if Path(one).is_file() else one for one in given]


def _show_bundle(report: BundleReport) -> None:
    _say(
        f"intact: all that log {report.origin} says about {', '.join(report.about)} up to size {report.size}"
    )
    _say(
        f"  leaves     {len(report.leaves)}, the newest {report.leaves[-1].index if report.leaves else 'none'}"
    )
    _say(f"  as of      {report.at}")
    _say(f"  signed by  {', '.join(report.keys)}")
    for name, at in report.witnesses:
        _say(f"  witness    {name}, at {at:%Y-%m-%d %H:%M:%S} UTC")
    if report.pinned:
        _say(f"  trusted    {', '.join(report.trusted)}")
    else:
        _say("unknown: these may be anybody's keys. Compare them with what you were told by other means,")
        _say("and name one with --trusted")


def _verify_anchors(path: Path, format: str, data: Path | None) -> int:
    from alcaide.kernel.instance import open_for_cli
    from alcaide.slices.evidence import service

    with open_for_cli(data) as instance:
        findings = service.check_anchor_file(instance, _read(path))
    if format == "json":
        _json([{"line": f.line, "size": f.size, "outcome": f.outcome, "reason": f.reason} for f in findings])
    else:
        for finding in findings:
            if finding.outcome != "passed":
                _say(f"line {finding.line}, size {finding.size}: {finding.outcome}, {finding.reason}")
        good = sum(f.outcome == "passed" for f in findings)
        newest = max(f.size for f in findings)
        _say(f"{good} of {len(findings)} anchored checkpoints hold; the newest is of size {newest}")
    said = {f.outcome for f in findings}
    return 1 if "failed" in said else 2 if "unknown" in said else 0


def _verify_log(processes: int | None, format: str, data: Path | None) -> int:
    from alcaide.kernel.instance import open_for_cli
    from alcaide.kernel.ledger.verify import verify_log

    shown = format == "table" and sys.stderr.isatty()

    def progress(done: int, of: int, what: str) -> None:
        if shown:
            sys.stderr.write(f"\r{done:,} of {of:,} {what}   ")
            sys.stderr.flush()

    with open_for_cli(data) as instance:
        report = verify_log(instance.ledger, progress, processes=processes)
    if shown:
        sys.stderr.write("\r" + " " * 48 + "\r")
    if format == "json":
        _json(
            {
                "intact": report.intact,
                "size": report.size,
                "root": report.root,
                "first_bad": report.first_bad,
                "reason": report.reason,
            }
        )
    elif report.intact:
        _say(f"intact: {report.size} leaves about {report.keys} subjects, root {report.root}")
    else:
        _complain(f"the log does not verify: {report.reason}")
        if report.first_bad is not None:
            _complain(
                f"the first bad leaf is {report.first_bad}; see `alcaide evidence show {report.first_bad}`"
            )
    return 0 if report.intact else 1


# -- reading ------------------------------------------------------------------------------------------


@app.command(name="list")
def list_(
    *,
    subject: Annotated[str, Parameter(name="--subject", help="A name or a SHA-256 digest.")] = "",
    type: Annotated[str, Parameter(name="--type", help="A kind, as `imported`, or a predicate type.")] = "",
    limit: Annotated[int, Parameter(name="--limit", help="At most this many.")] = 50,
    format: Format = "table",
    data: Data = None,
) -> int:
    """List leaves of the log, newest first."""
    from alcaide.kernel.clock import rfc3339
    from alcaide.kernel.instance import open_for_cli
    from alcaide.slices.evidence import queries
    from alcaide.slices.evidence.model import LeafFilter

    if not 1 <= limit <= 10_000:
        raise InvalidInput(f"`{limit}` is no limit; choose 1 to 10000")
    kind = type if ":" in type or not type else f"urn:alcaide:{type}:v1"
    with open_for_cli(data) as instance, instance.read() as conn:
        narrow = LeafFilter(predicate_type=kind, subject=subject)
        page = queries.list_leaves(conn, instance, narrow, with_access=True, limit=limit)
    if format == "json":
        _json(
            [
                {
                    "index": line.index,
                    "predicate_type": line.predicate_type,
                    "recorded_at": rfc3339(line.recorded_at),
                    "subjects": list(line.subjects),
                    "by": line.by,
                    "outcome": line.outcome,
                }
                for line in page.items
            ]
        )
        return 0
    for line in page.items:
        about = ", ".join(line.subjects) + (f" and {line.more_subjects} more" if line.more_subjects else "")
        _say(f"{line.index:>8}  {line.recorded_at:%Y-%m-%d %H:%M}  {line.title:<22}  {about}  {line.outcome}")
    if not page.items:
        _say("no leaf matches")
    return 0


@app.command(name="show")
def show(index: int, *, format: Format = "table", data: Data = None) -> int:
    """Show one leaf, and whether it holds; exits 1 if it does not."""
    from alcaide.kernel.instance import open_for_cli
    from alcaide.slices.evidence import queries

    with open_for_cli(data) as instance, instance.read() as conn:
        leaf = queries.leaf_detail(conn, instance, index, with_access=True)
    if format == "json":
        _json(
            {
                "index": leaf.index,
                "outcome": leaf.outcome,
                "checks": [{"name": c.name, "outcome": c.outcome, "text": c.text} for c in leaf.checks],
                "statement": leaf.statement.to_json(),
                "envelope": dict(leaf.envelope),
            }
        )
    else:
        _say(f"leaf {leaf.index}: {leaf.title}, recorded {leaf.recorded_at:%Y-%m-%d %H:%M:%S} UTC")
        for check in leaf.checks:
            _say(f"  {check.outcome:<8} {check.name.lower()}: {check.text}")
        _say(json.dumps(leaf.statement.to_json(), indent=2, ensure_ascii=False))
    return OUTCOME_CODES[leaf.outcome]


# -- keys ---------------------------------------------------------------------------------------------


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
        _json({"origin": origin, "keys": lines, "witness_vkey": witness})
        return 0
    for line in lines:
        _say(f"{line['keyid']}  announced by leaf {line['leaf']}\n  {line['vkey']}")
    _say(f"as a witness of others: {witness}")
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
    _say(f"signing with {keyid} from now on; back up the keys folder, and tell those who pin your keys")
    return 0


@keys_app.command(name="trusted")
def keys_trusted(*, format: Format = "table", data: Data = None) -> int:
    """List the keys of others whose signatures count, and those that no longer do."""
    from alcaide.kernel.instance import open_for_cli
    from alcaide.slices.evidence import queries

    with open_for_cli(data) as instance, instance.read() as conn:
        lines = queries.trusted_keys(conn, with_revoked=True)
    if format == "json":
        _json(
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
        _say(f"{line.name:<24} {line.algorithm:<12} sha256:{line.sha256}{state}")
    if not lines:
        _say("no key is trusted; name one with `alcaide evidence keys trust NAME FILE`")
    return 0


@keys_app.command(name="trust")
def keys_trust(
    name: str,
    key: Path,
    *,
    note: Annotated[str, Parameter(name="--note", help="How you know whose it is.")] = "",
    data: Data = None,
) -> int:
    """Count signatures by the public key in a file (PEM or verifier key) from now on."""
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.evidence import service

    text = _read(key).decode("utf-8", "replace")
    with open_for_cli(data) as instance:
        digest = service.trust_key(instance, cli_actor(), name, text, note=note)
    _say(f"signatures by {name} (sha256:{digest}) count from now on")
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
    _say(f"signatures by {name} count no longer")
    return 0


# -- anchors ------------------------------------------------------------------------------------------


@anchors_app.command(name="list")
def anchors_list(*, format: Format = "table", data: Data = None) -> int:
    """List where checkpoints are left, and how that stands; exits 1 if one contradicts the log, 2 if one is behind."""
    from alcaide.kernel.instance import open_for_cli
    from alcaide.slices.evidence import queries

    with open_for_cli(data) as instance, instance.read() as conn:
        states = queries.anchor_states(conn, instance, instance.clock())
        logs = queries.known_logs(conn)
    if format == "json":
        _json(
            {
                "anchors": [
                    {
                        "name": s.anchor.name,
                        "kind": s.anchor.kind,
                        "target": s.anchor.target,
                        "outcome": s.outcome,
                        "reason": s.reason,
                        "last_size": s.anchor.last_size,
                    }
                    for s in states
                ],
                "known_logs": [{"origin": log.origin, "size": log.size} for log in logs],
            }
        )
    else:
        for s in states:
            _say(
                f"{s.outcome:<8} {s.anchor.name} ({s.anchor.kind} {s.anchor.target}): size {s.anchor.last_size}"
            )
            if s.reason:
                _say(f"         {s.reason}")
        for log in logs:
            _say(f"witness of {log.origin}, size {log.size}")
        if not states:
            _say("nothing is left outside; add a file with `alcaide evidence anchors add-file NAME PATH`")
    said = {s.outcome for s in states}
    return 1 if "failed" in said else 2 if "unknown" in said else 0


@anchors_app.command(name="add-file")
def anchors_add_file(name: str, path: Path, *, data: Data = None) -> int:
    """Leave checkpoints in a file, best on another machine's disk; lines are only ever added to it."""
    return _add_anchor(name, "file", str(path.absolute()), "", data)


@anchors_app.command(name="add-witness")
def anchors_add_witness(name: str, url: str, vkey: str, *, data: Data = None) -> int:
    """Have checkpoints cosigned by a witness (C2SP tlog-witness), such as a second Alcaide."""
    return _add_anchor(name, "witness", url, vkey, data)


def _add_anchor(name: str, kind: str, target: str, vkey: str, data: Path | None) -> int:
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.evidence import service

    with open_for_cli(data) as instance:
        service.add_anchor(instance, cli_actor(), name, kind=kind, target=target, vkey=vkey)
    _say(f"checkpoints are left at {target} from now on, every quarter of an hour while Alcaide runs")
    return 0


@anchors_app.command(name="remove")
def anchors_remove(name: str, *, data: Data = None) -> int:
    """Leave no more checkpoints there. What lies there stays."""
    from alcaide.kernel.errors import NotFound
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.evidence import queries, service

    with open_for_cli(data) as instance:
        with instance.read() as conn:
            found = next((a for a in queries.anchors(conn) if a.name == name), None)
        if found is None:
            raise NotFound(f"there is no anchor named `{name[:100]}`; see `alcaide evidence anchors list`")
        service.remove_anchor(instance, cli_actor(), found.id)
    _say(f"nothing is left at {found.target} any more")
    return 0


@anchors_app.command(name="now")
def anchors_now(*, data: Data = None) -> int:
    """Leave the newest checkpoint at every anchor now; exits 1 if one of them did not take it."""
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.evidence import service

    with open_for_cli(data) as instance:
        done = service.anchor_now(instance, cli_actor(), force=True)
    for name, problem in done:
        _say(f"{name}: {problem or 'left'}")
    if not done:
        _say("there is no anchor; add one with `alcaide evidence anchors add-file NAME PATH`")
    return 1 if any(problem for _, problem in done) else 0


@anchors_app.command(name="witness-for")
def anchors_witness_for(vkey: str, *, data: Data = None) -> int:
    """Be the witness of another log, named by its verifier key."""
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.evidence import queries, service

    with open_for_cli(data) as instance:
        origin = service.add_known_log(instance, cli_actor(), vkey)
        with instance.read() as conn:
            own = queries.witness_key(instance, instance.ledger.checkpoint(conn).keyid).to_text()
        url = f"{instance.config.url}/api/v1/evidence/witness"
    _say(f"checkpoints of {origin} are cosigned here from now on. Tell its keeper:")
    _say(f"  alcaide evidence anchors add-witness NAME {url} '{own}'")
    return 0


# -- shared -------------------------------------------------------------------------------------------


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE:
            raise TooLarge(f"`{path}` is over the limit of {MAX_FILE} bytes; give a smaller file")
        return path.read_bytes()
    except OSError as problem:
        raise InvalidInput(f"`{path}` cannot be read: {problem.strerror}; check the path") from None


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _complain(text: str) -> None:
    sys.stderr.write(f"alcaide: {text}\n")


def _json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")

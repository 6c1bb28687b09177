"""Taking evidence in: documents of others, and claims of one's own; and out: bundles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from alcaide.kernel.errors import InvalidInput
from alcaide.slices.evidence.cli.base import (
    Data,
    Format,
    app,
    read_file,
    say,
    say_json,
)


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

    content = read_file(file)
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
        say_json(result.as_json())
        return 0
    say(f"taken in as leaf {result.leaf}: {result.title}")
    say(f"  outcome    {result.outcome}{f', {result.reason}' if result.reason else ''}")
    say(f"  signature  {_signature_text(result.signature, result.verified_by)}")
    say(f"  about      {', '.join(s.name or f'sha256:{s.sha256}' for s in result.subjects[:10])}")
    for note in result.notes[:10]:
        say(f"  note       {note}")
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
    say(f"attested as leaf {leaf}")
    return 0


def read_until(text: str, now: datetime) -> datetime:
    """The end of a day (`2027-01-31`), a moment, or `now` and a duration. Raises InvalidInput."""
    from datetime import timedelta

    from alcaide.kernel.clock import parse_duration, parse_rfc3339

    cleaned = text.strip()
    if len(cleaned) == 10 and cleaned[4:5] == "-":
        return parse_rfc3339(f"{cleaned}T00:00:00Z") + timedelta(days=1)
    return parse_rfc3339(cleaned) if "T" in cleaned[1:] else now + parse_duration(cleaned)


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
    say(f"{path}: {len(report.leaves)} leaves, {len(report.originals)} originals, {len(bundle)} bytes")
    say(f"signed by {report.keys[-1]}")
    if report.witnesses:
        say(f"witnessed by {', '.join(witness for witness, _ in report.witnesses)}")
    say("tell whoever checks it this key id by other means than the file itself")
    return 0

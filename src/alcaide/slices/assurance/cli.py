"""`alcaide guard`: look at texts, measure detectors, redact and restore, from the command line.

Needs no data folder unless something is put on record.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from alcaide.kernel.errors import InvalidInput, NotFound
from alcaide.slices.assurance.model import Direction

app = App(name="guard", help="Look at text, messages and tool calls; measure how well the guard does it.")

Data = Annotated[Path | None, Parameter(name="--data", help="The data folder.", env_var="ALCAIDE_DATA")]
PolicyName = Annotated[
    str, Parameter(name="--policy", help="A shipped policy's name, or the path of a YAML file.")
]
Towards = Annotated[
    Direction, Parameter(name="--direction", help="A prompt (in), an answer (out) or a tool's text.")
]
# A lone hyphen is a word to us and an option to the parser; `_given` refuses what is an option after all.
Text = Annotated[
    str, Parameter(help="The text, a file's path, or - for standard input.", allow_leading_hyphen=True)
]
Level = Literal["note", "warning", "error"]

EXIT_CLEAN, EXIT_FOUND, EXIT_UNKNOWN = 0, 1, 2
_RANK = {"note": 0, "warning": 1, "error": 2}
MAX_FILE = 256 * 1024 * 1024


@app.command
def check(
    text: Text = "-",
    *,
    policy: PolicyName = "default",
    direction: Towards = "in",
    level: Annotated[Level, Parameter(help="Findings from this level on make the exit code 1.")] = "warning",
    messages: Annotated[
        bool, Parameter(help="The input is a JSON list of chat messages.", negative="")
    ] = False,
    context: Annotated[
        Path | None,
        Parameter(help="JSON with what is known beside the text: system_prompt, sources, question…"),
    ] = None,
    format: Annotated[Literal["text", "json", "sarif"], Parameter(name="--format")] = "text",
) -> int:
    """Look at a text and say what is wrong with it, where, and what the policy does.

    Ends with 0 if nothing was found at the level or above, 1 if something was, 2 if a detector could not answer, 3 if
    it could not be done.
    """
    from alcaide import __version__
    from alcaide.instruments.guard.guard import Guard
    from alcaide.instruments.guard.showing import draw, report_json, sarif

    given, name = _given(text, messages=messages)
    guard = Guard(policy)
    report = guard.check(given, context=_context(context, direction))
    if format == "json":
        _json(report_json(report))
    elif format == "sarif":
        _json(sarif({name: report}, version=__version__, versions=guard.detectors))
    else:
        draw(_console(), report)
    if any(_RANK[finding.level] >= _RANK[level] for finding in report.findings if finding.score >= 0.5):
        return EXIT_FOUND
    return EXIT_UNKNOWN if report.unknown else EXIT_CLEAN


@app.command
def explain(
    text: Text = "-",
    *,
    policy: PolicyName = "default",
    direction: Towards = "in",
    context: Path | None = None,
) -> int:
    """Look at a text and show everything: readings, every detector's score and time, what each finding rests on."""
    from alcaide.instruments.guard.guard import Guard
    from alcaide.instruments.guard.normalise import readings
    from alcaide.instruments.guard.showing import draw, visible

    given, _ = _given(text)
    guard = Guard(policy)
    report = guard.check(given, context=_context(context, direction))
    console = _console()
    draw(console, report, verbose=True)
    for finding in report.findings:
        if finding.evidence or finding.taxonomy:
            console.print(f"\n{finding.rule}  {' '.join(finding.taxonomy)}", highlight=False)
            for name, value in finding.evidence.items():
                console.print(
                    f"  {name}: {json.dumps(value, ensure_ascii=False)}"[:400], highlight=False, markup=False
                )
    for passage in report.passages:
        for layer in readings(passage, guard.policy.limits)[0][1:]:
            console.print(f"\nread as {' in '.join(reversed(layer.path))}:", highlight=False)
            console.print(f"  {visible(layer.text[:400])}", highlight=False, markup=False)
    return EXIT_CLEAN


@app.command
def redact(
    text: Text = "-",
    *,
    policy: PolicyName = "default",
    direction: Towards = "in",
    table: Annotated[
        Path | None, Parameter(help="Keep the pseudonyms here, so that `restore` can undo it.")
    ] = None,
) -> int:
    """Print the text with what the policy redacts replaced. Ends with 1 if the policy holds or blocks it."""
    from alcaide.instruments.guard.guard import Guard
    from alcaide.instruments.guard.model import Action, Context

    given, _ = _given(text)
    names = _pseudonyms(table)
    done = Guard(policy).redact(str(given), context=Context(direction=direction), pseudonyms=names)
    if table is not None:
        # The table is as secret as what it stands for: for nobody else's eyes, and whole or not at all.
        kept = table.with_name(f".{table.name}.new")
        kept.touch(mode=0o600)
        kept.write_text(json.dumps(names.to_json()))
        kept.replace(table)
    sys.stdout.write(done.text)
    return EXIT_FOUND if done.report.action.strictness > Action.REDACT.strictness else EXIT_CLEAN


@app.command
def restore(
    text: Text = "-", *, table: Annotated[Path, Parameter(help="What `redact --table` kept.")]
) -> int:
    """Print the text with the pseudonyms replaced by what they stand for."""
    if not table.is_file():
        raise NotFound(f"there is no table `{table}`; `alcaide guard redact --table {table}` makes one")
    given, _ = _given(text)
    sys.stdout.write(_pseudonyms(table).restore(str(given)))
    return EXIT_CLEAN


@app.command(name="eval")
def evaluate(
    files: Annotated[
        list[Path], Parameter(help="Labelled rows, .jsonl or .jsonl.gz, with `text` and `label`.")
    ],
    *,
    detector: Annotated[
        str, Parameter(help="Which detector; see `alcaide guard detectors`.")
    ] = "prompt-injection",
    direction: Towards = "in",
    threshold: Annotated[float | None, Parameter(help="Instead of the detector's own.")] = None,
    bound: Annotated[
        list[str], Parameter(help="What is asked beforehand, e.g. auroc=0.97; repeatable.")
    ] = [],  # noqa: B006 - cyclopts copies it
    record: Annotated[bool, Parameter(help="Put the figures on record.", negative="")] = False,
    format: Annotated[Literal["table", "json"], Parameter(name="--format")] = "table",
    data: Data = None,
) -> int:
    """Measure a detector on labelled rows. Ends with 1 if a bound is not reached."""
    from alcaide.instruments.guard.evaluate import digest, rows
    from alcaide.instruments.guard.trial import tried
    from alcaide.predicates.guard_evaluated import Corpus
    from alcaide.slices.assurance import rules, service

    bounds = service.parse_bounds(bound)
    counted: dict[Path, list[int]] = {path: [0, 0] for path in files}

    def each(path: Path) -> Iterator[Any]:
        for row in rows(path):
            counted[path][int(row.label)] += 1
            yield row

    console = _console(stderr=True)
    with console.status("reading rows") as status:
        trial = tried(
            detector,
            chain.from_iterable(each(path) for path in files),
            direction=direction,
            threshold=threshold,
            progress=lambda done: status.update(f"{done:,} rows") if done % 200 == 0 else None,
        )
    by_name = service.figures(trial.evaluation)
    outcome = rules.outcome(
        {name: one.value for name, one in by_name.items()}, bounds, unanswered=trial.unanswered
    )
    leaf = None
    if record:
        from alcaide.kernel.instance import cli_actor, open_for_cli

        corpora = [
            Corpus(
                name=path.name, sha256=digest(path), negatives=counted[path][0], positives=counted[path][1]
            )
            for path in files
        ]
        with open_for_cli(data) as instance:
            leaf = service.record_evaluation(instance, cli_actor(), trial, corpora, bounds)
    if format == "json":
        _json(_trial_json(trial, by_name, outcome, leaf))
    else:
        _table(trial, by_name, outcome, leaf)
    return EXIT_FOUND if outcome == "failed" else EXIT_CLEAN


@app.command
def detectors() -> None:
    """List the detectors that are installed, and which the default policy uses."""
    from importlib import import_module

    from alcaide.instruments.guard.policy import shipped_policy
    from alcaide.instruments.guard.registry import BUILT_IN

    used = shipped_policy("default").detectors
    for registration in BUILT_IN:
        detector = registration.load()
        # What it is for stands at the top of its module.
        about = (import_module(registration.target.partition(":")[0]).__doc__ or "").strip().splitlines()[:1]
        mark = "*" if detector.name in used else " "
        _say(f"{mark} {detector.name:<20} {detector.version:<14} {' '.join(about)}")
    _say("* used by the default policy")


@app.command
def policies() -> None:
    """List the policies that come with Alcaide."""
    from alcaide.instruments.guard.policy import shipped_policies, shipped_policy

    for name in shipped_policies():
        policy = shipped_policy(name)
        _say(f"{name:<20} {policy.title}  ({len(policy.detectors)} detectors, {len(policy.rules)} rules)")


@app.command
def pin(
    folder: Annotated[Path, Parameter(help="A folder with model.onnx, tokenizer.json and config.json.")],
) -> None:
    """Print the digest that a policy pins a transformer's folder by."""
    from alcaide.instruments.guard.transformer import folder_digest

    _say(folder_digest(folder))


@app.command
def fingerprint(
    paths: Annotated[list[Path], Parameter(help="Documents or folders of them, as UTF-8 text.")],
    *,
    label: Annotated[str, Parameter(help="What they are, e.g. confidential.")],
    store: Annotated[Path, Parameter(help="The file to add their fingerprints to; made if it is not there.")],
) -> None:
    """Fingerprint documents, so that a paragraph of one is recognised though edited. The store holds no text."""
    from alcaide.instruments.guard.detectors.classification.commands import build_fingerprints

    built = build_fingerprints(paths, label, store)
    _say(f"{built.path}: {built.documents:,} documents, {built.fingerprints:,} fingerprints")
    _say(f"sha256 {built.sha256}")


@app.command
def canary(
    kind: Annotated[
        str, Parameter(help="What it looks like: url, email, uuid, aws-key or sentence.")
    ] = "url",
    *,
    label: Annotated[str, Parameter(help="Where you are going to put it.")],
    register: Annotated[Path, Parameter(help="The file that remembers it; made if it is not there.")],
    host: Annotated[str, Parameter(help="A host of yours, for a URL or an address.")] = "example.org",
) -> None:
    """Make a canary: a token to be put where nobody should read, and recognised wherever it turns up."""
    from alcaide.instruments.guard.detectors.classification.commands import make_canary

    made = make_canary(kind, label, register, host=host)
    _say(made.canary.value)
    _say(f"registered in {made.path}, sha256 {made.sha256}")


# ── in and out ──


def _given(text: str, *, messages: bool = False) -> tuple[Any, str]:
    """What to look at, and its name. Bytes that are not UTF-8 become replacement characters, never an error."""
    name = "text"
    if text.startswith("-") and text != "-" and " " not in text:
        raise InvalidInput(
            f"there is no option `{text[:80]}`; see `alcaide guard --help`, and give a text like it on standard input"
        )
    if text == "-":
        content = sys.stdin.buffer.read(MAX_FILE + 1)
        name = "standard input"
    elif len(text) < 4096 and "\n" not in text and _is_file(text):
        name = text
        with Path(text).open("rb") as file:
            content = file.read(MAX_FILE + 1)
    else:
        content = text.encode("utf-8", "surrogateescape")
    if len(content) > MAX_FILE:
        raise InvalidInput(f"`{name}` is larger than {MAX_FILE // 2**20} MiB; split it")
    written = content.decode("utf-8", "replace")
    if not messages:
        return written, name
    try:
        return json.loads(written), name
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            f"`{name}` is not JSON: {error}; with --messages give a list of chat messages"
        ) from error


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def _context(path: Path | None, direction: Direction) -> Any:
    import msgspec

    from alcaide.instruments.guard.model import Context

    if path is None:
        return Context(direction=direction)
    try:
        known = msgspec.json.decode(path.read_bytes(), type=Context)
    except OSError as error:
        raise NotFound(f"`{path}` cannot be read: {error.strerror}; give a JSON file") from error
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidInput(f"`{path}` is not a context: {error}; see docs/guard/policy.md") from error
    return known


def _pseudonyms(table: Path | None) -> Any:
    from alcaide.instruments.guard.redaction import Pseudonyms

    if table is None or not table.is_file():
        return Pseudonyms()
    try:
        return Pseudonyms.from_json(json.loads(table.read_text()))
    except (ValueError, AttributeError) as error:
        raise InvalidInput(
            f"`{table}` is not a table of pseudonyms; give what `redact --table` kept"
        ) from error


def _console(*, stderr: bool = False) -> Any:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def _trial_json(trial: Any, by_name: Any, outcome: str, leaf: int | None) -> dict[str, Any]:
    speed = trial.evaluation.speed
    return {
        "detector": trial.detector,
        "version": trial.version,
        "threshold": trial.threshold,
        "rows": trial.rows,
        "positives": trial.evaluation.positives,
        "negatives": trial.evaluation.negatives,
        "unanswered": trial.unanswered,
        "figures": {name: {"value": e.value, "low": e.low, "high": e.high} for name, e in by_name.items()},
        "speed": None
        if speed is None
        else {
            "p50_seconds": speed.p50,
            "p99_seconds": speed.p99,
            "megabytes_per_second": speed.megabytes_per_second,
        },
        "outcome": outcome,
        "leaf": leaf,
    }


def _table(trial: Any, by_name: Any, outcome: str, leaf: int | None) -> None:
    _say(f"{trial.detector} {trial.version}, threshold {trial.threshold:g}")
    evaluation = trial.evaluation
    _say(f"{trial.rows:,} rows: {evaluation.positives:,} positive, {evaluation.negatives:,} negative")
    if trial.unanswered:
        _say(f"{trial.unanswered:,} rows could not be answered and are in no figure")
    for name, one in by_name.items():
        if one.value is not None:
            interval = "" if one.low is None else f"   {one.low:.3f} to {one.high:.3f}"
            _say(f"  {name:<24}{one.value:>8.3f}{interval}")
    if evaluation.speed is not None and evaluation.speed.p50 is not None:
        speed = evaluation.speed
        _say(
            f"  latency p50 {speed.p50 * 1e6:,.0f} µs, p99 {speed.p99 * 1e6:,.0f} µs, "
            f"{speed.megabytes_per_second:.1f} MB/s"
        )
    if outcome != "measured":
        _say(f"bounds: {outcome}")
    if leaf is not None:
        _say(f"on record as leaf {leaf}")


def _json(value: object) -> None:
    _say(json.dumps(value, indent=2, ensure_ascii=False))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")

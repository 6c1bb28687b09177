"""Builds docs/reference from the code, and checks that every link between documents leads somewhere.

    python tools/build_docs.py           writes what changed, then checks links
    python tools/build_docs.py --check   writes nothing; fails on what is stale or dead

The reference is kept in the repository, so that a change of a command, a setting or the API is seen in review.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs/reference"

_MADE = "<!-- Made by `make docs` from the code; change it there. -->\n\n"
_LINK = re.compile(
    r"(?<!!)\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^()\s]+(?:\([^()]*\))?)\)|!\[[^\]]*\]\(([^()\s]+)\)"
)
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def pages() -> dict[str, str]:
    """Every page of the reference, by file name."""
    return {
        "cli.md": cli_page(),
        "scan.md": scan_page(),
        "settings.md": settings_page(),
        "openapi.json": openapi_document(),
    }


def cli_page() -> str:
    """All commands, from the command line's own help."""
    from alcaide.app import cli

    app = cli.root_app([*cli.MACHINE, *cli.slice_entries()])
    # The usage lines name the running program, which is this one or a test runner.
    running, sys.argv = sys.argv, ["alcaide"]
    try:
        text = app.generate_docs(output_format="markdown")
    finally:
        sys.argv = running
    lines = [line.rstrip() for line in text.splitlines()]
    return _MADE + "\n".join(lines).strip() + "\n"


def scan_page() -> str:
    """Every format that is recognised and every rule, from the readers themselves."""
    from alcaide.instruments.scan.examine import formats, rules

    lines = [_MADE.strip(), "", "# What the scan knows", "", "## Formats", ""]
    lines += ["Recognised by content; a file is read as every format that it is.", ""]
    lines += ["| format | |", "|---|---|"]
    lines += [f"| `{one.name}` | {one.title} |" for one in sorted(formats(), key=lambda form: form.name)]
    lines += ["", "## Rules", "", "| rule | level | what | why, and what to do |", "|---|---|---|---|"]
    for rule in sorted(rules().values(), key=lambda rule: (-rule.level.rank, rule.id)):
        told = f"{rule.why} {rule.remedy}" + (f" ({', '.join(rule.taxonomy)})" if rule.taxonomy else "")
        cells = (f"`{rule.id}`", rule.level.value, rule.title, told)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """All settings, from the `Config` dataclass."""
    from alcaide.app.settings import declared, sections

    lines = [
        _MADE.strip(),
        "",
        "# Settings",
        "",
        "Settings live in `config.yaml` in the data folder. Each can be overridden by an environment variable.",
        "`alcaide settings` shows the values in force and where each came from.",
        "",
        "| setting | variable | default | what for |",
        "|---|---|---|---|",
    ]
    for name, default, doc in declared():
        shown = "" if default in (None, "") else f"`{_plain(default)}`"
        lines.append(f"| `{name}` | `ALCAIDE_{name.upper()}` | {shown} | {doc.replace('|', chr(92) + '|')} |")
    named = ", ".join(f"`{name}`" for name in sections())
    lines += ["", f"Sections of the file that the slices read for themselves: {named}.", ""]
    return "\n".join(lines)


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def openapi_document() -> str:
    """The API as `/api/v1/openapi.json` serves it, from an instance made for the purpose."""
    from alcaide.app.slices import manifests
    from alcaide.app.web import create_app, openapi
    from alcaide.kernel.config import Config
    from alcaide.kernel.instance import open_instance

    with tempfile.TemporaryDirectory() as folder:
        config = Config(data=Path(folder) / "data", origin="docs.invalid/alcaide")
        instance = open_instance(config, manifests=manifests(), migrate=False)
        try:
            document = openapi(create_app(instance))
        finally:
            instance.close()
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def stale() -> list[str]:
    """Pages of the reference that are not what the code says now, or that no code makes any longer."""
    wanted = pages()
    kept = {path.name for path in REFERENCE.glob("*")} if REFERENCE.is_dir() else set()
    differing = [
        name
        for name, text in wanted.items()
        if name not in kept or (REFERENCE / name).read_text(encoding="utf-8") != text
    ]
    return sorted([*differing, *(kept - set(wanted))])


def documents() -> list[Path]:
    """Every Markdown page that people are sent to."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("README.md")])


def dead_links() -> list[str]:
    """Links from one document to a file or heading that is not there."""
    return [f"{path.relative_to(ROOT)}: {link}" for path in documents() for link in _dead(path)]


def _dead(path: Path) -> Iterator[str]:
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    for match in _LINK.finditer(text):
        link = match.group(1) or match.group(2)
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        place, _, anchor = link.partition("#")
        target = path if not place else (path.parent / unquote(place)).resolve()
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in _anchors(target)):
            yield link


def _anchors(path: Path) -> set[str]:
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    return {_slug(heading) for heading in _HEADING.findall(text)}


def _slug(heading: str) -> str:
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", lambda found: found.group(1) or "", heading)
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", plain.lower()))


def main(arguments: list[str]) -> int:
    """Build or check; returns the exit code."""
    checking = arguments == ["--check"]
    changed = stale()
    if not checking:
        REFERENCE.mkdir(parents=True, exist_ok=True)
        wanted = pages()
        for name in changed:
            if name in wanted:
                (REFERENCE / name).write_text(wanted[name], encoding="utf-8")
            else:
                (REFERENCE / name).unlink()
            sys.stdout.write(f"docs/reference/{name} rebuilt\n")
        changed = []
    dead = dead_links()
    for name in changed:
        sys.stderr.write(
            f"docs/reference/{name} is not what the code says; run `make docs` and commit what changed\n"
        )
    for link in dead:
        sys.stderr.write(f"{link} leads nowhere; correct the link or write the page\n")
    if not changed and not dead:
        sys.stdout.write(f"{len(documents())} documents, every link leads somewhere\n")
    return 1 if changed or dead else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

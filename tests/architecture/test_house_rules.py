"""House rules that imports do not show: what a slice may name, and what must be written down."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

from alcaide.app.slices import SLICES, manifests

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/alcaide"
NAMES = [path.split(".")[2] for path in SLICES]


def test_every_slice_folder_is_in_the_list_and_every_line_of_the_list_has_a_folder():
    folders = {path.name for path in (SOURCE / "slices").iterdir() if (path / "__init__.py").is_file()}

    assert folders == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_slice_says_which_question_it_answers_and_what_evidence_it_emits_and_reads(name):
    """Habit 1: a slice's `__init__.py` is a docstring, and nothing else."""
    tree = ast.parse((SOURCE / "slices" / name / "__init__.py").read_text())
    said = ast.get_docstring(tree) or ""

    assert "?" in said, "names its question"
    assert re.search(r"\bemits\b", said, re.IGNORECASE), "says what evidence it emits, if any"
    assert re.search(r"\breads\b", said, re.IGNORECASE), "says what evidence it reads"
    assert len(tree.body) == 1, "holds no code"


@pytest.mark.parametrize("path", SLICES, ids=NAMES)
def test_a_manifest_is_named_as_its_folder_and_its_menu_asks_for_known_actions(path):
    manifest = importlib.import_module(path).MANIFEST

    assert manifest.package == f"alcaide.slices.{manifest.name}"
    assert manifest.question.endswith("?")
    assert all("." in action.name for action in manifest.actions)
    known = {action.name for one in manifests() for action in one.actions}
    assert {item.action for item in manifest.nav} <= known


def test_tables_are_named_after_their_slice_and_no_foreign_key_crosses_slices():
    from alcaide.kernel.db import metadata
    from alcaide.kernel.instance import import_tables

    import_tables(manifests())
    owners = {*NAMES, "kernel", "ledger", "jobs"}

    for table in metadata.tables.values():
        owner = table.name.partition("__")[0]
        assert owner in owners, f"`{table.name}` is named after no slice"
        for key in table.foreign_keys:
            assert key.column.table.name.partition("__")[0] == owner, f"{key} leaves its slice"


TEMPLATE_NAME = re.compile(r"""\{%-?\s*(?:extends|include|import|from)\s+["']([^"']+)["']""")


@pytest.mark.parametrize("name", NAMES)
def test_a_template_names_only_its_own_slices_templates_and_the_design_systems(name):
    folder = SOURCE / "slices" / name / "templates"
    strays = [
        f"{path.relative_to(ROOT)}: {used}"
        for path in folder.rglob("*.html")
        for used in TEMPLATE_NAME.findall(path.read_text())
        if used.partition("/")[0] not in {name, "ui"}
    ]

    assert strays == []
    if folder.is_dir():
        assert {path.name for path in folder.iterdir()} <= {name}


@pytest.mark.parametrize("name", NAMES)
def test_a_template_uses_only_its_own_static_files_and_the_design_systems(name):
    used = re.compile(r"""(?:static_url|has_static)\(\s*["']([^"']+)["']""")
    strays = [
        f"{path.relative_to(ROOT)}: {file}"
        for path in (SOURCE / "slices" / name / "templates").rglob("*.html")
        for file in used.findall(path.read_text())
        if file.partition("/")[0] not in {name, "ui"}
    ]

    assert strays == []


# What the content security policy would refuse in a browser is refused here, where it is found sooner.
FORBIDDEN_MARKUP = {
    "an inline script": re.compile(
        r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/(?:json|ld\+json)\")[^>]*>", re.IGNORECASE
    ),
    "an inline style sheet": re.compile(r"<style\b", re.IGNORECASE),
    "an inline style": re.compile(r"<[a-z][^>]*\sstyle\s*=", re.IGNORECASE),
    "an inline handler": re.compile(r"<[a-z][^>]*\son[a-z]+\s*=\s*[\"']", re.IGNORECASE),
    "a javascript: address": re.compile(r"(?:href|src|action)\s*=\s*[\"']\s*javascript:", re.IGNORECASE),
    "something from another host": re.compile(
        r"<(?:script|link|img|iframe)[^>]*(?:src|href)\s*=\s*[\"'](?:https?:)?//", re.IGNORECASE
    ),
}


@pytest.mark.parametrize("what", FORBIDDEN_MARKUP)
def test_no_template_holds_what_the_content_policy_refuses(what):
    strays = [
        f"{path.relative_to(ROOT)}: {found.group()[:80]}"
        for path in SOURCE.rglob("*.html")
        for found in FORBIDDEN_MARKUP[what].finditer(path.read_text())
    ]

    assert strays == []


def test_every_form_that_posts_carries_its_token():
    form = re.compile(r"<form\b[^>]*method=\"post\"[^>]*>(.{0,200})", re.IGNORECASE | re.DOTALL)
    strays = [
        f"{path.relative_to(ROOT)}: {found.group()[:100]}"
        for path in SOURCE.rglob("*.html")
        for found in form.finditer(path.read_text())
        if "csrf_field()" not in found.group(1)
    ]

    assert strays == []


# ── What can go stale is checked ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", sorted((SOURCE / "predicates").glob("*.py")), ids=lambda p: p.stem)
def test_every_predicate_has_its_page(path):
    types = set(re.findall(r"\"(urn:alcaide:([a-z0-9-]+):v\d+)\"", path.read_text()))
    for urn, name in types:
        page = ROOT / "docs/predicates" / f"{name}.md"
        assert page.is_file(), f"{urn} has no page at {page.relative_to(ROOT)}"
        assert urn in page.read_text()


def test_every_page_about_a_predicate_is_about_one_that_exists():
    known = set()
    for path in SOURCE.rglob("*.py"):
        known |= set(re.findall(r"urn:alcaide:([a-z0-9-]+):v\d+", path.read_text()))
    pages = {path.stem for path in (ROOT / "docs/predicates").glob("*.md")} - {"README", "index"}

    assert pages <= known


def test_every_setting_says_what_it_is_for():
    from alcaide.app.settings import declared

    assert [name for name, _, doc in declared() if len(doc) < 10] == []


def test_the_reference_in_docs_is_what_the_code_says():
    """`make docs` rebuilds it; a change of a command, a setting or the API brings its reference along."""
    from tools.build_docs import stale

    assert stale() == []


def test_every_link_between_documents_leads_somewhere():
    from tools.build_docs import dead_links

    assert dead_links() == []


# ── Locks ────────────────────────────────────────────────────────────────────────────────────────────────────────

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("path", LOCKS, ids=lambda p: p.name)
def test_a_lock_pins_hashes_and_names_no_registry(path):
    text = path.read_text()
    pins = re.findall(r"^[A-Za-z0-9._-]+==[^\s\\;]+", text, re.MULTILINE)

    assert pins
    assert text.count("--hash=sha256:") >= len(pins)
    assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links|--trusted-host", text) == []


def test_no_lock_that_embeds_registry_addresses_is_kept():
    kept = [
        path.relative_to(ROOT)
        for name in ("uv.lock", "pylock.toml", "poetry.lock")
        for path in ROOT.glob(name)
        if not _ignored(path)
    ]
    resolved = [
        path.relative_to(ROOT)
        for path in ROOT.glob("*/package-lock.json")
        if '"resolved"' in path.read_text()
    ]

    assert kept == []
    assert resolved == []


def _ignored(path: Path) -> bool:
    return path.name in (ROOT / ".gitignore").read_text().split()


@pytest.mark.parametrize("name", ["run", "dev"])
def test_a_lock_holds_every_dependency_that_pyproject_declares(name):
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = list(project["project"]["dependencies"])
    if name == "dev":
        declared += project["dependency-groups"]["dev"]
        declared += [one for extra in project["project"]["optional-dependencies"].values() for one in extra]
    wanted = {re.split(r"[\[<>=!~; ]", one, maxsplit=1)[0].lower().replace("_", "-") for one in declared}
    locked = set(
        re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / f"requirements/{name}.txt").read_text(), re.MULTILINE)
    )

    assert wanted - {one.lower().replace("_", "-") for one in locked} == set()


def test_run_and_dev_pin_the_same_versions():
    def pins(name: str) -> dict[str, str]:
        return dict(
            re.findall(
                r"^([A-Za-z0-9._-]+)==([^\s\\;]+)",
                (ROOT / f"requirements/{name}.txt").read_text(),
                re.MULTILINE,
            )
        )

    run, dev = pins("run"), pins("dev")

    assert {name: version for name, version in run.items() if dev.get(name) != version} == {}

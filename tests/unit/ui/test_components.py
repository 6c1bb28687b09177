"""Every component renders in every state, escapes what it is given, and uses only what the style sheet knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from alcaide.kernel.policy.verdict import Failed, Passed, Unknown
from alcaide.ui import Look
from alcaide.ui.environment import UI_TEMPLATES, build_environment
from tests.unit.ui.site import KEY, a_site

SOURCE = Path(__file__).parents[3] / "src" / "alcaide"
COMPONENTS = (UI_TEMPLATES / "ui" / "components.html").read_text(encoding="utf-8")
CSS = (SOURCE / "ui" / "static" / "alcaide.css").read_text(encoding="utf-8")
HOSTILE = "<script>alert('x')</script>\"'&"


@pytest.fixture(scope="module")
def environment():
    return build_environment(Look(cookie_key=KEY))


@pytest.fixture
def say(environment):
    def render(expression: str, **context: object) -> str:
        names = ", ".join(re.findall(r"{% macro (\w+)", COMPONENTS))
        source = f'{{% from "ui/components.html" import {names} %}}{expression}'
        return environment.from_string(source).render(**context)

    return render


def test_the_gallery_shows_every_macro():
    gallery = (UI_TEMPLATES / "ui" / "gallery.html").read_text(encoding="utf-8")
    inner = {"attributes", "below", "described", "breadcrumbs"}  # parts of others
    missing = [
        name
        for name in re.findall(r"{% macro (\w+)", COMPONENTS)
        if name not in inner and not re.search(rf"\b{name}\b", gallery)
    ]
    assert missing == []


def test_the_readme_names_every_macro_and_filter():
    readme = (SOURCE / "ui" / "README.md").read_text(encoding="utf-8")
    from alcaide.ui.filters import FILTERS

    inner = {"attributes", "below", "described"}
    names = set(re.findall(r"{% macro (\w+)", COMPONENTS)) - inner | set(FILTERS)
    assert sorted(name for name in names if f"{name}" not in readme) == []


@pytest.mark.parametrize(
    "call",
    [
        "tag(x, href=x, title=x)",
        'person(x, href="/p", sub=x)',
        'badge("failed", x, title=x)',
        "digest(x, href=x)",
        'subject_name(x, href="/s")',
        'button(x, href="/b", attrs={"title": x})',
        "button(x, name=x, value=x)",
        'field(x, "n", x, hint=x, errors={"n": x}, placeholder=x, list=[x])',
        'textarea(x, "n", x, errors={"n": x})',
        'select(x, "n", [(x, x)], x)',
        'choices(x, "n", [(x, x, x)], x)',
        'form_errors({"n": x})',
        'callout("info", x, x)',
        'flash("danger", x)',
        "stat(x, x, sub=x)",
        "code(x)",
        "json_view({x: x})",
        'diff("", x)',
        "changes([(x, x, x)])",
        "facts([(x, x)])",
        'tabs([(x, "/t", 1)])',
        'breadcrumbs([(x, "/c")])',
        "search_input(x)",
        'select_filter(x, "n", [(x, x)], x)',
        'timeline([{"at": "2026-01-01T00:00:00Z", "title": x, "actor": x, "text": x}])',
        "stages([x], x)",
        "pagination(1, noun=x)",
        "progress(1, text=x)",
        "empty(x, x) if false else tag(x)",
    ],
)
def test_nothing_given_to_a_component_becomes_markup(say, call):
    text = say("{{ " + call + " }}", x=HOSTILE)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text or "&lt;scrip" in text or "&lt;SCRIPT" in text
    assert not re.search(r'="[^"]*<script', text)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (Passed((1,)), "Passed"),
        (Failed("no"), "Failed"),
        (Unknown("who knows"), "Unknown"),
        ("waived", "Waived"),
        ("neutral", "None"),
        ("something new", "Unknown"),
    ],
)
def test_a_badge_says_its_verdict_in_words(say, given, word):
    assert f"<span>{word}</span>" in say("{{ badge(v) }}", v=given)


def test_a_verdict_links_the_leaves_it_stood_on_and_counts_the_rest(say):
    text = say("{{ verdict(v) }}", v=Failed("a reason", tuple(range(20))))
    assert text.count('class="leaf"') == 12
    assert "and 8 more" in text
    assert "a reason" in text


def test_a_missing_name_is_an_error_and_not_an_empty_place(environment):
    import jinja2

    with pytest.raises(jinja2.UndefinedError):
        environment.from_string("{{ ownr }}").render(owner="x")


def test_a_table_keeps_the_other_parameters_when_it_sorts():
    text = TestClient(a_site()).get("/-/design?owner=ines&sort=name&cursor=abc").text
    assert 'href="/-/design?owner=ines&amp;sort=-name"' in text
    assert 'href="/-/design?owner=ines&amp;sort=components"' in text
    assert 'aria-sort="ascending"' in text


def test_no_template_needs_what_the_content_policy_refuses():
    """Inline handlers, styles and scripts; JSON blocks are data and allowed."""
    bad = re.compile(
        r"""<style|\sstyle=|\son[a-z]+=["']|javascript:|<script(?![^>]*(\bsrc=|application/json))""",
        re.IGNORECASE,
    )
    found = [
        f"{file.relative_to(SOURCE)}: {match[0]}"
        for file in SOURCE.rglob("*.html")
        for match in bad.finditer(re.sub(r"{#.*?#}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL))
    ]
    assert found == []


def test_every_post_form_carries_the_token():
    found = []
    for file in SOURCE.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        for form in re.finditer(
            r"""<form\b[^>]*method=["']post["'][^>]*>(.{0,120})""", text, re.IGNORECASE | re.DOTALL
        ):
            if "csrf_field()" not in form[1]:
                found.append(str(file.relative_to(SOURCE)))
    assert found == []


def test_templates_use_only_classes_the_style_sheet_has():
    """A class that nothing styles is a slip, or a component that was forgotten here."""
    # A slice may bring a sheet of its own for what only its pages draw.
    sheets = CSS + "".join(sheet.read_text("utf-8") for sheet in SOURCE.glob("slices/*/static/*.css"))
    known = set(re.findall(r"\.([a-zA-Z_][\w-]*)", re.sub(r"url\([^)]*\)", "", sheets)))
    found = set()
    for file in SOURCE.rglob("*.html"):
        text = re.sub(r"{#.*?#}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        for value in re.findall(r'\bclass="([^"{}]+)"', text):
            found |= {
                f"{file.relative_to(SOURCE)}: {name}" for name in value.split() if name not in known | MARKS
            }
    assert sorted(found) == []


MARKS = {"input", "menu-form", "menu-button", "filter-submit", "diff-table", "same", "shortcuts"}
"""Hooks that need no rule of their own."""


def test_style_sheet_and_script_stay_small():
    assert len(CSS.encode()) < 60_000
    assert (SOURCE / "ui" / "static" / "alcaide.js").stat().st_size < 15_000


def test_every_verdict_colour_can_be_read_on_its_ground_in_both_themes():
    tokens = dict(re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (?:#[0-9a-f]{6})\)", CSS))
    dark = dict(re.findall(r"--([\w-]+): light-dark\(#[0-9a-f]{6}, (#[0-9a-f]{6})\)", CSS))
    pairs = [
        (name, f"{name}-soft")
        for name in ("passed", "failed", "unknown", "waived", "neutral", "info", "accent")
    ]
    grounds = ("bg", "surface", "raised", "sunken", "hover")
    pairs += [(name, ground) for name in ("text", "muted", "link") for ground in grounds]
    pairs += [(name, "surface") for name in ("passed", "failed", "unknown", "waived")]
    pairs += [("on-ink", "ink"), ("on-ink", "ink-hover"), ("muted", "neutral-soft")]
    low = {
        f"{front} on {back}: {contrast(theme[front], theme[back]):.2f}"
        for theme in (tokens, dark)
        for front, back in pairs
        if contrast(theme[front], theme[back]) < 4.5
    }
    assert low == set()


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance of sRGB."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)

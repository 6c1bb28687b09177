"""Forms that ask for more than a line: a role, the columns of a file, the end of a key. Looked at as they are used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alcaide.kernel.access import Actor
from alcaide.kernel.instance import Instance
from alcaide.slices.evidence import service as evidence
from tests.slices.evidence.signers import Signer


@pytest.mark.slow
def test_a_role_is_made_in_a_browser(
    instance: Instance, browser_page: Callable[..., Any], check_page: Callable[..., Any]
) -> None:
    page = browser_page("admin")
    check_page(page, "/access/roles", name="roles-empty")
    check_page(page, "/access/roles/new", name="role-form")
    page.get_by_label("Name", exact=True).fill("release-robot")
    page.get_by_label("What it is for").fill("Attests what the pipeline has built")
    page.locator('input[value="evidence.attest"]').check()
    page.locator('input[value="evidence.view"]').check()
    page.get_by_label("Why").fill("the pipeline needs no more")
    page.get_by_role("button", name="Keep the role").click()
    page.wait_for_load_state()
    assert "is kept" in page.locator("#messages").inner_text()
    check_page(page, "/access/roles", name="roles-one")
    check_page(page, "/access/rules", name="rules-with-own-role")


@pytest.mark.slow
def test_columns_of_a_file_are_given_their_meaning_in_a_browser(
    tmp_path: Path, browser_page: Callable[..., Any], check_page: Callable[..., Any]
) -> None:
    rows = "\n".join(f"Assistant {n};answers letters of kind {n};Ada;47{n}" for n in range(5))
    (tmp_path / "theirs.csv").write_text(f"Werkzeug;Wozu;Chef;Nr\n{rows}\n;;Bo;1\n", encoding="utf-8")
    page = browser_page("admin")
    page.goto("/inventory/import")
    page.get_by_label("CSV file with systems").set_input_files(tmp_path / "theirs.csv")
    page.get_by_role("button", name="See what it would do").click()
    page.wait_for_load_state()
    check_page(page, name="columns-asked")
    for column, field in (("Werkzeug", "title"), ("Wozu", "purpose"), ("Chef", "owner")):
        page.get_by_label(f"{column} stands for").select_option(field)
    page.get_by_role("button", name="Read it so").click()
    page.wait_for_load_state()
    check_page(page, name="columns-given")
    page.get_by_role("button", name="Write 5 rows").click()
    page.wait_for_load_state()
    assert "5 registered, 0 changed, 1 rejected" in page.locator("#messages").inner_text()


@pytest.mark.slow
def test_the_end_of_a_key_is_told_in_a_browser(
    instance: Instance, admin: Actor, browser_page: Callable[..., Any], check_page: Callable[..., Any]
) -> None:
    evidence.trust_key(instance, admin, "their-ci", Signer().pem, note="handed over in person")
    page = browser_page("security-lead")
    check_page(page, "/evidence/keys", name="keys-one")
    page.get_by_role("link", name="No longer trust").click()
    page.wait_for_load_state()
    check_page(page, name="key-end")
    page.get_by_label("It was in other hands").check()
    page.get_by_label("Reason").fill("the laptop was stolen")
    page.get_by_role("button", name="No longer trust it").click()
    page.wait_for_load_state()
    assert "unknown to every requirement" in page.locator("#messages").inner_text()

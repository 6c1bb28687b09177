"""The gallery in a real browser: every component, wide and narrow, light and dark, by pointer and by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from alcaide.ui import render
from tests.functional.conftest import watched
from tests.unit.ui.site import a_site


@pytest.fixture
def page(browser: Any, serve: Callable[[Any], str]) -> Iterator[Any]:
    context = browser.new_context(base_url=serve(a_site()), reduced_motion="reduce")
    yield watched(context.new_page())
    context.close()


def test_every_component_stands_in_both_themes_and_widths(page, check_page):
    check_page(page, "/-/design", name="design")


def test_open_menus_dialogs_and_the_drawer_stand_too(page, check_page):
    def open_all(page: Any) -> None:
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")

    check_page(page, "/-/design", name="design-open", prepare=open_all)
    page.goto("/-/design")
    page.get_by_role("button", name="Open a dialog").click()
    check_page(page, name="design-dialog")
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Menu").click()
    assert page.get_by_role("link", name="Systems").is_visible()


def test_an_error_page_says_which_rule_and_whose(page, check_page):
    check_page(page, "/-/design/denied", name="denied", status=403)
    assert page.get_by_text("approver-is-not-requester").is_visible()


def test_the_theme_is_kept_and_comes_from_the_server(page):
    page.emulate_media(color_scheme="light")
    page.goto("/-/design")
    page.get_by_role("button", name="Switch between light and dark").first.click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    body = page.goto("/-/design").text()
    assert '<html lang="en" data-theme="dark">' in body


def test_the_keyboard_searches_explains_and_goes(page):
    page.goto("/-/design")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.type("g i /")
    assert page.url.endswith("/-/design")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    assert page.locator("dialog[open]").get_by_text("Systems").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/inventory")


def test_single_keys_can_be_switched_off(page):
    page.goto("/-/design")
    page.keyboard.press("?")
    page.get_by_label("Single keys do this on this device").uncheck()
    page.reload()
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 0


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("<p>fine</p>", ""),
        ('<p class="planted">wide</p>', "wider than the window"),
        ('<img src="/static/ui/mark.svg">', "axe critical image-alt"),
        ('<input type="text">', "axe critical label"),
        ("<script>1</script>", "Content Security Policy"),
        ('<p style="color:red">red</p>', "Content Security Policy"),
        ('<img src="/nowhere.svg" alt="">', "404"),
        ('<script src="http://elsewhere.invalid/x.js"></script>', "elsewhere.invalid"),
    ],
)
def test_the_look_at_a_page_finds_what_is_planted(browser, serve, check_page, tmp_path, body, found):
    """The check bites: each fault it is for is planted once and found, and a sound page passes."""
    folder = tmp_path / "planted"
    folder.mkdir()
    source = '{% extends "ui/base.html" %}{% block content %}<h1>Planted</h1>{{ body|safe }}{% endblock %}'
    (folder / "page.html").write_text(source)
    app = a_site(more_templates={"planted": tmp_path})
    # A long word that may not break, in a class that the style sheet has.
    body = body.replace('class="planted">wide', 'class="nowrap">' + "wide" * 200)
    app.add_route("/planted", lambda request: render(request, "planted/page.html", {"body": body}))
    context = browser.new_context(base_url=serve(app))
    page = watched(context.new_page())
    try:
        if found:
            with pytest.raises(AssertionError, match=found):
                check_page(page, "/planted")
        else:
            check_page(page, "/planted")
    finally:
        context.close()


def test_a_digest_is_copied_whole(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/-/design")
    page.locator(".digest .copy").first.click()
    page.wait_for_selector(".copy.done")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert len(copied) == 64


def test_a_form_is_sent_with_its_token_and_answers_with_a_message(page):
    page.goto("/-/design")
    page.get_by_role("button", name="Send").click()
    assert page.get_by_text("the example form was sent; nothing was changed").is_visible()
    page.reload()
    assert page.get_by_text("the example form was sent").count() == 0


def test_pages_work_without_script(browser, serve):
    context = browser.new_context(
        base_url=serve(a_site()), java_script_enabled=False, viewport={"width": 390, "height": 844}
    )
    page = context.new_page()
    page.goto("/-/design")
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Design").click()
    page.locator("details.confirm summary", has_text="Retire").click()
    page.locator("details.confirm[open] button").click()
    assert page.get_by_text("the example form was sent").is_visible()
    context.close()

"""What tests that drive a browser share: the application behind a port, a real Chromium, and one strict look at a page.

    def test_the_register_can_be_read(site, browser_page, check_page):
        page = browser_page("viewer")
        check_page(page, "/inventory")

`check_page` opens a page and looks at it wide and narrow, light and dark. It fails on a console message, a CSP report,
a request to another host, a page wider than its window, and on what axe-core calls serious or critical. With
`ALCAIDE_SHOTS=folder` it leaves a picture of each.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

AXE = Path(__file__).resolve().parents[2] / "ui-assets" / "dev" / "axe.min.js"
WIDTHS = {"wide": (1440, 900), "narrow": (390, 844)}
THEMES = ("light", "dark")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Serious and critical findings stop somebody from using the page; the rest axe itself calls a matter of judgement.
STOPS = {"serious", "critical"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here that opens a page drives a browser, and says so."""
    for item in items:
        if "functional" in Path(item.fspath).parts and "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real Chromium: the one of this machine, never one downloaded for the test."""
    path = next(
        (
            found
            for name in ("chromium", "chromium-browser", "google-chrome")
            if (found := shutil.which(name))
        ),
        None,
    )
    if path is None:
        pytest.skip("no Chromium on PATH; `apt-get install chromium` brings it")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield chromium
        chromium.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """`serve(app)`: the application on a free port of this machine, as real as in production; gives its address."""
    import uvicorn

    running: list[tuple[Any, threading.Thread]] = []

    def start(app: Any) -> str:
        server = uvicorn.Server(
            uvicorn.Config(
                app, host="127.0.0.1", port=0, log_level="error", lifespan="on", timeout_graceful_shutdown=2
            )
        )
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        running.append((server, thread))
        deadline = time.monotonic() + 15
        while not server.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise RuntimeError("the application did not start; look at its log above")
            time.sleep(0.01)
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(timeout=10)


@pytest.fixture
def site(app: Any, serve: Callable[[Any], str]) -> str:
    """The whole product on a port; its address."""
    return serve(app)


@pytest.fixture
def browser_page(browser: Any, site: str, client_as: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """`browser_page("viewer")`: a fresh browser window in which that person is at work; None is somebody unknown."""
    contexts: list[Any] = []

    def open_page(who: Any = "admin", **options: Any) -> Any:
        headers = {}
        if who is not None:
            headers["x-test-actor"] = client_as(who).headers["x-test-actor"]
        context = browser.new_context(
            base_url=site, extra_http_headers=headers, reduced_motion="reduce", **options
        )
        contexts.append(context)
        return watched(context.new_page())

    yield open_page
    for context in contexts:
        context.close()


def watched(page: Any) -> Any:
    """Collect from now on what a page must not do, in `page.complaints`."""
    complaints: list[str] = []

    def on_console(message: Any) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"console {message.type}: {message.text}")

    def on_request(request: Any) -> None:
        address = urlsplit(request.url)
        here = urlsplit(page.url)
        if address.scheme in {"http", "https", "ws", "wss"} and here.netloc and address.netloc != here.netloc:
            complaints.append(f"request to another host: {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
    page.on("request", on_request)
    page.complaints = complaints
    return page


@pytest.fixture
def check_page() -> Callable[..., None]:
    """`check_page(page, "/inventory", name="register")`; without a path it looks at the page as it stands."""
    if not AXE.is_file():
        pytest.skip("axe-core is not built; run `python tools/build_assets.py`")
    return look_at


def look_at(
    page: Any,
    path: str | None = None,
    *,
    name: str | None = None,
    status: int = 200,
    prepare: Callable[[Any], None] | None = None,
) -> None:
    """1. open it  2. for both widths and both themes: picture, width, axe  3. fail with everything found.

    `prepare` acts on the page before each look: opens a menu, fills a form.
    """
    problems: list[str] = []
    if path is not None:
        answer = page.goto(path)
        page.wait_for_load_state("networkidle")
        if answer.status != status:
            problems.append(f"answered {answer.status} instead of {status}")
    for width, (across, down) in WIDTHS.items():
        page.set_viewport_size({"width": across, "height": down})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            if prepare is not None:
                prepare(page)
            page.wait_for_timeout(60)  # a script that draws gets two frames to follow
            _picture(page, name or page.url, width, theme)
            problems += [f"{width} {theme}: {found}" for found in (*_overflow(page), *_axe(page))]
    expected = f"the server responded with a status of {status}"
    problems += [found for found in page.complaints if status == 200 or expected not in found]
    page.complaints.clear()
    assert not problems, f"{page.url}\n  " + "\n  ".join(dict.fromkeys(problems))


def _overflow(page: Any) -> list[str]:
    """The outermost elements that make the page wider than its window."""
    found: list[str] = page.evaluate(
        """() => {
          const room = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= room) return [];
          const name = (e) => `<${e.tagName.toLowerCase()} class="${e.className}">`;
          const reach = (e, box) => box.left + Math.max(box.width, e.scrollWidth);
          const wide = [...document.querySelectorAll("body *")]
            .filter((e) => reach(e, e.getBoundingClientRect()) > room + 1).slice(0, 4).map(name);
          return [`wider than the window by ${document.documentElement.scrollWidth - room} px: ${wide.join(", ")}`];
        }"""
    )
    return found


def _axe(page: Any) -> list[str]:
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"axe {rule['impact']} {rule['id']}: {rule['help']} at {node['target'][0]}: {_why(node)}"
        for rule in result["violations"]
        if rule["impact"] in STOPS
        for node in rule["nodes"][:4]
    ]


def _why(node: Any) -> str:
    messages = [check["message"] for kind in ("any", "all", "none") for check in node[kind]]
    return " ".join(messages)[:200]


def _picture(page: Any, name: str, width: str, theme: str) -> None:
    folder = os.environ.get("ALCAIDE_SHOTS")
    if not folder:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    plain = re.sub(r"[^a-z0-9]+", "-", urlsplit(name).path.lower()).strip("-") or "first"
    page.screenshot(path=Path(folder) / f"{plain}-{width}-{theme}.png", full_page=True)

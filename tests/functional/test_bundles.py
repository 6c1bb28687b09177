"""An auditor checks a bundle that somebody sent, in a browser; the whole one and an altered one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alcaide.kernel.access import Actor
from alcaide.kernel.instance import Instance
from alcaide.slices.evidence import service
from tests.builders import a_statement


@pytest.mark.slow
def test_a_bundle_is_checked_in_a_browser(
    instance: Instance,
    admin: Actor,
    tmp_path: Path,
    browser_page: Callable[..., Any],
    check_page: Callable[..., Any],
) -> None:
    for number in range(4):
        instance.write(
            lambda tx, n=number: tx.append(a_statement("model:fraud-scorer@3", claim=f"claim {n}"))
        )
    content = service.export_bundle(instance, admin, ["model:fraud-scorer@3"])[1]
    at = content.index(b'{"payload":"') + 40
    (tmp_path / "whole.zip").write_bytes(content)
    (tmp_path / "altered.zip").write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    page = browser_page("auditor")
    check_page(page, "/evidence/bundles", name="bundles")

    for name, said in (("whole", "Holds"), ("altered", "Refused")):
        page.get_by_label("Bundle", exact=True).set_input_files(tmp_path / f"{name}.zip")
        page.get_by_role("button", name="Check it").click()
        page.wait_for_load_state()
        assert said in page.locator("main").inner_text()
        check_page(page, name=f"bundles-{name}")

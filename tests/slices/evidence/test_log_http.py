"""The log as a stranger's client reads it: the root is rebuilt from C2SP tiles alone, and from entries alone."""

from __future__ import annotations

import base64
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.builders import a_statement

from alcaide.app.web import create_app
from alcaide.kernel.errors import NotFound
from alcaide.kernel.instance import Instance
from alcaide.slices.evidence.rules.paths import tile_name, tile_path

WIDTH = 256


def fold(hashes: list[bytes]) -> bytes:
    """RFC 6962 MTH over hashes that are given; written anew, as a stranger's client would."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    return sha256(b"\x01" + fold(hashes[:split]) + fold(hashes[split:])).digest()


def checkpoint(client: Any) -> tuple[int, bytes]:
    _, size, root, *_ = client.get("/log/checkpoint").text.split("\n")
    return int(size), base64.b64decode(root)


def tiles(client: Any, level: int, count: int) -> list[bytes]:
    """The `count` hashes of a level, by the paths that the specification gives."""
    found: list[bytes] = []
    for index in range(-(-count // WIDTH)):
        width = min(WIDTH, count - index * WIDTH)
        partial = f".p/{width}" if width < WIDTH else ""
        answer = client.get(f"/log/tile/{level}/{tile_name(index)}{partial}")
        assert answer.status_code == 200, answer.text
        assert len(answer.content) == 32 * width
        assert "immutable" in answer.headers["cache-control"]
        found += [answer.content[i : i + 32] for i in range(0, len(answer.content), 32)]
    return found


def root_from_upper_tiles(client: Any, size: int) -> bytes:
    """From full tiles' roots at level 1 and the partial tile at level 0, as a client that saves requests does."""
    full, rest = divmod(size, WIDTH)
    rows = tiles(client, 1, full) if full else []
    leaves = tiles(client, 0, size)[full * WIDTH :] if rest else []

    def mth(start: int, end: int) -> bytes:
        if start % WIDTH == 0 and end - start == WIDTH:
            return rows[start // WIDTH]
        if end - start < WIDTH and start >= full * WIDTH:
            return fold(leaves[start - full * WIDTH : end - full * WIDTH])
        split = start + (1 << ((end - start - 1).bit_length() - 1))
        return sha256(b"\x01" + mth(start, split) + mth(split, end)).digest()

    return mth(0, size)


def filled(instance: Instance, leaves: int) -> None:
    instance.write(lambda tx: [tx.append(a_statement(f"model:m{n}@1", n=n)) for n in range(leaves - tx.size)])


@pytest.mark.parametrize("size", [2, 3, 255, 256, 257, 700])
def test_the_root_is_rebuilt_from_tiles_alone(client: Any, instance: Instance, size: int):
    filled(instance, size)
    claimed, root = checkpoint(client)

    assert claimed == size
    assert fold(tiles(client, 0, size)) == root
    assert root_from_upper_tiles(client, size) == root


def test_the_root_is_rebuilt_from_entries_alone(client: Any, instance: Instance):
    filled(instance, 300)
    size, root = checkpoint(client)
    hashes = []
    for path in ("000", "001.p/44"):
        body = client.get(f"/log/tile/entries/{path}").content
        while body:
            length = int.from_bytes(body[:2], "big")
            hashes.append(sha256(b"\0" + body[2 : 2 + length]).digest())
            body = body[2 + length :]

    assert len(hashes) == size
    assert fold(hashes) == root


@pytest.mark.parametrize(
    "path",
    [
        "0/001",
        "0/000",
        "0/000.p/3",
        "1/000.p/1",
        "8/000.p/1",
        "00/000.p/1",
        "0/0.p/1",
        "x/000.p/1",
        "entries/001",
    ],
)
def test_a_tile_that_is_not_there_is_not_found(client: Any, path: str):
    assert client.get(f"/log/tile/{path}").status_code == 404


def test_a_checkpoint_is_for_everybody_and_tiles_are_not(app: Any):
    stranger = TestClient(app, base_url="http://127.0.0.1:8808", headers={"accept": "application/json"})

    assert stranger.get("/log/checkpoint").status_code == 200
    for path in ("/log/tile/0/000.p/1", "/log/tile/entries/000.p/1"):
        assert stranger.get(path, follow_redirects=False).status_code in (303, 401)


def test_a_log_that_the_settings_make_public_is_open_to_strangers(instance: Instance):
    instance.config = replace(instance.config, public_log=True)
    stranger = TestClient(create_app(instance), base_url="http://127.0.0.1:8808")

    assert fold(tiles(stranger, 0, checkpoint(stranger)[0])) == checkpoint(stranger)[1]
    assert stranger.get("/log/tile/entries/000.p/1").status_code == 200


def test_an_entry_too_long_for_the_format_says_where_to_get_it(client: Any, instance: Instance):
    instance.write(lambda tx: tx.append(a_statement("model:a@1", text="x" * 70_000)))

    answer = client.get("/log/tile/entries/000.p/2")

    assert answer.status_code == 413
    assert "/evidence/leaves/1/envelope" in answer.text


@pytest.mark.parametrize(
    ("index", "name"), [(0, "000"), (67, "067"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067")]
)
def test_tile_paths_are_those_of_the_specification(index: int, name: str):
    assert tile_name(index) == name
    assert tile_path(name) == (index, 256)
    assert tile_path(f"{name}.p/12") == (index, 12)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "0",
        "67",
        "x001",
        "001/002",
        "x000/067",
        "000.p/0",
        "000.p/256",
        "000.p/01",
        "000.p/",
        "../000",
        "00a",
        "٠٠٠",
    ],
)
def test_other_spellings_are_no_tiles(path: str):
    with pytest.raises(NotFound):
        tile_path(path)

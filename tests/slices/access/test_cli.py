"""`alcaide access`: the console has an administrator's rights, and the log says that it was the console."""

from __future__ import annotations

import json

import pytest
from tests.conftest import installed
from tests.slices.access.people import HERE, PASSWORD

from alcaide.app.cli import run
from alcaide.kernel.instance import open_instance
from alcaide.slices.access import queries, service


@pytest.fixture
def data(config, monkeypatch):
    """A data folder whose tables are made from their declarations, as everywhere in these tests."""
    open_instance(config, manifests=installed(), migrate=False).close()
    monkeypatch.setattr("alcaide.kernel.instance.upgrade", lambda database: None)
    monkeypatch.setattr("alcaide.app.slices.manifests", installed)
    return str(config.data)


@pytest.fixture
def reopened(config, data):
    opened = []

    def reopen():
        opened.append(open_instance(config, manifests=installed()))
        return opened[-1]

    yield reopen
    for one in opened:
        one.close()


@pytest.fixture
def alcaide(config, data, capsys, monkeypatch):
    monkeypatch.setenv("ALCAIDE_DATA", data)
    monkeypatch.setenv("ALCAIDE_DATABASE_URL", config.database_url)

    def call(*words):
        code = run(["access", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_an_account_from_the_console_to_a_password(alcaide, reopened):
    code, out, _ = alcaide(
        "user", "add", "ada@example.org", "--name", "Ada", "--role", "admin", "--role", "auditor"
    )
    assert code == 0
    key = out.strip().rpartition("key=")[2]

    instance = reopened()
    service.use_link(instance, key, password=PASSWORD, visitor=HERE)
    with instance.read() as conn:
        created = queries.list_events(conn, event="user-created").items[0]
    assert (created.by_kind, created.by_id) == ("system", "cli")

    _, out, _ = alcaide("user", "list", "--format", "json")
    assert [(user["email"], user["roles"]) for user in json.loads(out)] == [
        ("ada@example.org", ["admin", "auditor"])
    ]


def test_roles_disabling_and_enabling(alcaide):
    alcaide("user", "add", "ada@example.org", "--name", "Ada", "--role", "viewer")

    assert alcaide("user", "role", "ada@example.org", "auditor", "approver", "--reason", "new job")[0] == 0
    assert alcaide("user", "disable", "ada@example.org", "--reason", "left")[0] == 0
    _, out, _ = alcaide("user", "list", "--state", "disabled")
    assert "approver, auditor" in out
    assert alcaide("user", "enable", "ada@example.org", "--reason", "back")[0] == 0


def test_a_token_is_alone_on_standard_output(alcaide, reopened):
    alcaide("user", "add", "ml@example.org", "--name", "Pipeline", "--service", "--role", "ml-engineer")

    code, out, err = alcaide(
        "token", "create", "ml@example.org", "--name", "ci", "--scope", "*.view", "--life", "7d"
    )

    assert code == 0
    assert "only time" in err
    assert service.who(reopened(), authorization=f"Bearer {out.strip()}", cookies={}).signed_in
    _, out, _ = alcaide("token", "list", "ml@example.org", "--format", "json")
    token_id = json.loads(out)[0]["id"]
    assert alcaide("token", "revoke", token_id)[0] == 0
    assert "revoked" in alcaide("token", "list", "ml@example.org")[1]


def test_a_reset_link_is_the_way_back_in(alcaide):
    alcaide("user", "add", "ada@example.org", "--name", "Ada", "--role", "admin")

    code, out, _ = alcaide("reset-link", "ada@example.org")

    assert code == 0
    assert "/set-password?key=" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("user", "disable", "nobody@example.org", "--reason", "x"), "no user has"),
        (("user", "add", "nonsense", "--name", "X"), "not an e-mail address"),
        (("user", "add", "a@example.org", "--name", "X", "--role", "king"), "`king` is no role"),
        (("token", "create", "nobody@example.org", "--name", "x", "--scope", "*"), "no user has"),
        (("token", "revoke", "nothing"), "no token has"),
        (("remove-second-factor", "nobody@example.org", "--reason", "x"), "no user has"),
        (("user", "list", "--data", "/nowhere/at/all"), "no data folder"),
        (
            (
                "user",
                "lost",
            ),
            "",
        ),
    ],
)
def test_what_cannot_be_done_ends_with_three_and_words(alcaide, words, says):
    code, out, err = alcaide(*words)

    assert code == 3
    assert says in err
    assert "Traceback" not in err + out


def test_the_last_administrator_stays_even_at_the_console(alcaide):
    alcaide("user", "add", "ada@example.org", "--name", "Ada", "--role", "admin")

    code, _, err = alcaide("user", "disable", "ada@example.org", "--reason", "x")

    assert code == 3
    assert "last administrator" in err

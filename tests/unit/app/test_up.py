"""The supervisor: what it refuses before it starts anything, and how it keeps children running."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alcaide.app import up
from alcaide.app.up import Child, Supervisor, pause_after
from alcaide.kernel.config import Config
from alcaide.kernel.errors import ConfigError, Conflict

SLEEPS = "import time; time.sleep(60)"
DIES = "raise SystemExit(7)"
IGNORES_STOP = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('ready', flush=True); time.sleep(60)"
)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data=tmp_path / "data", port=0)


@pytest.fixture
def running() -> Iterator[Callable[..., Supervisor]]:
    made: list[Supervisor] = []

    def make(*programs: str, vital: bool = False) -> Supervisor:
        children = [
            Child(f"child-{n}", [sys.executable, "-c", p], os.environ, vital=vital)
            for n, p in enumerate(programs)
        ]
        supervisor = Supervisor(children, threading.Event())
        made.append(supervisor)
        return supervisor

    yield make
    for supervisor in made:
        for child in supervisor.children:
            if child.process is not None:
                child.process.kill()
                child.process.wait()


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)


def test_two_supervisors_cannot_have_one_data_folder(config):
    with up._claimed(config.data), pytest.raises(Conflict) as refused, up._claimed(config.data):
        pass

    assert f"process {os.getpid()}" in str(refused.value)
    assert "--data" in str(refused.value)


def test_a_folder_is_free_again_when_its_supervisor_ends(config):
    with up._claimed(config.data):
        pass
    with up._claimed(config.data):
        assert (config.data / "up.pid").read_text() == f"{os.getpid()}\n"


def test_a_pid_that_a_killed_supervisor_left_behind_claims_nothing(config):
    config.data.mkdir()
    (config.data / "up.pid").write_text("1\n")

    with up._claimed(config.data):
        pass


def test_the_data_folder_is_made_for_its_owner_alone(config):
    with up._claimed(config.data):
        assert config.data.stat().st_mode & 0o077 == 0


def test_a_data_folder_that_cannot_be_made_is_said_so(tmp_path):
    (tmp_path / "file").touch()

    with (
        pytest.raises(ConfigError, match="another folder with --data"),
        up._claimed(tmp_path / "file" / "data"),
    ):
        pass


def test_a_port_in_use_is_said_before_anything_is_started(config):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        taken = dataclasses.replace(config, port=port)

        with pytest.raises(ConfigError, match=f"port {port} on `127.0.0.1` is in use"), up._listening(taken):
            pass


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host"])
def test_an_address_that_is_not_this_machines_is_said_so(config, host):
    with pytest.raises(ConfigError, match=f"`{host}`"), up._listening(dataclasses.replace(config, host=host)):
        pass


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({"host": "127.0.0.1"}, "http://127.0.0.1:8808"),
        ({"host": "0.0.0.0"}, "http://127.0.0.1:8808"),
        ({"host": "::1"}, "http://[::1]:8808"),
        ({"public_url": "https://alcaide.test/"}, "https://alcaide.test"),
    ],
)
def test_the_address_to_open_is_one_a_browser_can_open(config, settings, address):
    assert up._address(dataclasses.replace(config, port=8808, **settings)) == address


def test_the_pause_before_a_new_start_doubles_and_is_bounded():
    assert [pause_after(n) for n in (1, 2, 3, 4, 20)] == [0.5, 1.0, 2.0, 4.0, 30.0]


def test_a_child_that_is_killed_is_started_again(running):
    supervisor = running(SLEEPS)
    supervisor.start()
    (child,) = supervisor.children
    first = child.process.pid

    child.process.kill()
    until(lambda: supervisor.look() or (child.process is not None and child.process.pid != first))

    assert child.deaths == 1
    supervisor.stop()


def test_a_child_that_ran_long_enough_has_its_deaths_forgotten(running, monkeypatch):
    supervisor = running(DIES)
    supervisor.start()
    (child,) = supervisor.children
    child.deaths = 5
    child.started_at -= up.PROVEN_AFTER

    until(lambda: supervisor.look() or child.deaths == 1)

    assert child.start_again_at is not None


def test_a_vital_child_that_keeps_dying_stops_everything(running, monkeypatch):
    monkeypatch.setattr(up, "FIRST_PAUSE", 0.01)
    supervisor = running(DIES, vital=True)
    supervisor.start()

    assert supervisor.wait_until(lambda: False) is False
    assert supervisor.gave_up
    assert supervisor.children[0].deaths == up.DEATHS_BEFORE_GIVING_UP


def test_a_child_that_is_not_vital_may_die_as_often_as_it_likes(running, monkeypatch):
    monkeypatch.setattr(up, "FIRST_PAUSE", 0.01)
    supervisor = running(DIES)
    supervisor.start()

    until(lambda: supervisor.look() or supervisor.children[0].deaths > up.DEATHS_BEFORE_GIVING_UP)

    assert not supervisor.gave_up


def test_a_stop_ends_every_child_quickly(running):
    supervisor = running(SLEEPS, SLEEPS)
    supervisor.start()
    processes = [child.process for child in supervisor.children]
    began = time.monotonic()

    supervisor.stop()

    assert [process.returncode for process in processes] == [-signal.SIGTERM, -signal.SIGTERM]
    assert time.monotonic() - began < 5


def test_a_child_that_ignores_the_stop_is_ended(running, monkeypatch):
    monkeypatch.setattr(up, "STOP_WITHIN", 0.3)
    supervisor = running(IGNORES_STOP)
    supervisor.start()
    (child,) = supervisor.children
    time.sleep(0.3)  # long enough to have set its mind; if not, it ends by the first signal all the same

    supervisor.stop()

    assert child.process.returncode in (-signal.SIGKILL, -signal.SIGTERM)


def test_a_child_whose_supervisor_is_gone_stops_by_itself():
    with up._lifeline() as lifeline:
        program = (
            f"import os, time; os.environ['{up.LIFELINE_VARIABLE}'] = '{lifeline}'\n"
            "from alcaide.app.up import watch_lifeline; watch_lifeline(); time.sleep(60)"
        )
        child = Child("orphan", [sys.executable, "-c", program], os.environ, keep=(lifeline,))
        child.start()
        assert child.process is not None

    assert child.process.wait(10) == -signal.SIGTERM

"""The whole machine, as a person starts it: one command, real processes, real signals."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc"),
]

STARTS_WITHIN = 90  # two cores, shared with other tests; alone it takes a few seconds


@dataclass
class Machine:
    process: subprocess.Popen[str]
    address: str
    said: str
    data: Path

    def get(self, path: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(self.address + path, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def children(self) -> dict[str, int]:
        """Word after `alcaide` → pid, from /proc: what runs, whatever the supervisor believes."""
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if stat[1] == str(self.process.pid) and len(words) > 3:
                found[words[3].decode()] = int(entry.name)
        return found

    def stop(self, number: int = signal.SIGTERM) -> float:
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(60)
        return time.monotonic() - began


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.1)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Machine]]:
    started: list[subprocess.Popen[str]] = []

    def starting(data: Path = tmp_path / "data") -> Machine:
        process = subprocess.Popen(
            [sys.executable, "-m", "alcaide", "up", "--data", str(data), "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={key: value for key, value in os.environ.items() if not key.startswith("ALCAIDE_")},
        )
        started.append(process)
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        found = re.search(r"running at\s+(\S+)", said)
        assert found, f"did not start: {said}"
        return Machine(process, found.group(1), said, data)

    yield starting
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
        if process.stdout is not None:
            process.stdout.close()


def test_one_command_starts_serves_and_stops(start):
    machine = start()

    assert machine.get("/healthz")[0] == 200
    assert json.loads(machine.get("/readyz")[1])["status"] == "ready"
    assert "First sign-in" in machine.said
    assert set(machine.children()) == {"web", "worker"}
    children = machine.children().values()

    took = machine.stop()

    assert machine.process.returncode == 0
    assert took < 20
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def test_the_first_sign_in_link_opens_and_a_new_start_makes_a_new_one(start):
    first = start()
    link = re.search(r"First sign-in\s+(\S+)", first.said).group(1)
    assert first.get(link.removeprefix(first.address))[0] == 200
    first.stop()

    second = start()
    assert (
        re.search(r"First sign-in\s+(\S+)", second.said).group(1).rpartition("=")[2]
        != link.rpartition("=")[2]
    )


def test_a_killed_child_is_back_and_no_request_is_refused_meanwhile(start):
    machine = start()
    before = machine.children()

    os.kill(before["web"], signal.SIGKILL)
    status, _ = machine.get("/healthz")
    os.kill(before["worker"], signal.SIGKILL)
    until(lambda: set(machine.children()) == {"web", "worker"})

    assert status == 200
    assert set(machine.children().values()).isdisjoint(before.values())


def test_children_of_a_killed_supervisor_stop_by_themselves(start):
    machine = start()
    children = machine.children().values()

    machine.process.kill()
    machine.process.wait()

    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))


def test_a_second_start_on_the_same_folder_is_refused(start):
    machine = start()

    second = subprocess.run(
        [sys.executable, "-m", "alcaide", "up", "--data", str(machine.data), "--port", "0"],
        capture_output=True,
        text=True,
        timeout=STARTS_WITHIN,
    )

    assert second.returncode == 3
    assert f"process {machine.process.pid}" in second.stderr
    assert "Traceback" not in second.stderr


def test_ctrl_c_stops_it_as_cleanly(start):
    machine = start()

    machine.stop(signal.SIGINT)

    assert machine.process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_web_process_of_its_own_stops_in_good_order(tmp_path, number):
    port = a_free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "alcaide", "web", "--data", str(tmp_path / "data"), "--port", str(port)],
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: accepts(port), STARTS_WITHIN)

    process.send_signal(number)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 0
    assert err == ""


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_settings_that_cannot_be_used_stop_the_start_with_a_message(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "config.yaml").write_text("port: many\n")

    done = subprocess.run(
        [sys.executable, "-m", "alcaide", "up", "--data", str(data)],
        capture_output=True,
        text=True,
        timeout=STARTS_WITHIN,
    )

    assert done.returncode == 3
    assert done.stderr == "alcaide: setting `port` is `many`; write a whole number\n"


def test_a_database_of_a_newer_version_stops_the_start_with_a_message(start):
    machine = start()
    machine.stop()
    import sqlite3

    with sqlite3.connect(machine.data / "alcaide.db") as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    conn.close()

    done = subprocess.run(
        [sys.executable, "-m", "alcaide", "up", "--data", str(machine.data), "--port", "0"],
        capture_output=True,
        text=True,
        timeout=STARTS_WITHIN,
    )

    assert done.returncode == 3
    assert "install a newer Alcaide" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_logs_are_json_lines_and_name_the_requests(start):
    machine = start()
    machine.get("/healthz?secret=1")
    machine.stop()

    lines = [json.loads(line) for line in (machine.data / "logs/web.jsonl").read_text().splitlines()]
    (request,) = [
        line for line in lines if line.get("path") == "/healthz" and line["client"] and line["ms"] >= 0
    ][-1:]
    assert request["status"] == 200
    assert "secret" not in json.dumps(lines)

"""`alcaide up`: what one machine needs, started, watched, and stopped cleanly.

Three children of this process, each `python -m alcaide …`:

    prepare   migrates, makes the first key, prints the first-run link as JSON, and ends
    web       pages and API, on a socket that this process opened
    worker    background jobs

The socket is opened here, once, and handed down. So a port in use is said before anything else happens, and a web
process that is restarted after a crash finds the connections that came in meanwhile still waiting.

A child that dies is started again after a pause that doubles with each death in a row. A web process that keeps
dying before it ever answered stops everything instead: restarting does not mend a setting. The children hold the
read end of a pipe whose write end only this process has; if it is killed, they see the end of the pipe and stop.
"""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import http.client
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from alcaide.kernel.config import Config
from alcaide.kernel.errors import ConfigError, Conflict

log = logging.getLogger("alcaide.up")

SOCKET_VARIABLE = "ALCAIDE_SOCKET_FD"
LIFELINE_VARIABLE = "ALCAIDE_LIFELINE_FD"

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
# A child that ran this long before it died has shown that it can run; its deaths are counted anew.
PROVEN_AFTER = 60.0
DEATHS_BEFORE_GIVING_UP = 3
READY_WITHIN = 60.0
# The worker's own grace is 20 s; a job at a safe point needs far less.
STOP_WITHIN = 25.0
LOOK_EVERY = 0.1


def up(config: Config, say: Callable[[str], None]) -> int:
    """Run until told to stop. Returns the exit code; raises ConfigError, Conflict before anything is started.

    1. claim the data folder    2. open the port    3. prepare    4. start the children
    5. wait until a page is served, then say where    6. watch    7. stop the children, newest first
    """
    # Signals come first: from here on a stop is heard, whatever is being waited for.
    stop = _stop_on_signals()
    with _claimed(config.data), _listening(config) as listener:
        # Port 0 asked the machine for a free one; from here on everybody is told which it is.
        config = dataclasses.replace(config, port=listener.getsockname()[1])
        address = _address(config)
        first_run_link = _prepare(config, address, stop)
        with _lifeline() as lifeline:
            supervisor = Supervisor(_children(config, listener, lifeline), stop)
            try:
                supervisor.start()
                if supervisor.wait_until(lambda: _answers(listener)):
                    _introduce(config, address, first_run_link, say)
                    supervisor.watch()
            finally:
                supervisor.stop()
            return 3 if supervisor.gave_up else 0


# ── Before the children ──────────────────────────────────────────────────────────────────────────────────────────


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


@contextmanager
def _claimed(data: Path) -> Iterator[None]:
    """Hold the data folder: two supervisors on one folder would fight over its port, logs and jobs.

    The lock is the kernel's, so it goes with the process however that ends. The pid in the file is for people.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (data / "up.pid").open("a+", encoding="ascii")
    except OSError as problem:
        raise ConfigError(
            f"cannot write to `{data}` ({problem.strerror}); give another folder with --data"
        ) from None
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            pid = file.read(20).strip()
            holder = f" (process {pid})" if pid else ""
            raise Conflict(
                f"`{data}` is in use by another `alcaide up`{holder}; stop that one first, "
                "or give this one a folder of its own with --data"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
        file.truncate(0)
    finally:
        file.close()


@contextmanager
def _listening(config: Config) -> Iterator[socket.socket]:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as problem:
        raise ConfigError(
            f"`{config.host}` is no address to listen on ({problem.strerror}); change `host`"
        ) from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(2048)
        listener.set_inheritable(True)
    except OSError as problem:
        listener.close()
        raise ConfigError(_why_not_listening(config, problem)) from None
    with listener:
        yield listener


def _why_not_listening(config: Config, problem: OSError) -> str:
    match problem.errno:
        case errno.EADDRINUSE:
            return (
                f"port {config.port} on `{config.host}` is in use by another program; "
                f"stop that one, or choose another port with --port"
            )
        case errno.EACCES:
            return f"port {config.port} needs rights this account does not have; choose one above 1023 with --port"
        case errno.EADDRNOTAVAIL:
            return f"`{config.host}` is not an address of this machine; change `host`"
        case _:
            return f"cannot listen on `{config.host}` port {config.port}: {problem.strerror}"


def _prepare(config: Config, address: str, stop: threading.Event) -> str | None:
    """Migrate and make what a first run needs, in a process of its own: this one stays small.

    Returns the link for the first sign-in while nobody has an account. If the child cannot do its work it says why
    on stderr, and this ends with its exit code.
    """
    child = subprocess.Popen(
        [*_command("prepare"), "--address", address],
        env=_environment(config, {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    output: list[bytes] = []
    reader = threading.Thread(target=lambda: output.append(child.stdout.read() if child.stdout else b""))
    reader.start()
    while child.poll() is None:
        if stop.wait(LOOK_EVERY):
            child.terminate()
    reader.join()
    if child.returncode != 0 or stop.is_set():
        # The child has said why on stderr; what is left is to end with its code.
        raise SystemExit(child.returncode if child.returncode and child.returncode > 0 else 0)
    link = json.loads(output[0]).get("first_run_link")
    return link if isinstance(link, str) else None


@contextmanager
def _lifeline() -> Iterator[int]:
    """A pipe nobody writes to. Its read end is inherited; it ends when this process does."""
    read_end, write_end = os.pipe()
    os.set_inheritable(read_end, True)
    try:
        yield read_end
    finally:
        os.close(write_end)
        os.close(read_end)


def _children(config: Config, listener: socket.socket, lifeline: int) -> list[Child]:
    shared = {LIFELINE_VARIABLE: str(lifeline)}
    return [
        Child(
            "web",
            _command("web"),
            _environment(config, {**shared, SOCKET_VARIABLE: str(listener.fileno())}),
            keep=(lifeline, listener.fileno()),
            vital=True,
        ),
        Child("worker", _command("worker"), _environment(config, shared), keep=(lifeline,)),
    ]


def _command(word: str) -> list[str]:
    return [sys.executable, "-m", "alcaide", word]


def _environment(config: Config, more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment, with what the command line changed, so that a child reads the same settings."""
    chosen = {"ALCAIDE_DATA": str(config.data), "ALCAIDE_HOST": config.host, "ALCAIDE_PORT": str(config.port)}
    return {**os.environ, **chosen, **more}


# ── The children ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Child:
    """One process to keep running, and what is known about its past."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    keep: tuple[int, ...] = ()
    vital: bool = False
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0
    start_again_at: float | None = field(default=None)

    def start(self) -> None:
        """Start it in a session of its own: Ctrl-C in a terminal reaches this process alone, which then stops all."""
        self.process = subprocess.Popen(
            self.command,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            pass_fds=self.keep,
            start_new_session=True,
        )
        self.started_at = time.monotonic()
        self.start_again_at = None

    def ended(self) -> int | None:
        """The exit code, if it ended and nobody has noted it yet."""
        return self.process.poll() if self.process is not None else None


def pause_after(deaths: int) -> float:
    """Seconds to wait before the next start, after so many deaths in a row."""
    return float(min(FIRST_PAUSE * 2 ** max(deaths - 1, 0), LONGEST_PAUSE))


class Supervisor:
    """Keeps children running until told to stop."""

    def __init__(self, children: Sequence[Child], stop: threading.Event) -> None:
        self.children = children
        self.gave_up = False
        self._stop = stop

    def start(self) -> None:
        for child in self.children:
            child.start()

    def wait_until(self, ready: Callable[[], bool]) -> bool:
        """Watch until `ready` says yes. False if there is no point in waiting longer."""
        until = time.monotonic() + READY_WITHIN
        while not self._stop.wait(LOOK_EVERY):
            self.look()
            if self.gave_up:
                return False
            if ready():
                return True
            if time.monotonic() > until:
                log.error(
                    "no page was served within %d seconds; see web.jsonl in the log folder", READY_WITHIN
                )
                self.gave_up = True
                return False
        return False

    def watch(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            self.look()
            if self.gave_up:
                return

    def look(self) -> None:
        """One round: note who died, start again whose pause is over."""
        now = time.monotonic()
        for child in self.children:
            code = child.ended()
            if code is not None:
                self._note_death(child, code, now)
            if child.start_again_at is not None and now >= child.start_again_at:
                child.start()
                log.info("%s started again", child.name)

    def _note_death(self, child: Child, code: int, now: float) -> None:
        child.process = None
        child.deaths = 1 if now - child.started_at >= PROVEN_AFTER else child.deaths + 1
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        if child.vital and child.deaths >= DEATHS_BEFORE_GIVING_UP:
            log.error("%s ended %d times in a row (%s); giving up", child.name, child.deaths, how)
            self.gave_up = True
            return
        pause = pause_after(child.deaths)
        child.start_again_at = now + pause
        log.warning("%s ended (%s); starting it again in %.1f s", child.name, how, pause)

    def stop(self) -> None:
        """Ask every child to stop, and end those that do not in time."""
        running = [child for child in reversed(self.children) if child.process is not None]
        for child in running:
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        until = time.monotonic() + STOP_WITHIN
        for child in running:
            if child.process is None:
                continue
            try:
                child.process.wait(max(until - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                log.warning("%s did not stop within %d seconds; ending it", child.name, STOP_WITHIN)
                child.process.kill()
                child.process.wait()


def watch_lifeline() -> None:
    """In a child: stop, as if told to, when the supervisor is gone. Does nothing in a process started by hand."""
    descriptor = os.environ.get(LIFELINE_VARIABLE)
    if descriptor is None or not descriptor.isdecimal():
        return

    def wait_for_the_end() -> None:
        try:
            while os.read(int(descriptor), 1):
                pass
        except OSError:
            return
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_the_end, name="lifeline", daemon=True).start()


# ── What a person sees ───────────────────────────────────────────────────────────────────────────────────────────


def _address(config: Config) -> str:
    """Where to point a browser."""
    if config.public_url:
        return config.url
    host = "127.0.0.1" if config.host in {"", "0.0.0.0", "::"} else config.host  # noqa: S104 - compared, not bound
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{config.port}"


def _answers(listener: socket.socket) -> bool:
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _introduce(config: Config, address: str, first_run_link: str | None, say: Callable[[str], None]) -> None:
    say("")
    say(f"  Alcaide is running at  {address}")
    if first_run_link is not None:
        say(f"  First sign-in          {first_run_link}")
        say("                         (works once, within a day; made for whoever reads this terminal)")
    say(f"  Data and logs          {config.data}")
    if config.host not in {"127.0.0.1", "::1", "localhost"} and not config.public_url.startswith("https://"):
        say(
            "  Note                   other machines can reach this without encryption; put a TLS proxy in front"
        )
        say("                         and set `public_url` to its https address")
    say("  Stop it with           Ctrl-C")
    say("")

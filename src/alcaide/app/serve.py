"""The web process: one uvicorn on one socket, pages and API in one application."""

from __future__ import annotations

import os
import signal
import socket

from alcaide.app.instance import open_all
from alcaide.app.up import SOCKET_VARIABLE
from alcaide.kernel.config import Config

# A stop waits this long for answers under way; the supervisor waits longer.
GRACE = 8


def serve(config: Config) -> int:
    """Serve until told to stop. Takes the supervisor's socket if there is one, else opens its own."""
    import uvicorn

    from alcaide.app.web import create_app

    instance = open_all(config)
    try:
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(instance),
                host=config.host,
                port=config.port,
                log_config=None,
                access_log=False,
                server_header=False,
                # Who is asking, and over which scheme, is taken from a proxy on this machine and from no other.
                proxy_headers=True,
                forwarded_allow_ips="127.0.0.1,::1",
                timeout_keep_alive=20,
                timeout_graceful_shutdown=GRACE,
                # A request line with its headers; a longer one is an attack or a mistake.
                h11_max_incomplete_event_size=64 * 1024,
                ws="none",
            )
        )
        # The server hears a signal itself and, when it has stopped, raises it once more for whoever listened before.
        # That is us, and we want to close the instance and end in good order.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        inherited = os.environ.get(SOCKET_VARIABLE, "")
        sockets = [socket.socket(fileno=int(inherited))] if inherited.isdecimal() else None
        server.run(sockets=sockets)
        return 0 if server.started else 3
    finally:
        instance.close()

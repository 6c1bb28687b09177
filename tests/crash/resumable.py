"""A worker process with one kind of job, whose second step waits to be killed."""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from alcaide.kernel.clock import rfc3339
from alcaide.kernel.config import load_config
from alcaide.kernel.evidence import Statement, Subject
from alcaide.kernel.instance import open_instance
from alcaide.kernel.jobs import JobContext, JobKind
from alcaide.kernel.jobs.worker import Worker

KIND = "three-steps"


def three_steps(ctx: JobContext) -> dict[str, Any]:
    trace = Path(ctx.payload["trace"])

    def leave(line: str) -> str:
        with trace.open("a") as file:
            file.write(line + "\n")
        return line

    def second() -> str:
        leave("second begins")
        while not trace.with_suffix(".go").exists():
            ctx.check()
            time.sleep(0.01)
        return leave("second")

    def third(tx: Any) -> str:
        about = Subject.described("system:resumed", {"name": "resumed"})
        tx.append(Statement((about,), "urn:alcaide:crash-test:v1", {"at": rfc3339(tx.now)}))
        return leave("third")

    steps = [ctx.step("first", lambda: leave("first")), ctx.step("second", second), ctx.write("third", third)]
    return {"steps": steps}


if __name__ == "__main__":
    instance = open_instance(load_config(sys.argv[1], os.environ), manifests=(), migrate=False)
    # A lease of two seconds instead of a minute, so that nobody waits long for it to run out.
    worker = Worker(instance, [JobKind(KIND, three_steps)], lease=timedelta(seconds=2))
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    code = worker.run()
    instance.close()
    sys.exit(code)

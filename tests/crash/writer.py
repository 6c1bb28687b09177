"""A process that writes under load until it is killed. Started by `kill_loop.py`.

Eight threads write without pause. A write is one unit of work: a row of a table, and the statement that
says so. Once it is acknowledged, and not before, its name and leaf index go to the ack file, which is
synced: whatever stands there, the log and the table must hold after the kill.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading

import sqlalchemy as sa

from alcaide.kernel.clock import rfc3339
from alcaide.kernel.config import load_config
from alcaide.kernel.evidence import Statement, Subject
from alcaide.kernel.instance import Instance, open_instance
from alcaide.kernel.ledger.log import Tx

THREADS = 8
PREDICATE = "urn:alcaide:crash-test:v1"
NOTE = sa.Table(
    "crash__note",
    sa.MetaData(),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("written_by", sa.String(64)),
)


def write_forever(instance: Instance, ack: int, name: str) -> None:
    """One thread's life. Subjects repeat, so that the subject index grows deep as well as wide."""
    for number in itertools.count():
        subject = f"{name}-{number}"

        def work(tx: Tx, subject: str = subject, number: int = number) -> int:
            tx.conn.execute(NOTE.insert().values(name=subject, written_by=name))
            about = (
                Subject.described(f"system:{subject}", {"name": subject}),
                Subject.described(f"system:shared-{number % 7}", {"n": number % 7}),
            )
            return tx.append(Statement(about, PREDICATE, {"at": rfc3339(tx.now), "name": subject}))

        index = instance.write(work)
        os.write(ack, f"{subject} {index}\n".encode())
        os.fdatasync(ack)


def main(data: str, ack_path: str, name: str, environ: dict[str, str]) -> None:
    """Write until killed."""
    instance = open_instance(load_config(data, environ), manifests=(), migrate=False)
    ack = os.open(ack_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    threads = [
        threading.Thread(target=write_forever, args=(instance, ack, f"{name}-t{number}"), daemon=True)
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()  # only an error ends a thread, and then the round must fail
    sys.exit(1)

"""Is the log known to be intact, is there something to go back to?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alcaide.kernel.policy.verdict import Failed, Passed, Unknown
from alcaide.slices.operations.model import Backup, Limits, Verification
from alcaide.slices.operations.rules import backed_up, log_verified, to_remove

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LIMITS = Limits(verify_within=3 * DAY, backup_within=2 * DAY)


def a_verification(ago=timedelta(), *, intact=True, reason=""):
    return Verification("v", None, NOON - ago, NOON - ago, 10, "00", intact, None if intact else 4, reason)


def a_backup(ago=timedelta(), *, id="b", removed=False):
    return Backup(id, None, f"/backups/{id}.zip", 1, NOON - ago, 10, False, NOON if removed else None)


def test_a_recent_verification_that_held_passes():
    assert log_verified(a_verification(DAY), LIMITS, now=NOON) == Passed()


def test_a_log_nobody_verified_is_unknown_and_so_is_one_verified_long_ago():
    assert isinstance(log_verified(None, LIMITS, now=NOON), Unknown)
    assert log_verified(a_verification(4 * DAY), LIMITS, now=NOON) == Unknown("last verified 4 days ago")


def test_a_verification_that_did_not_hold_fails_however_old_it_is():
    broken = a_verification(400 * DAY, intact=False, reason="leaf 4 was altered")

    assert log_verified(broken, LIMITS, now=NOON) == Failed("leaf 4 was altered")


@pytest.mark.parametrize(
    ("backups", "verdict"),
    [
        ([], Unknown("no backup has been made here")),
        ([a_backup(DAY)], Passed()),
        ([a_backup(3 * DAY)], Failed("the latest backup is 3 days old")),
        ([a_backup(DAY, removed=True)], Unknown("no backup has been made here")),
        ([a_backup(DAY, removed=True), a_backup(5 * DAY)], Failed("the latest backup is 5 days old")),
    ],
)
def test_only_a_recent_backup_that_is_still_there_counts(backups, verdict):
    assert backed_up(backups, LIMITS, now=NOON) == verdict


def test_the_oldest_backups_make_room_and_one_always_stays():
    backups = [a_backup(n * DAY, id=f"b{n}") for n in range(4)]

    assert [b.id for b in to_remove(backups, 2)] == ["b3", "b2"]
    assert to_remove(backups, 4) == []
    assert [b.id for b in to_remove(backups, 0)] == ["b3", "b2", "b1"]
    assert to_remove([], 3) == []


def test_a_removed_backup_makes_no_room():
    backups = [a_backup(DAY, id="old"), a_backup(2 * DAY, id="gone", removed=True)]

    assert to_remove(backups, 1) == []

"""Cron expressions, read by `cronsim`, always in UTC so that no night has two half past twos."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

from alcaide.kernel.errors import InvalidInput


def check_cron(expression: str) -> str:
    """The expression with single spaces. Raises InvalidInput for what would never fire or cannot be read."""
    cleaned = " ".join(str(expression).split())
    # cronsim also takes six fields (seconds first); nothing here needs to run that often.
    if len(cleaned) > 100 or len(cleaned.split(" ")) != 5:
        raise InvalidInput(
            f"`{cleaned[:60]}` is not a schedule; write five cron fields in UTC, like `30 2 * * *` for 02:30"
        )
    try:
        next(CronSim(cleaned, datetime(2024, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration):
        raise InvalidInput(
            f"`{cleaned}` is not a schedule that ever fires; write five cron fields in UTC, like `30 2 * * *`"
        ) from None
    return cleaned


def next_after(expression: str, moment: datetime) -> datetime:
    """The first time after `moment` at which the schedule fires."""
    return next(CronSim(expression, moment.astimezone(UTC))).astimezone(UTC)


def last_before(expression: str, moment: datetime) -> datetime:
    """The latest time at or before `moment` at which the schedule fires."""
    # cronsim walks backwards from strictly before its argument; one second more lets `moment` itself count.
    start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
    return next(CronSim(expression, start, reverse=True)).astimezone(UTC)

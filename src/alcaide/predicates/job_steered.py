"""`job-steered`: somebody stopped a background job, queued it afresh, or let it start before its time.

What a job did is in the job's own record, which is tidied away; that a person interfered, and why, is kept here. A
verification of the log that was cancelled is as telling as one that failed.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from alcaide.predicates.base import Predicate

JobAction = Literal["cancelled", "retried", "brought-forward"]
JobState = Literal["queued", "running", "dead", "cancelled"]


class JobSteered(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """The subject is `job:<id>` with the digest of its canonical description `{"id", "kind"}`.

    `state` is the job's state before. `cancelled` is recorded when it is asked for: a running job goes on to its next
    safe point. `reason` is never empty for it.
    """

    TYPE: ClassVar[str] = "urn:alcaide:job-steered:v1"
    TITLE: ClassVar[str] = "Job steered"

    job: str
    kind: str
    action: JobAction
    state: JobState

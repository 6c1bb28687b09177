"""Answering requirements from evidence, with an explanation that can be opened leaf by leaf.

What a caller may rely on:

- Pure and deterministic: requirement, scope, view and the time go in; the same four give the same answer for
  ever.
- Fail closed: a view that is not shown to be complete, that was not built for the subjects asked about,
  evidence that is stale, dated in the future, ended, unreadable, signed by a key that was compromised by then, or
  without an outcome that is understood: each is Unknown.
- Less evidence never helps. Taking a record out of a view makes that view incomplete, and every answer from
  an incomplete view is Unknown; that is why "the latest speaks" is safe here and would not be elsewhere.
- A waiver never changes a verdict. The underlying verdict stays in the explanation, beside the waiver's leaf;
  only `counts_as` is Passed, and only until the waiver ends.

Left out on purpose: building views (`kernel/ledger`) and knowing what a system is made of (whoever asks).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from alcaide.kernel.clock import rfc3339
from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence import Subject, canonical
from alcaide.kernel.policy.cel import Undecided
from alcaide.kernel.policy.explanation import (
    Explanation,
    LeafSays,
    Scope,
    SubjectExplanation,
    SubjectRef,
    Waiver,
    counting,
)
from alcaide.kernel.policy.reading import SKEW, field_of, moment
from alcaide.kernel.policy.requirement import (
    OWN_PREFIX,
    ConditionSays,
    FieldSays,
    Freshness,
    Judged,
    Present,
    Requirement,
    selects,
)
from alcaide.kernel.policy.signers import doubt_about, signer_keys
from alcaide.kernel.policy.verdict import (
    Failed,
    Passed,
    Unknown,
    Verdict,
    all_of,
    any_of,
    join_reasons,
)
from alcaide.kernel.policy.view import EvidenceView, Record
from alcaide.kernel.policy.waivers import WAIVED, requirement_digest, waivers_in_force

__all__ = [
    "OUTCOME_FIELDS",
    "SKEW",
    "WAIVED",
    "Explanation",
    "LeafSays",
    "Scope",
    "SubjectExplanation",
    "SubjectRef",
    "Waiver",
    "evaluate",
    "evaluate_all",
    "keys_needed",
    "requirement_digest",
    "signer_keys",
    "verdict_of",
    "waivers_in_force",
]

OUTCOME_FIELDS = ("verdict", "verificationResult", "result", "outcome", "conclusion", "decision")
PASSED_WORDS = frozenset({"passed", "pass", "success", "succeeded", "approved"})
FAILED_WORDS = frozenset({"failed", "fail", "failure", "error", "rejected", "revoked", "denied"})
"""Words seen in in-toto test-result, SLSA VSA, SARIF-derived and CI results. Others are not guessed at."""

MAX_LEAVES_SHOWN = 50
"""An explanation is for reading; what decided always comes first in it."""


def keys_needed(requirements: Iterable[Requirement], scope: Scope) -> frozenset[str]:
    """The index keys a view must be built for, so that `evaluate` may take absence for absence.

    Not those of the signers, which only the view itself can tell: see `signer_keys`.
    """
    keys = {f"name:{scope.this.name}"}  # waivers are filed under the name of what was asked about
    for requirement in requirements:
        for subject in _subjects(requirement, scope):
            keys |= _keys(subject)
    return frozenset(keys)


def evaluate(requirement: Requirement, scope: Scope, view: EvidenceView, *, now: datetime) -> Explanation:
    """Answer one requirement.

    1. A view that is not complete, or was not built for these subjects, answers nothing.
    2. Each subject that is meant is answered by itself.
    3. The answers are combined by `match`; no subject at all is Unknown.
    4. Waivers in force are put beside the verdicts, for one component or for the whole.
    """
    subjects = _subjects(requirement, scope)
    if not view.complete:
        return _unanswered(
            requirement, f"evidence is incomplete: {view.why_incomplete or 'not shown to be whole'}"
        )
    if not view.covers(keys_needed([requirement], scope)):
        return _unanswered(requirement, "evidence was not looked up for every subject; look it up again")
    if not subjects:
        return _with_waiver(requirement, Unknown(_nobody_meant(requirement)), (), scope, view, now)
    waivers = waivers_in_force(requirement, scope, view, now=now)
    explained = tuple(
        _explain_subject(requirement, subject, view, waivers.get(subject.name), now) for subject in subjects
    )
    combine = all_of if requirement.match == "all" else any_of
    verdict = combine(_named(s, s.verdict, explained) for s in explained)
    return _with_waiver(requirement, verdict, explained, scope, view, now)


def evaluate_all(
    requirements: Sequence[Requirement], scope: Scope, view: EvidenceView, *, now: datetime
) -> tuple[Explanation, ...]:
    """Answer each requirement from the same view; combine with `verdict_of`."""
    return tuple(evaluate(requirement, scope, view, now=now) for requirement in requirements)


def verdict_of(explanations: Iterable[Explanation]) -> Verdict:
    """All requirements together, waivers honoured. No requirement at all is Unknown."""
    return all_of(explanation.counts_as for explanation in explanations)


def _subjects(requirement: Requirement, scope: Scope) -> tuple[SubjectRef, ...]:
    if requirement.about == "this":
        return (scope.this,)
    return tuple(
        component
        for component in scope.components
        if (requirement.about == "components" or component.environments)
        and selects(
            requirement.selector,
            kind=component.kind,
            name=component.name,
            tags=component.tags,
            environments=component.environments,
        )
    )


def _keys(subject: SubjectRef) -> set[str]:
    return {f"name:{subject.name}"} | ({f"sha256:{subject.digest}"} if subject.digest else set())


def _nobody_meant(requirement: Requirement) -> str:
    what = "deployed component" if requirement.about == "deployed" else "component"
    selector = f" ({requirement.selector})" if str(requirement.selector) else ""
    return f"no {what}{selector} is registered for this system, and nothing is not a pass; register it"


def _unanswered(requirement: Requirement, reason: str) -> Explanation:
    verdict = Unknown(reason)
    return Explanation(requirement, verdict, verdict, ())


def _with_waiver(
    requirement: Requirement,
    verdict: Verdict,
    subjects: tuple[SubjectExplanation, ...],
    scope: Scope,
    view: EvidenceView,
    now: datetime,
) -> Explanation:
    whole = waivers_in_force(requirement, scope, view, now=now).get(None)
    combine = all_of if requirement.match == "all" else any_of
    counted = combine(_named(s, s.counts_as, subjects) for s in subjects) if subjects else verdict
    if whole is not None and not isinstance(counted, Passed):
        counted = counting(counted, whole)
        return Explanation(requirement, verdict, counted, subjects, whole)
    return Explanation(requirement, verdict, counted, subjects)


def _named(subject: SubjectExplanation, verdict: Verdict, among: Sequence[SubjectExplanation]) -> Verdict:
    """The verdict with the subject's name before its reason, where there are several to confuse."""
    if isinstance(verdict, Passed) or len(among) == 1:
        return verdict
    return type(verdict)(f"{subject.name}: {verdict.reason}", verdict.stood_on)


def _explain_subject(
    requirement: Requirement, subject: SubjectRef, view: EvidenceView, waiver: Waiver | None, now: datetime
) -> SubjectExplanation:
    if requirement.bound_to == "digest" and subject.digest is None:
        verdict: Verdict = Unknown(
            "no digest is on record for it, so nothing can be bound to it; record its digest"
        )
        return SubjectExplanation(subject.name, None, verdict, (), waiver)
    meant = _meant(requirement, subject, view, now)
    if not meant:
        return SubjectExplanation(
            subject.name, subject.digest, _nothing_found(requirement, subject, view), (), waiver
        )
    verdict, deciding = _weigh(requirement, meant)
    others = [leaf for leaf in reversed([leaf for _, leaf in meant]) if leaf not in deciding]
    leaves = (*deciding, *others)[:MAX_LEAVES_SHOWN]
    return SubjectExplanation(subject.name, subject.digest, verdict, leaves, waiver)


Meant = tuple[Record, LeafSays]


def _meant(requirement: Requirement, subject: SubjectRef, view: EvidenceView, now: datetime) -> list[Meant]:
    """The statements the requirement speaks of, ascending, each with its own verdict.

    A statement whose `where` cannot be evaluated is kept as Unknown: it might be the one that is meant.
    """
    key = f"sha256:{subject.digest}" if requirement.bound_to == "digest" else f"name:{subject.name}"
    found: list[Meant] = []
    for record in view.about(key):
        if not _counts(requirement, record):
            continue
        about = _subject_meant(requirement, subject, record)
        selected = _selected(requirement, record, about)
        if selected is False:
            continue
        at, timely = _timely(requirement, record, now)
        if isinstance(selected, Undecided):
            verdict: Verdict = Unknown(selected.reason, (record.index,))
        elif timely is not None:
            verdict = Unknown(timely, (record.index,))
        elif (doubt := doubt_about(record, view)) is not None:
            verdict = Unknown(doubt[0], (record.index, *doubt[1]))
        else:
            verdict = _judge(requirement, record, about)
        found.append((record, LeafSays(record.index, record.predicate_type, at, verdict)))
    return found


def _counts(requirement: Requirement, record: Record) -> bool:
    if record.predicate_type not in requirement.evidence:
        return False
    if requirement.signed_by is not None and record.signed_by not in requirement.signed_by:
        return False
    origin = requirement.takes_from(record.predicate_type)
    return origin == "anywhere" or record.foreign == (origin == "elsewhere")


def _subject_meant(requirement: Requirement, subject: SubjectRef, record: Record) -> Subject:
    for candidate in record.subjects:
        if requirement.bound_to == "digest" and candidate.sha256 == subject.digest:
            return candidate
        if requirement.bound_to == "name" and candidate.name == subject.name:
            return candidate
    return record.subjects[0]


def _selected(requirement: Requirement, record: Record, about: Subject) -> bool | Undecided:
    if requirement.where is None:
        return True
    return requirement.where.holds(**_seen(record, about))


def _seen(record: Record, about: Subject) -> dict[str, Mapping[str, Any]]:
    """What a condition sees of a statement."""
    return {
        "predicate": record.predicate,
        "subject": {"name": about.name, "digest": dict(about.digest)},
        "statement": {
            "predicateType": record.predicate_type,
            "subject": [{"name": s.name, "digest": dict(s.digest)} for s in record.subjects],
            "foreign": record.foreign,
            "signedBy": record.signed_by,
        },
    }


def _timely(requirement: Requirement, record: Record, now: datetime) -> tuple[datetime | None, str | None]:
    """When it was said, and why it does not count at this time (None: it does)."""
    fresh = requirement.fresh
    try:
        said = _said_at(record, fresh)
        ends = None if record.foreign else moment(record.predicate, "until")
    except InvalidInput as problem:
        return None, f"its time cannot be read: {problem}"
    if said is not None and said > now + SKEW:
        return said, f"it is dated in the future, {rfc3339(said)}; check that machine's clock"
    if ends is not None and ends <= now:
        return said, f"it ended on {ends:%Y-%m-%d}; ask for it again"
    if fresh is None:
        return said, None
    if said is None:
        return None, f"it does not say when it happened (no `{fresh.at or 'at'}`)"
    if now - said > fresh.within:
        return (
            said,
            f"it is {_age(now - said)} old, and at most {fresh.text} is asked for; bring it up to date",
        )
    return said, None


def _said_at(record: Record, fresh: Freshness | None) -> datetime | None:
    """The time a statement counts from.

    Our own statements say it in `at`. The times in foreign ones were chosen by their senders, so those count
    from when they were taken in; where the policy names a field of theirs, the earlier of the two counts.
    """
    named = fresh.at if fresh else None
    if not record.foreign:
        return moment(record.predicate, named or "at")
    taken_in = moment(record.imported, "at") if record.imported else None
    taken_in = taken_in or record.recorded_at
    if named is None:
        return taken_in
    own = moment(record.predicate, named)
    return own if own is None or own > taken_in + SKEW else min(own, taken_in)


def _judge(requirement: Requirement, record: Record, about: Subject) -> Verdict:
    leaf = (record.index,)
    match requirement.outcome:
        case Present():
            return Passed(leaf)
        case Judged():
            return _judged(record, leaf)
        case FieldSays(field=field, passed=passed, failed=failed):
            value = field_of(record.predicate, field)
            if value is None:
                return Unknown(f"it says nothing in `{field}`", leaf)
            if _among(value, passed):
                return Passed(leaf)
            if _among(value, failed):
                return Failed(f"`{field}` is `{str(value)[:60]}`", leaf)
            return Unknown(f"`{field}` is `{str(value)[:60]}`, which the requirement does not know", leaf)
        case ConditionSays(condition=condition, otherwise=otherwise):
            answer = condition.holds(**_seen(record, about))
            if isinstance(answer, Undecided):
                return Unknown(answer.reason, leaf)
            return Passed(leaf) if answer else Failed(otherwise or f"`{condition.text}` does not hold", leaf)


def _judged(record: Record, leaf: tuple[int, ...]) -> Verdict:
    """The outcome in the usual fields. Where several are there and disagree, the worst one speaks."""
    said = {name: record.predicate[name] for name in OUTCOME_FIELDS if record.predicate.get(name) is not None}
    if not said:
        return Unknown(
            "it names no outcome that is understood; say in the requirement which field decides", leaf
        )
    words = {name: value.lower() if isinstance(value, str) else None for name, value in said.items()}
    for name, word in words.items():
        if word in FAILED_WORDS:
            return Failed(f"`{name}` is `{word}`{_because(record)}", leaf)
    for name, word in words.items():
        if word not in PASSED_WORDS:
            told = f"`{name}` is `{str(said[name])[:60]}`, which is neither passed nor failed"
            return Unknown(f"{told}{_because(record)}", leaf)
    return Passed(leaf)


def _because(record: Record) -> str:
    """The evidence's own words for its outcome, if it has any: what a person would look up next."""
    for name in ("outcome_reason", "reason"):
        told = record.predicate.get(name)
        if isinstance(told, str) and told.strip():
            return f": {' '.join(told.split())[:300]}"
    return ""


def _among(value: Any, allowed: Sequence[str | bool | int]) -> bool:
    """Equality that does not take `1` for `true`."""
    return any(type(value) is type(one) and value == one for one in allowed)


def _weigh(requirement: Requirement, meant: Sequence[Meant]) -> tuple[Verdict, tuple[LeafSays, ...]]:
    """One verdict from the statements meant, and the statements that decided it.

    With `only_latest`, the latest of each voice speaks: of the whole for a single statement, the latest n for
    a count of statements, and each person's or signer's latest otherwise; one that speaks against fails the
    whole. Without it, enough statements that ever spoke for it pass.
    """
    speaking = _speaking(requirement, meant)
    passed = [leaf for leaf in speaking if isinstance(leaf.verdict, Passed)]
    failed = [leaf for leaf in speaking if isinstance(leaf.verdict, Failed)]
    unknown = [leaf for leaf in speaking if isinstance(leaf.verdict, Unknown)]
    enough = len(passed) >= requirement.at_least
    if failed and (requirement.only_latest or not (enough or unknown)):
        return Failed(join_reasons(leaf.verdict for leaf in failed), _leaves(failed)), tuple(failed)
    # A statement that might speak against, but cannot be read, stands in the way when it is the latest.
    if enough and not (unknown and requirement.only_latest and requirement.count_by == "statements"):
        return Passed(_leaves(passed)), tuple(passed)
    reasons = join_reasons(leaf.verdict for leaf in unknown)
    if not enough and (requirement.at_least > 1 or not unknown):
        have = f"{len(passed)} of {requirement.at_least} {_noun(requirement)} on record"
        reasons = f"{have}; {reasons}" if reasons else have
    return Unknown(reasons, _leaves([*passed, *unknown])), (*unknown, *passed)


def _speaking(requirement: Requirement, meant: Sequence[Meant]) -> list[LeafSays]:
    """The statements that speak, latest first, each distinct voice once if the latest speaks."""
    chosen: list[LeafSays] = []
    heard: set[str] = set()
    for record, leaf in reversed(meant):
        voice, said = _voice(requirement, record, leaf)
        if voice in heard and (requirement.only_latest or not isinstance(said.verdict, Failed | Unknown)):
            continue
        if requirement.only_latest or isinstance(said.verdict, Passed):
            heard.add(voice)
        chosen.append(said)
        if (
            requirement.only_latest
            and requirement.count_by == "statements"
            and len(heard) >= requirement.at_least
        ):
            break
    return chosen


def _voice(requirement: Requirement, record: Record, leaf: LeafSays) -> tuple[str, LeafSays]:
    match requirement.count_by:
        case "signers":
            # This installation is one signer, however often it has rotated its key.
            return record.signed_by if record.foreign else "here", leaf
        case "people":
            # Who a foreign statement says it is by is that sender's claim, and may be anybody.
            person = None if record.foreign else field_of(record.predicate, "by.id")
            if isinstance(person, str) and person:
                return person, leaf
            nobody = Unknown("it does not say which person it is by", (leaf.index,))
            return f"leaf {leaf.index}", LeafSays(leaf.index, leaf.predicate_type, leaf.at, nobody)
        case "statements":
            if requirement.at_least == 1:
                return f"leaf {leaf.index}", leaf
            return sha256(canonical(record.statement.to_json())).hexdigest(), leaf


def _noun(requirement: Requirement) -> str:
    return {"statements": "statements", "signers": "signers", "people": "people"}[requirement.count_by]


def _leaves(leaves: Iterable[LeafSays]) -> tuple[int, ...]:
    """The leaves that speak, and those that say why one of them must not be believed."""
    return tuple(sorted({index for leaf in leaves for index in (leaf.index, *leaf.verdict.stood_on)}))


def _nothing_found(requirement: Requirement, subject: SubjectRef, view: EvidenceView) -> Verdict:
    """Why there is nothing: never there, or there and about other bytes, which is worth knowing."""
    kinds = " or ".join(_kind_name(kind) for kind in requirement.evidence)
    if requirement.bound_to == "digest":
        elsewhere = [
            record
            for record in view.about(f"name:{subject.name}")
            if _counts(requirement, record)
            and subject.digest not in {s.sha256 for s in record.subjects}
            and _selected(requirement, record, record.subjects[0]) is True
        ]
        if elsewhere:
            last = elsewhere[-1]
            was = next((s.sha256 for s in last.subjects if s.name == subject.name and s.sha256), "another")
            is_now = (subject.digest or "")[:12]
            return Unknown(
                f"the {kinds} on record is about digest {was[:12]}, and it is now {is_now}",
                (last.index,),
            )
    where = f" with `{requirement.where.text}`" if requirement.where else ""
    return Unknown(f"no {kinds} on record{where}")


def _kind_name(predicate_type: str) -> str:
    if predicate_type.startswith(OWN_PREFIX):
        return f"`{predicate_type.removeprefix(OWN_PREFIX).rpartition(':')[0]}`"
    return f"`{predicate_type}`"


def _age(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    if hours < 48:
        return f"{hours} hours" if hours != 1 else "1 hour"
    return f"{hours // 24} days"

"""Numbers and names that are what the label before them says: `Policy number: …`, `username …`.

Such numbers have no form of their own; only the label speaks. The label's value must look like a value, so that "my
account is closed" gives nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from alcaide.instruments.guard.detector import Hit, Pattern
from alcaide.instruments.guard.detectors.personal_data.candidate import Candidate, Tier
from alcaide.instruments.guard.model import Level


@dataclass(frozen=True, slots=True)
class Label:
    """One label: the words (alternatives of a regex), the anchors they contain, what follows, what it is."""

    rule: str
    entity: str
    words: str
    anchors: tuple[str, ...]
    value: str
    name: str
    score: float = 0.8
    level: Level = "warning"


_TIGHT = r"[a-z]{0,6}[-/]?\d[a-z0-9]{0,24}(?:[-/.][a-z0-9]{1,12}){0,4}"
_GLUE = (
    r"(?:['’]s)?[ \t]{0,2}(?:numbers?|numéro|nummer|número|numero|num\b\.?|no\b\.?|nr\b\.?|n°|id\b|ids\b|code)?"
    r"[ \t]{0,2}(?:\([a-z#. ]{1,16}\))?[ \t]{0,2}(?:is|was|:|=|#|-|–|lautet|est|"
    r"es)?[ \t]{0,2}[:#]?[ \t]{0,3}\n?[\"'`*]{0,3}"
)

LABELS: tuple[Label, ...] = (
    Label(
        "bic",
        "SWIFT_CODE",
        r"\b(?:swift|bic)(?:[ /](?:swift|bic))?(?: code)?\b",
        ("swift", "bic:", "bic i", "bic c", "bic "),
        r"[a-z]{6}[a-z0-9]{2}(?:[a-z0-9]{3})?\b",
        "a bank's identifier",
        0.85,
        "note",
    ),
    Label(
        "account",
        "ACCOUNT_NUMBER",
        r"\b(?:bank |savings |checking |from |to )?(?:account|acct|a/c|konto|compte|cuenta)\b",
        ("account", "acct", "a/c", "konto", "compte", "cuenta"),
        r"\d[\d -]{4,22}\d\b",
        "an account number",
    ),
    Label(
        "policy",
        "POLICY_NUMBER",
        r"\bpolic(?:y|e)\b|\bpolicen\b|\bpóliza\b",
        ("policy", "police", "póliza"),
        _TIGHT,
        "an insurance policy's number",
    ),
    Label(
        "medical-record",
        "MEDICAL_RECORD_NUMBER",
        r"\b(?:mrn|medical record|patient|chart|health record|hospital number|patienten|dossier patient)\b",
        (
            "mrn",
            "medical record",
            "patient n",
            "patient i",
            "patient #",
            "patient:",
            "chart n",
            "chart #",
            "health record",
            "hospital number",
        ),
        _TIGHT,
        "a medical record's number",
        0.85,
    ),
    Label(
        "health-insurance",
        "HEALTH_INSURANCE_ID",
        r"\b(?:health (?:insurance|plan)(?: beneficiary)?|insurance(?: member)?|subscriber|"
        r"beneficiary|group|medicaid|"
        r"versichertennummer|member)\b",
        ("insurance", "health plan", "subscriber", "beneficiary", "medicaid", "versichertennummer", "member"),
        _TIGHT,
        "a health insurance number",
        0.72,
    ),
    Label(
        "case",
        "CASE_NUMBER",
        r"\b(?:case|docket|claim|court file|aktenzeichen|dossier|expediente)\b",
        (
            "case n",
            "case #",
            "case:",
            "case i",
            "docket",
            "claim n",
            "claim i",
            "claim #",
            "claim:",
            "court file",
            "aktenzeichen",
            "dossier",
            "expediente",
        ),
        _TIGHT,
        "a case's number",
        0.66,
        "note",
    ),
    Label(
        "customer",
        "CUSTOMER_ID",
        r"\b(?:customer|client|membership|loyalty|frequent flyer|kunden|kundennummer|user id|userid)\b",
        (
            "customer n",
            "customer i",
            "customer #",
            "customer:",
            "client n",
            "client i",
            "client #",
            "membership",
            "loyalty",
            "frequent flyer",
            "kunden",
            "user id",
            "userid",
        ),
        _TIGHT,
        "a customer's number",
        0.72,
    ),
    Label(
        "employee",
        "EMPLOYEE_ID",
        r"\b(?:employee|staff|personnel|badge|payroll|personalnummer|matricule)\b",
        ("employee", "staff", "personnel", "badge", "payroll", "personalnummer", "matricule"),
        _TIGHT,
        "an employee's number",
        0.76,
    ),
    Label(
        "student",
        "STUDENT_ID",
        r"\b(?:student|matriculation|matrikel|enrol?lment)\b",
        ("student", "matriculation", "matrikel", "enrolment", "enrollment"),
        _TIGHT,
        "a student's number",
        0.74,
    ),
    Label(
        "plate",
        "LICENSE_PLATE",
        r"\b(?:licen[cs]e plate|number plate|plate|vehicle registration|registration|kennzeichen|immatriculation|"
        r"matrícula|targa|kenteken|tablica)\b",
        (
            "license plate",
            "licence plate",
            "number plate",
            "plate n",
            "plate:",
            "plate i",
            "registration",
            "kennzeichen",
            "immatriculation",
            "matrícula",
            "targa",
            "kenteken",
        ),
        r"[a-z]{1,3}[- ]?\d{1,4}[- ]?[a-z]{0,3}\b|\d{1,4}[- ]?[a-z]{1,3}[- ]?\d{0,4}\b|"
        r"[a-z]{1,3}[- ][a-z]{1,2} ?\d{1,4}\b",
        "a vehicle's plate",
        0.8,
    ),
    Label(
        "passport",
        "PASSPORT_NUMBER",
        r"\b(?:passport|reisepass|passeport|pasaporte|passaporto|paspoort|paszport(?:u)?|passaporte)\b",
        (
            "passport",
            "reisepass",
            "passeport",
            "pasaporte",
            "passaporto",
            "paspoort",
            "paszport",
            "passaporte",
        ),
        r"[a-z]{0,3} ?\d{5,9}[a-z]{0,2}\b",
        "a passport's number",
        0.92,
        "error",
    ),
    Label(
        "licence",
        "US_DRIVER_LICENSE",
        r"\b(?:driver['’]?s?['’]? licen[cs]e|driving licen[cs]e|dl)\b",
        ("licence", "license", "dl "),
        r"[a-z]{0,3}-?\d[a-z0-9-]{3,18}\b",
        "a driver's licence number",
        0.85,
        "error",
    ),
    Label(
        "national-id",
        "NATIONAL_ID",
        r"\b(?:national id(?:entity)?|id(?:entity)? card|identity|personalausweis|carte d['’]identité|"
        r"identification|(?:my|his|her|your|the) id)\b",
        (
            "national id",
            "id card",
            "identity",
            "personalausweis",
            "identité",
            "identification",
            "id number",
            "id no",
        ),
        r"[a-z]{0,4}[- ]?\d[a-z0-9.-]{4,18}\b",
        "an identity number",
        0.6,
    ),
    Label(
        "tax-id",
        "TAX_ID",
        r"\b(?:tax(?:payer)?(?: identification)?|tin|vat|steuer(?:-id|nummer)?)\b",
        ("tax id", "tax n", "taxpayer", "tin:", "tin n", "tin i", "vat n", "vat i", "vat:", "steuer"),
        r"[a-z]{0,3}[- ]?\d[a-z0-9./-]{6,18}\b",
        "a tax number",
        0.66,
    ),
    Label(
        "username",
        "USERNAME",
        r"\b(?:user ?name|user-name|login(?: name)?|log-in|screen ?name|nick(?:name)?|handle|user id|benutzername|"
        r"nom d['’]utilisateur|nombre de usuario|gebruikersnaam|discord|skype|telegram|twitter|instagram)\b",
        (
            "username",
            "user name",
            "user-name",
            "login",
            "log-in",
            "screenname",
            "screen name",
            "nickname",
            "nick:",
            "handle:",
            "handle is",
            "user id",
            "benutzername",
            "utilisateur",
            "nombre de usuario",
            "gebruikersnaam",
            "discord",
            "skype",
            "telegram",
            "twitter",
            "instagram",
        ),
        r"@?[a-z0-9][a-z0-9_.-]{2,38}[a-z0-9]",
        "a user name",
        0.72,
    ),
    Label(
        "user-field",
        "USERNAME",
        r"\b(?:user|usr|uid)",
        ("user=", "usr=", "uid="),
        r"[a-z0-9][a-z0-9_.-]{2,38}[a-z0-9]",
        "a user name",
        0.66,
    ),
    Label(
        "zip",
        "ZIP_CODE",
        r"\b(?:zip(?: ?code)?|post(?:al)? ?code|plz|cap|code postal|código postal|cep)\b",
        ("zip", "postcode", "post code", "postal", "plz", "cep:"),
        r"(?:[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}|\d{5}-\d{3,4}|\d{4} ?[a-z]{2}|\d{2}-\d{3}|\d{4}-\d{3}|"
        r"\d{3} \d{2,3}|[a-z]\d[a-z] ?\d[a-z]\d|\d{3,7})\b",
        "a postal code",
        0.85,
        "note",
    ),
    Label(
        "pin",
        "PIN",
        r"\b(?:pin|cvv2?|cvc2?|security code|card code)\b",
        (
            "pin:",
            "pin is",
            "pin code",
            "pin number",
            "my pin",
            "cvv",
            "cvc",
            "security code",
            "card code",
            "pin ",
        ),
        r"\d{3,6}\b",
        "a secret number",
        0.75,
        "error",
    ),
    Label(
        "imei",
        "DEVICE_ID",
        r"\b(?:imei|device id|udid|serial number|android id|idfa)\b",
        ("imei", "device id", "udid", "android id", "idfa"),
        r"[a-z0-9][a-z0-9-]{10,40}\b",
        "a device's number",
        0.75,
    ),
    Label(
        "sort-code",
        "BANK_SORT_CODE",
        r"\b(?:sort ?code|bsb|blz|bankleitzahl)\b",
        ("sort code", "sortcode", "bsb", "blz", "bankleitzahl"),
        r"\d{2}[- ]?\d{2}[- ]?\d{2}(?:\d{2})?\b|\d{3}-\d{3}\b",
        "a bank's sort code",
        0.85,
    ),
)

_BY_RULE = {label.rule: label for label in LABELS}

PATTERNS: tuple[Pattern, ...] = tuple(
    Pattern(
        label.rule,
        rf"(?:{label.words}){_GLUE}(?P<value>{label.value})",
        label.anchors,
        before=24,
        after=96,
    )
    for label in LABELS
)

_WORD_VALUES = frozenset(
    [
        "the",
        "and",
        "for",
        "not",
        "with",
        "your",
        "this",
        "that",
        "name",
        "page",
        "form",
        "below",
        "above",
        "here",
        "has",
        "was",
        "are",
        "have",
        "field",
        "password",
        "email",
        "required",
        "optional",
        "number",
        "account",
        "information",
        "details",
        "string",
        "null",
        "none",
        "true",
        "false",
        "invalid",
        "unknown",
        "example",
        "user",
        "users",
        "admin",
        "test",
        "root",
        "screen",
        "button",
        "access",
        "history",
        "attempt",
        "attempts",
        "issue",
        "issues",
        "problem",
        "failed",
        "successful",
        "credentials",
        "using",
        "via",
        "from",
        "into",
        "which",
        "must",
        "should",
        "will",
        "can",
        "please",
        "please.",
        "again",
        "tool",
        "system",
        "service",
        "server",
    ]
)


def labelled(hit: Hit, text: str, lower: str) -> Candidate | None:
    """The value of one label; None where it is a word like any other."""
    label = _BY_RULE[hit.rule]
    start, end = hit.groups["value"]
    value = lower[start:end]
    glue = lower[hit.start : start]
    explicit = (
        re.search(r"[:#=]|\bis\b|\bno\b|\bcode\b|number|nummer|numéro|número|\bid\b|\bnr\b", glue) is not None
    )
    if end < len(lower) and lower[end].isalnum():
        return None
    if label.entity == "USERNAME":
        if not re.search(r"[:=]|\bis\b|@", glue + value) or value.strip("@") in _WORD_VALUES:
            return None
        end = start + len(value.rstrip("."))
        if value.isalpha() and not re.search(r"[:=]|\bis\b", glue):
            return None
        return _candidate(label, start, end, label.score)
    if label.entity == "SWIFT_CODE":
        # Only where it is written so: `swift response` has a word of eight letters beside it as well.
        return _candidate(label, start, end, label.score) if text[start:end].isupper() else None
    digits = sum(one.isdigit() for one in value)
    if (
        not digits
        or (digits < 4 and label.entity not in ("PIN", "LICENSE_PLATE", "ZIP_CODE"))
        or not explicit
    ):
        return None
    if re.fullmatch(r"(?:19|20)\d\d(?:[-/.]\d{1,2}){0,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}", value.strip()):
        return None
    return _candidate(label, start, start + len(value.rstrip(" -/.")), label.score)


def _candidate(label: Label, start: int, end: int, score: float) -> Candidate:
    tier = Tier.NUMBER
    return Candidate(
        start,
        end,
        label.entity,
        label.rule,
        score,
        f"is called {label.name}",
        label.level,
        tier,
        {"named": True},
    )


_NOT_HANDLES = frozenset(
    [
        "media",
        "import",
        "app",
        "property",
        "staticmethod",
        "classmethod",
        "dataclass",
        "override",
        "param",
        "return",
        "returns",
        "author",
        "see",
        "everyone",
        "here",
        "channel",
        "all",
        "example",
        "test",
        "deprecated",
        "since",
        "version",
        "throws",
        "pytest",
        "component",
        "injectable",
        "autowired",
    ]
)


_HANDLE = re.compile(r"[^\W_][\w.-]{2,30}|_[\w.-]{2,30}")


def handle(lower: str, at: int) -> Candidate | None:
    """`@name`, as social networks write it; decorators of programming languages are told apart by their words."""
    match = _HANDLE.match(lower, at + 1)
    if match is None:
        return None
    start, end = match.span()
    while end > start and lower[end - 1] in ".-":
        end -= 1
    value = lower[start:end]
    if value in _NOT_HANDLES or value.split(".")[0] in _NOT_HANDLES or end - start < 3:
        return None
    if lower[end : end + 1] in "(@/" or not any(one.isalpha() for one in value):
        return None
    marked = any(one.isdigit() or one in "_." for one in value)
    return Candidate(
        start - 1,
        end,
        "USERNAME",
        "handle",
        0.74 if marked else 0.55,
        "is an account's handle",
        "warning" if marked else "note",
    )

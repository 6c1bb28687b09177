"""Special categories of personal data (GDPR Article 9): what is said of somebody's health, faith, politics or love.

A word alone is a subject one may speak about; it becomes personal where a sentence says it of a person. So each rule
is a sentence frame with a word of its list in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from alcaide.instruments.guard.detector import Hit, Pattern
from alcaide.instruments.guard.detectors.personal_data.candidate import Candidate, Tier

ARTICLE_9 = "gdpr:2016-679/art-9"

_CONDITIONS = (
    "hiv|aids|cancer|leuk(?:a)?emia|lymphoma|melanoma|tumou?r|diabetes|diabetic|hypertension|"
    "high blood pressure|asthma|"
    "copd|pneumonia|bronchitis|tuberculosis|hepatitis(?: [abc])?|cirrhosis|epilepsy|migraines?|"
    "alzheimer(?:'s)?|dementia|"
    "parkinson(?:'s)?|multiple sclerosis|stroke|heart (?:attack|failure|disease)|arrhythmia|"
    "angina|an(?:a)?emia|arthritis|"
    "lupus|crohn(?:'s)?(?: disease)?|colitis|ibs|celiac disease|kidney (?:failure|disease)|depression|"
    "depressive disorder|bipolar(?: disorder)?|schizophrenia|anxiety(?: disorder)?|ptsd|adhd|"
    "autism|ocd|anorexia|bulimia|"
    "alcoholism|addiction|substance abuse|obesity|endometriosis|infertility|miscarriage|"
    "syphilis|chlamydia|gonorrh(?:o)?ea|"
    "herpes|covid(?:-19)?|long covid|down syndrome|cystic fibrosis|sickle cell|psoriasis|"
    "eczema|glaucoma|fibromyalgia|"
    "osteoporosis|insomnia|sleep apn(?:o)?ea|thyroid|hypothyroidism"
)
_FAITHS = (
    "catholic|protestant|christian|muslim|sunni|shia|shi'ite|jewish|jew|hindu|buddhist|sikh|mormon|atheist|agnostic|"
    "orthodox|lutheran|methodist|baptist|evangelical|jehovah's witness|baha'i|scientologist|quaker"
)
_LOVE = (
    "gay|lesbian|bisexual|homosexual|transgender|trans|queer|asexual|pansexual|non-binary|nonbinary|intersex"
)
_POLITICS = (
    "republican|democrat|conservative|socialist|communist|liberal|libertarian|marxist|anarchist|fascist|green party|"
    "labour|tory|trump supporter|social democrat"
)
_PERSON = (
    r"(?:i am|i'm|he is|he's|she is|she's|they are|who is|is an?|was an?|am an?|as an?|were|being|is|was)"
)


@dataclass(frozen=True, slots=True)
class _Frame:
    rule: str
    entity: str
    regex: str
    anchors: tuple[str, ...]
    before: int
    name: str
    score: float


_FRAMES: tuple[_Frame, ...] = (
    _Frame(
        "health",
        "MEDICAL_CONDITION",
        rf"(?:diagnosed (?:\w+ )?with|suffer(?:s|ed|ing)? from|treated for|history of|living with|"
        rf"battling|diagnosis(?: of)?:?|"
        rf"(?:he|she|i|patient) (?:has|have|had)|positive for|complain(?:s|ed|ing) of|infected with|"
        rf"recover(?:ing|ed) from|"
        rf"condition:?|surviv(?:ed|or of)|medication for|symptoms of)[ \t]{{0,2}}"
        rf"(?:an? |the |his |her |my |severe |chronic |acute |mild |early |type |stage |advanced |"
        rf"major |breast |lung |"
        rf"prostate |skin |iv |ii |iii |[1-4] ){{0,4}}(?P<value>(?:{_CONDITIONS})(?: type [12])?)\b",
        (
            "cancer",
            "leukemia",
            "leukaemia",
            "lymphoma",
            "melanoma",
            "tumor",
            "tumour",
            "diabet",
            "hypertension",
            "blood pressure",
            "asthma",
            "copd",
            "pneumonia",
            "bronchitis",
            "tubercul",
            "hepatitis",
            "cirrhosis",
            "epilep",
            "migraine",
            "alzheimer",
            "dementia",
            "parkinson",
            "sclerosis",
            "stroke",
            "heart ",
            "arrhythmia",
            "angina",
            "anemia",
            "anaemia",
            "arthritis",
            "lupus",
            "crohn",
            "colitis",
            "ibs",
            "celiac",
            "kidney",
            "depressi",
            "bipolar",
            "schizophren",
            "anxiety",
            "ptsd",
            "adhd",
            "autism",
            "ocd",
            "anorexia",
            "bulimia",
            "alcoholism",
            "addiction",
            "substance abuse",
            "obesity",
            "endometri",
            "infertil",
            "miscarriage",
            "syphilis",
            "chlamydia",
            "gonorrh",
            "herpes",
            "covid",
            "down syndrome",
            "fibrosis",
            "sickle cell",
            "psoriasis",
            "eczema",
            "glaucoma",
            "fibromyalgia",
            "osteoporosis",
            "insomnia",
            "apnea",
            "apnoea",
            "thyroid",
            "hiv",
            "aids",
        ),
        90,
        "health",
        0.82,
    ),
    _Frame(
        "diagnosis",
        "MEDICAL_CONDITION",
        r"\b(?:diagnos(?:is|es|tic)|admitted for|chief complaint|complaints?|symptoms|reason for (?:visit|admission))"
        r"[ \t]{0,2}:?[ \t]{0,2}(?P<value>[a-z][a-z0-9'’/-]{2,24}(?: [a-z0-9][a-z0-9'’/-]{0,20}){0,4})",
        (
            "diagnosis:",
            "diagnoses:",
            "admitted for",
            "chief complaint:",
            "complaints:",
            "complaint:",
            "symptoms:",
            "reason for visit:",
            "reason for admission:",
        ),
        0,
        "health",
        0.7,
    ),
    _Frame(
        "health-status",
        "MEDICAL_CONDITION",
        r"\b(?P<value>hiv[- ]positive|disabled|pregnant|wheelchair[- ]bound|terminally ill)\b",
        ("hiv", "disabled", "pregnant", "wheelchair", "terminally"),
        0,
        "health",
        0.4,
    ),
    _Frame(
        "religion",
        "RELIGION",
        rf"\b(?:{_PERSON}|religion:?|faith:?|practi[cs]ing|devout|converted to|raised|"
        rf"religious affiliation:?)[ \t]{{1,2}}"
        rf"(?:an? |the |devout |practi[cs]ing |very |roman ){{0,3}}(?P<value>{_FAITHS})\b",
        (
            "catholic",
            "protestant",
            "christian",
            "muslim",
            "sunni",
            "shia",
            "shi'ite",
            "jewish",
            " jew",
            "hindu",
            "buddhist",
            "sikh",
            "mormon",
            "atheist",
            "agnostic",
            "orthodox",
            "lutheran",
            "methodist",
            "baptist",
            "evangelical",
            "jehovah",
            "baha'i",
            "scientologist",
            "quaker",
        ),
        44,
        "faith",
        0.72,
    ),
    _Frame(
        "orientation",
        "SEXUAL_ORIENTATION",
        rf"\b(?:{_PERSON}|came out as|identif(?:y|ies|ied) as|sexual orientation:?|"
        rf"orientation:?)[ \t]{{1,2}}(?:an? |openly ){{0,2}}"
        rf"(?P<value>{_LOVE})\b",
        (
            "gay",
            "lesbian",
            "sexual",
            "transgender",
            " trans ",
            "queer",
            "non-binary",
            "nonbinary",
            "intersex",
        ),
        44,
        "sexual orientation or gender",
        0.75,
    ),
    _Frame(
        "politics",
        "POLITICAL_OPINION",
        rf"\b(?:{_PERSON}|registered|lifelong|political (?:affiliation|views?|opinion):?|party:?|"
        rf"votes?|voted(?: for)?|"
        rf"member of the)[ \t]{{1,2}}(?:an? |the |registered |lifelong |staunch ){{0,3}}(?P<value>{_POLITICS})\b",
        (
            "republican",
            "democrat",
            "conservative",
            "socialist",
            "communist",
            "liberal",
            "libertarian",
            "marxist",
            "anarchist",
            "fascist",
            "green party",
            "labour",
            " tory",
            "trump supporter",
        ),
        44,
        "political opinion",
        0.68,
    ),
    _Frame(
        "union",
        "TRADE_UNION_MEMBERSHIP",
        r"\b(?P<value>(?:trade |labou?r )?union (?:member|membership|representative|rep|steward|dues))\b|"
        r"\bmember of (?:the |a )?(?P<value2>(?:[\w&]{2,20} ){0,4}(?:trade |labou?r )?union)\b",
        ("union",),
        100,
        "membership of a trade union",
        0.6,
    ),
    _Frame(
        "ethnicity",
        "ETHNICITY",
        r"\b(?:ethnicity|race|ethnic (?:origin|background|group)|racial origin)[ \t]{0,2}(?:is|was|:|=)[ \t]{0,2}"
        r"(?P<value>[a-z]{3,16}(?:[ -/][a-z]{3,16}){0,2})\b",
        ("ethnicity", "race:", "race is", "ethnic ", "racial"),
        0,
        "ethnic origin",
        0.75,
    ),
)

_BY_RULE = {frame.rule: frame for frame in _FRAMES}
PATTERNS: tuple[Pattern, ...] = tuple(
    Pattern(frame.rule, frame.regex, frame.anchors, frame.before, 110) for frame in _FRAMES
)


def special(hit: Hit) -> Candidate | None:
    """The word of a special category, in a sentence that says it of somebody."""
    frame = _BY_RULE[hit.rule]
    start, end = hit.groups.get("value") or hit.groups["value2"]
    return Candidate(
        start,
        end,
        frame.entity,
        frame.rule,
        frame.score,
        f"says something of somebody's {frame.name}",
        "warning",
        Tier.NUMBER,
        {"category": "special"},
    )

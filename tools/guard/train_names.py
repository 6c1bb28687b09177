"""Train the tagger of the personal-data detector: names, places, organisations, nationalities, job titles, addresses.

    python tools/guard/train_names.py [--data ../shared/data] [--out …/tagger/weights.npz] [--hold SOURCE] [--seed 7]

Data: the labelled documents of `pii/`, prompts without personal data from `injection/benign_*.jsonl.gz` (as negatives,
leaving out what a first model is sure is a name), and texts made from templates and word lists written for this
purpose. `--hold` leaves one source out and reports entity scores on it; without it the weights are written.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "src"))

from alcaide.instruments.guard.detectors.personal_data.reading import Reading  # noqa: E402
from alcaide.instruments.guard.detectors.personal_data.tagger import features as seeing  # noqa: E402
from alcaide.instruments.guard.detectors.personal_data.tagger import model as tagging  # noqa: E402

PACKAGE = ROOT / "src/alcaide/instruments/guard/detectors/personal_data"
TEMPLATES = ROOT / "tools/guard/texts/personal_data_templates.txt"
OWN = "own"
P, L, O, N, T, A = (tagging.PERSON, tagging.LOCATION, tagging.ORGANIZATION, tagging.NRP, tagging.TITLE, tagging.ADDRESS)  # noqa: E741

LABELS: dict[str, int] = {
    "PERSON": P, "NAME": P, "DOCTOR": P, "CLIENT_NAME": P, "LAW": P,
    "LOCATION": L, "GPE": L, "CITY": L, "STATE": L, "LANDMARK": L, "PLACE": L,
    "ORGANIZATION": O, "COMPANY": O, "HOSPITAL": O, "SCHOOL": O, "UNIVERSITY": O, "INSURER": O, "BANK": O,
    "MERCHANT": O, "COURT": O, "UNIVERSITY_NAME": O, "COMPANY_NAME": O, "BANK_NAME": O, "RESTAURANT": O,
    "RESTAURANT_NAME": O, "HOTEL_NAME": O, "GYM_NAME": O, "INSTITUTE": O,
    "NRP": N,
    "TITLE": T, "POSITION": T, "JOB_TITLE": T,
    "STREET_ADDRESS": A, "ADDRESS": A, "STREET": A,
}  # fmt: skip
UNSURE = frozenset({"DEPARTMENT", "USERNAME", "EMAIL", "EMAIL_ADDRESS", "PROJECT", "EVENT", "BRANCH", "MENTION", "PREFIX",
                    "DOMAIN_NAME", "LINK", "ZIP_CODE", "ZIP", "PRODUCT", "SUBJECT", "PLATFORM"})  # fmt: skip


@dataclass(slots=True)
class Document:
    """A text with its spans, where it comes from, and how much its unmarked words are to be believed."""

    text: str
    spans: list[tuple[int, int, str]]
    source: str
    complete: float = 1.0


# ── Texts of our own ─────────────────────────────────────────────────────────────────────────────────────────────


class Maker:
    """Fills templates. Half of the names are in the lists; the rest are blends of two, which no list knows."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lists = {name: self._words(name) for name in ("given", "surnames", "places", "nationalities", "jobs")}
        self.templates = [
            line.rstrip("\n").replace("\\n", "\n")
            for line in TEMPLATES.read_text("utf-8").splitlines()
            if line and not line.startswith("# ")
        ]

    @staticmethod
    def _words(name: str) -> list[str]:
        text = (PACKAGE / "lists" / f"{name}.txt").read_text("utf-8")
        return " ".join(line for line in text.splitlines() if not line.startswith("#")).split()

    def documents(self, count: int) -> Iterator[Document]:
        """`count` filled templates, a few joined to one document, some in lower case or capitals."""
        for _ in range(count):
            text, spans = "", []
            for _ in range(self.random.choice((1, 1, 1, 2, 3))):
                template = self.random.choice(self.templates)
                if text:
                    text += self.random.choice(("\n", "\n\n", " "))
                more, marks = self._filled(template)
                spans += [(a + len(text), b + len(text), kind) for a, b, kind in marks]
                text += more
            dice = self.random.random()
            if dice < 0.10 and len(text.lower()) == len(text):
                text = text.lower()
            elif dice < 0.12 and len(text.upper()) == len(text):
                text = text.upper()
            yield Document(text, spans, OWN)

    def _filled(self, template: str) -> tuple[str, list[tuple[int, int, str]]]:
        text, spans, reached = "", [], 0
        for match in re.finditer(r"\{(\w+)\}", template):
            text += template[reached : match.start()]
            reached = match.end()
            value, kind = self._slot(match[1])
            if kind:
                spans.append((len(text), len(text) + len(value), kind))
            text += value
        return text + template[reached:], spans

    def _slot(self, name: str) -> tuple[str, str]:
        if name.startswith("address"):
            return self.address(name[8:]), "STREET_ADDRESS"
        match name:
            case "person":
                return self.person(), "PERSON"
            case "first":
                return self.given(), "PERSON"
            case "last":
                return self.surname(), "PERSON"
            case "city":
                return self.city(), "LOCATION"
            case "country" | "place":
                return self.named(self.pick("places")), "LOCATION"
            case "org":
                return self.organisation(), "ORGANIZATION"
            case "nrp":
                return self.named(self.pick("nationalities")), "NRP"
            case "job":
                return self.job(), "TITLE"
            case "street":
                return self.street(), "STREET_ADDRESS"
            case "honorific":
                return self.random.choice(("Mr.", "Mrs.", "Ms.", "Dr.", "Miss", "Mr", "Mrs", "Prof.", "Professor", "Sir")), ""
            case "zip":
                return self.zip(), ""
            case "phone":
                return self.random.choice(("+1-555-{}", "(555) {}", "555-{}", "0{}", "+49 30 {}")).format(self.digits(7)), ""
            case "email":
                return f"{self.given()}.{self.surname()}@{self.random.choice(('example.com', 'mail.example', 'corp.example'))}".lower(), "EMAIL"
            case "handle":
                return (self.given() + self.random.choice(("_", ".", "")) + self.random.choice((self.surname(), self.digits(2)))).lower(), "USERNAME"
            case "url":
                return f"https://www.{self.blend('surnames')}.example/", "DOMAIN_NAME"
            case "date":
                day, month, year = self.random.randint(1, 28), self.random.randint(1, 12), self.random.randint(1940, 2025)
                months = "January February March April May June July August September October November December".split()
                return self.random.choice(
                    (f"{year}-{month:02}-{day:02}", f"{day}/{month}/{year}", f"{months[month - 1]} {day}, {year}", f"{day} {months[month - 1]} {year}",
                     f"{months[month - 1]} {year}", str(year))
                ), ""  # fmt: skip
            case "time":
                return self.random.choice(("3 PM", "10:30 AM", "15:45", "noon", "8:00")), ""
            case "weekday":
                return self.random.choice("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()), ""
            case "age":
                return str(self.random.randint(18, 95)), ""
            case "money":
                return f"${self.random.randint(1, 5000)}.00", ""
            case "number":
                return self.digits(self.random.choice((6, 9, 10, 12))), ""
        return "{" + name + "}", ""

    def pick(self, name: str) -> str:
        return self.random.choice(self.lists[name])

    def named(self, word: str) -> str:
        """With capitals, `_` opened."""
        small = {"and", "of", "the", "en", "am", "upon", "nad", "sur", "de", "del", "la"}
        parts = [one if one in small else one[:1].upper() + one[1:] for one in word.split("_")]
        text = " ".join(parts)
        return re.sub(r"(?<=[-'’])\w", lambda m: m[0].upper(), text)

    def blend(self, name: str) -> str:
        """The head of one word of a list with the tail of another."""
        first, second = self.pick(name).replace("_", ""), self.pick(name).replace("_", "")
        cut = max(2, len(first) // 2)
        return (first[:cut] + second[max(1, len(second) // 2) :])[:14]

    def given(self) -> str:
        return self.named(self.blend("given") if self.random.random() < 0.3 else self.pick("given"))

    def surname(self) -> str:
        word = self.named(self.blend("surnames") if self.random.random() < 0.45 else self.pick("surnames"))
        dice = self.random.random()
        if dice < 0.03:
            word = self.random.choice(("van ", "de ", "von ", "van der ", "da ", "di ", "O'", "Mc", "al-", "El ", "le ")) + word
        elif dice < 0.06:
            word += "-" + self.named(self.pick("surnames"))
        return word

    def person(self) -> str:
        dice = self.random.random()
        if dice < 0.68:
            return f"{self.given()} {self.surname()}"
        if dice < 0.78:
            return f"{self.given()} {self.random.choice('ABCDEFGHJKLMPRSTW')}{self.random.choice(('.', ''))} {self.surname()}"
        if dice < 0.85:
            return f"{self.given()} {self.given()} {self.surname()}"
        if dice < 0.90:
            return f"{self.given()} {self.surname()} {self.surname()}"
        if dice < 0.93:
            return f"{self.random.choice('ABCDEFGHJKLMPRSTW')}. {self.surname()}"
        if dice < 0.95:
            return f"{self.given()}-{self.given()} {self.surname()}"
        return self.given() if dice < 0.98 else self.surname()

    def city(self) -> str:
        """A town, now and then in capitals."""
        town = self._city()
        return town.upper() if self.random.random() < 0.1 and len(town.upper()) == len(town) else town

    def _city(self) -> str:
        dice = self.random.random()
        if dice < 0.65:
            return self.named(self.pick("places"))
        if dice < 0.92:
            return self.named(self.blend("places"))
        return self.random.choice(("New ", "Port ", "St. ", "San ", "Santa ", "Bad ", "West ", "North ", "Lake ", "El ", "La ", "Saint-")) + self.named(
            self.blend("surnames")
        )

    def organisation(self) -> str:
        pick = self.random.choice
        suffix = pick(("Inc", "Inc.", "Ltd", "Ltd.", "LLC", "Corp", "Corp.", "Corporation", "GmbH", "AG", "S.A.", "PLC", "Group", "Co.", "& Co", "Holdings", "B.V.", "AB", "SpA"))
        trade = pick("Solutions Systems Technologies Consulting Bank Insurance Logistics Foods Media Energy Labs Partners Airlines Pharma Motors Capital Software Analytics Health Foundation Industries Services Networks Security Garden Census Travel Design Studios Farms Robotics Realty".split())
        adjective = pick("Global National United First General Advanced Digital Green Blue Bright Smart Open Pacific Atlantic Northern Solar Urban Prime Summit Apex Alpha Quantum Silver Golden Royal Central Modern Rapid Clear True Civic Better".split())
        coined = self.named(pick(("Ver", "Ex", "Pro", "In", "Micro", "Data", "Cred", "Flight", "Map", "Health", "Edu", "Agri", "Nova", "Zen", "Lumi", "Opti", "Inno", "Demy", "Ava", "Cyber", "Bio", "Geo"))
                            + pick(("sion", "dero", "stack", "pub", "lara", "bilt", "karma", "aware", "quest", "graphy", "ity", "lytics", "pocket", "via", "nova", "metrics", "vault", "wave", "link", "loop", "mate", "zon", "tech")))  # fmt: skip
        surname, place = self.named(self.pick("surnames")), self.named(self.pick("places"))
        return pick(
            (
                f"{surname} {suffix}", f"{surname} {suffix}", f"{surname}, {self.surname()} and {self.surname()}", f"{surname}-{self.surname()}", f"{surname} & {self.surname()}",
                coined, coined, f"{coined} {suffix}", f"{coined} {trade}", f"{adjective} {trade}", f"{adjective} {trade} {suffix}", f"{surname} {trade}",
                f"{place} {trade}", f"University of {place}", f"{place} University", f"{place} General Hospital", f"Bank of {place}", f"{place} High School",
                f"Department of {pick(('Health', 'Education', 'Transport', 'Justice', 'Better Technology', 'Labor'))}", f"{adjective} {pick(('Hospital', 'School', 'Clinic', 'Academy', 'Institute', 'College'))}",
                f"{pick('ABCDEFGHKLMNPRSTVXYZ')}{pick('ABCDEFGHKLMNPRSTVXYZ')}{pick('ABCDEFGHKLMNPRSTVXYZ')} {suffix}", f"{adjective}{trade}",
                pick(("Google", "Microsoft", "Amazon", "Siemens", "Deutsche Bank", "Toyota", "Samsung", "Nestlé", "Red Cross", "UNICEF", "World Bank", "NASA", "BBC", "Reuters", "Harvard University", "Walmart", "IBM", "Shell", "Volkswagen", "Airbus", "Lufthansa", "Spotify", "IKEA", "Nokia", "Sony", "Stanford University", "Interpol", "Greenpeace")),
                f"The {surname} {pick(('Foundation', 'Institute', 'Company', 'Orchestra', 'Hotel', 'Group'))}", f"{self.given()}'s {pick(('Bakery', 'Diner', 'Garage', 'Pizza', 'Books'))}",
            )
        )  # fmt: skip

    def job(self) -> str:
        nouns = [one for one in self.lists["jobs"][:-30] if len(one) > 3]
        areas = "software sales marketing human_resources finance data product project quality network security civil electrical mechanical legal medical research technical customer_service operations insurance dental office".split()
        noun = self.random.choice(nouns)
        dice = self.random.random()
        job = noun if dice < 0.4 else f"{self.random.choice(areas)} {noun}" if dice < 0.8 else f"{self.random.choice(('senior', 'junior', 'chief', 'assistant', 'lead', 'head'))} {self.random.choice(areas)} {noun}"
        job = job.replace("_", " ")
        dice = self.random.random()
        return job.title() if dice < 0.5 else job.capitalize() if dice < 0.75 else job

    def digits(self, count: int) -> str:
        return "".join(self.random.choice("0123456789") for _ in range(count))

    def zip(self) -> str:
        pick = self.random.choice
        return pick((self.digits(5), self.digits(5), self.digits(4), f"{self.digits(5)}-{self.digits(4)}", f"{self.digits(2)}-{self.digits(3)}",
                     f"{pick('ABCDEGHLMNPRSTW')}{pick('ABCDEGHLMNPRSTW')}{self.random.randint(1, 20)} {self.random.randint(1, 9)}{pick('ABDEFGH')}{pick('ABDEFGH')}",
                     f"{pick('ABCEGHK')}{self.digits(1)}{pick('ABCEGH')} {self.digits(1)}{pick('ABCEGH')}{self.digits(1)}", f"{self.digits(3)} {self.digits(2)}", f"{self.digits(4)} {pick('ABCDEGH')}{pick('ABCDEGH')}"))  # fmt: skip

    def street(self, language: str = "") -> str:
        pick = self.random.choice
        stem = pick((self.named(self.pick("surnames")), self.named(self.pick("surnames")), pick("Main Elm Oak Maple Pine Cedar Park Church Mill High Station Lake Hill River Spring Washington Bridge Meadow Birch King Queen Victoria First Second 42nd 5th Market Broad Sunset Forest Garden".split()), self.named(self.blend("surnames")), self.person()))
        match language or pick(("en", "en", "en", "en", "en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "xx")):
            case "de":
                return stem.split()[-1] + pick(("straße", "strasse", "str.", "weg", "gasse", "platz", "allee", " Straße", "-Straße", "ring"))
            case "fr":
                return pick(("rue ", "avenue ", "boulevard ", "place ", "chemin ", "impasse ", "Rue ", "quai ")) + pick(("de ", "du ", "des ", "de la ", "")) + stem
            case "es":
                return pick(("Calle ", "Avenida ", "Plaza ", "C/ ", "Paseo de ", "Camino ", "Camiño ")) + pick(("de ", "del ", "")) + stem
            case "it":
                return pick(("Via ", "Viale ", "Piazza ", "Corso ", "Vicolo ", "Via ")) + stem
            case "pt":
                return pick(("Rua ", "Avenida ", "Travessa ", "Praça ", "Vila ")) + pick(("de ", "do ", "da ", "")) + stem
            case "nl":
                return stem.split()[-1] + pick(("straat", "laan", "weg", "plein", "gracht", "kade", "hof", "singel", "plaats"))
            case "pl":
                return pick(("ul. ", "al. ", "ulica ", "pl. ")) + stem
            case "sv":
                return stem.split()[-1] + pick(("gatan", "vägen", "gata", "veien", "vej", "gade", "katu", "tie", "kuja", "vænget", "stræde", " gate", " vei"))
            case "xx":
                return stem.split()[-1] + pick((" utca", " u.", " út", "ova", " caddesi", " sokak", "i tee", " tn", "kuja", ""))
        return f"{stem} {pick(('Street', 'St', 'St.', 'Avenue', 'Ave', 'Ave.', 'Road', 'Rd', 'Lane', 'Ln', 'Drive', 'Dr', 'Boulevard', 'Blvd', 'Court', 'Ct', 'Place', 'Way', 'Terrace', 'Square', 'Parkway', 'Crescent', 'Close', 'Highway', 'Streets', 'Trail', 'Points'))}"

    def address(self, language: str) -> str:
        pick, number = self.random.choice, str(self.random.randint(1, 9999 if self.random.random() < 0.4 else 250))
        if language and language not in ("en",):
            street = self.street({"sv": "sv", "pl": "pl"}.get(language, language))
            before = language == "fr"
            line = f"{number}{pick((' ', ', ', ' bis '))}{street}" if before else f"{street} {number}{pick(('', '', 'a', ' B', '/3'))}"
            return f"{line}, {self.digits(pick((4, 5, 5)))} {self.city()}" if self.random.random() < 0.7 else line
        dice = self.random.random()
        street, unit = self.street(), pick((f"Apt. {self.digits(3)}", f"Suite {self.digits(3)}", f"Apt {self.digits(2)}", f"Unit {self.digits(2)}", f"Flat {self.digits(1)}", f"#{self.digits(2)}", f"Floor {self.digits(1)}"))
        state = pick("AL AK AZ AR CA CO CT FL GA HI IL IN IA KS KY LA ME MD MA MI MN MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC TN TX UT VT VA WA WV WI WY ON BC AB QC NSW VIC".split())
        first = f"{number} {street}"
        sep = pick((", ", ", ", ", ", "\n", "\n ", " "))
        if dice < 0.16:
            return first
        if dice < 0.3:
            return f"{first}, {self.city()}"
        if dice < 0.5:
            return f"{first}{sep}{self.city()}, {state}{pick((' ', ', '))}{self.digits(5)}"
        if dice < 0.62:
            return f"{first}{pick((' ', ', ', sep))}{unit}{sep}{self.city()}{sep}{self.named(self.pick('places'))} {self.digits(5)}"
        if dice < 0.72:
            return f"{street} {number}{sep}{self.zip()} {self.city()}"
        if dice < 0.8:
            return f"{number} {street} {number}{pick((' ', sep))}{unit}\n{self.city().upper()}\n, {state}\n {self.digits(5)}"
        if dice < 0.86:
            return f"{first}{sep}{self.city()}{sep}{self.zip()}"
        if dice < 0.9:
            return f"{first}{sep}{unit}"
        if dice < 0.93:
            return pick((f"P.O. Box {self.digits(4)}, {self.city()}", f"PO Box {self.digits(3)}", f"PSC {self.digits(4)}, Box {self.digits(4)}\nAPO AA {self.digits(5)}", f"Unit {self.digits(4)} Box {self.digits(4)}\nDPO AE {self.digits(5)}"))
        if dice < 0.96:
            return f"{street} {number}"
        return f"{number} {street} {unit} {self.city()} {self.named(self.pick('places'))}"


# ── Labelled documents ───────────────────────────────────────────────────────────────────────────────────────────


def labelled(data: Path) -> Iterator[Document]:
    """The development documents."""
    for path in sorted((data / "pii").glob("*.jsonl.gz")):
        for line in gzip.open(path, "rt", encoding="utf-8"):
            row = json.loads(line)
            source = "presidio" if row["source"].startswith("presidio") else row["source"]
            spans = [(a, b, kind) for a, b, kind in row.get("spans") or []]
            yield Document(row["text"], spans, source, 1.0 if source == "presidio" else 0.35)


class Silver:
    """Marks in other people's prompts the places, nationalities and full names that the lists are sure of, and puts
    others in their stead, so that the tagger meets names in sentences that no template foresaw."""

    def __init__(self, maker: Maker) -> None:
        self.maker = maker
        ambiguous = set(maker.lists["given"]) | set(maker.lists["surnames"]) | {"reading", "nice", "split", "bath", "mobile", "orange", "surprise"}
        places = [maker.named(one) for one in maker.lists["places"] if one not in ambiguous and len(one) > 3]
        nations = [maker.named(one) for one in maker.lists["nationalities"] if len(one) > 3]
        given = [maker.named(one) for one in maker.lists["given"] if len(one) > 3 and one not in ambiguous - set(maker.lists["given"])]
        self.kind = {**{one: "LOCATION" for one in places}, **{one: "NRP" for one in nations}}
        self.given = set(given)
        known = sorted(self.kind, key=len, reverse=True)
        self.pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, known)) + r")\b|\b[A-Z][a-zà-ž]{2,}(?: [A-Z]\.?)? [A-Z][a-zà-ž]+\b")

    def document(self, text: str) -> Document:
        random_ = self.maker.random
        out, spans, reached = "", [], 0
        for match in self.pattern.finditer(text):
            written = match[0]
            kind = self.kind.get(written, "")
            if not kind and written.split()[0] in self.given:
                kind = "PERSON"
            alone = not re.search(r"[A-Z][\w'’-]* $", text[max(0, match.start() - 24) : match.start()]) and not re.match(
                r"['’]?[ -][A-Z]", text[match.end() : match.end() + 3]
            )
            if not kind or not alone:
                continue
            out += text[reached : match.start()]
            reached = match.end()
            if random_.random() < 0.6:
                slot = {"LOCATION": random_.choice(("city", "country")), "NRP": "nrp", "PERSON": "person"}[kind]
                written = self.maker._slot(slot)[0]
            spans.append((len(out), len(out) + len(written), kind))
            out += written
        return Document(out + text[reached:], spans, "benign", 0.4)


def without_personal_data(data: Path, limit: int, seed: int) -> list[Document]:
    """Prompts of other sets, most of which name nobody."""
    texts: list[str] = []
    for name in ("benign_instructions", "benign_role_prompts", "benign_hard_alcaide"):
        path = data / "injection" / f"{name}.jsonl.gz"
        if path.exists():
            texts += [json.loads(line)["text"] for line in gzip.open(path, "rt", encoding="utf-8")]
    random.Random(seed).shuffle(texts)
    return [Document(text[:1500], [], "benign", 0.6) for text in texts[:limit]]


def write_common(data: Path, target: Path) -> None:
    """Words that other people's prompts write small: a capital at a sentence's start says nothing of them."""
    small: Counter[str] = Counter()
    large: Counter[str] = Counter()
    for document in without_personal_data(data, 100_000, 1):
        for word in re.findall(r"[^\W\d_]+", document.text):
            (small if word == word.lower() else large)[word.lower()] += 1
    words = [word for word, count in small.items() if count >= 6 and count > 1.5 * large[word] and len(word) > 1]
    words = sorted(words, key=lambda word: (-small[word], word))[:6000]
    target.write_text(
        "# Words that prompts write in lower case (counted by tools/guard/train_names.py --common).\n"
        + "\n".join(" ".join(words[at : at + 20]) for at in range(0, len(words), 20)) + "\n", "utf-8",
    )  # fmt: skip


# ── Training ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Examples:
    """Candidate words of some documents: feature rows, labels, weights, and what the second model needs."""

    rows: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    document: np.ndarray
    parts: list[tuple[int, int, int, np.ndarray, seeing.Looks]]


_PERSON_LIKE = re.compile(r"[A-ZÀ-Ž][\w'’-]+(?: [A-ZÀ-Ž][\w'’.-]*)*")


def examples(documents: Iterable[Document]) -> Examples:
    rows, labels, weights, owner, parts, total = [], [], [], [], [], 0
    for number, document in enumerate(documents):
        reading = Reading(document.text, _lower(document.text))
        words = seeing.Words(reading)
        seen = seeing.looks(reading, words)
        if seen is None:
            continue
        marks = np.zeros(words.count, dtype=np.int8)
        trust = np.full(words.count, 1.0, dtype=np.float32)
        # In a set that marks few organisations a capital without a mark proves little.
        trust[(words.kinds[words.starts] == seeing.UPPER)] = document.complete
        if document.source in ("benign", "contextual_anonymizer"):
            # Neither set marks nationalities, and few places: their silence about a listed one says nothing.
            quiet = (words.kinds[words.starts] == seeing.UPPER) & (
                (seen.flags & np.uint16(seeing.PLACE | seeing.NATIONALITY | (seeing.GIVEN if document.source == "benign" else 0))) != 0
            )
            trust[quiet] = 0.02
        for start, end, kind in document.spans:
            inside = (words.starts >= start) & (words.ends <= end)
            written = document.text[start:end]
            label = LABELS.get(kind, 0)
            if kind == "ADDRESS" and not any(one.isdigit() for one in written) and document.source != "presidio":
                label = L if "," in written or " " not in written else A
            if kind in UNSURE or written.startswith("["):
                trust[inside] = 0.1
                if kind == "USERNAME" and _PERSON_LIKE.fullmatch(written):
                    label, trust[inside] = P, 0.6
            elif kind == "TITLE" and re.fullmatch(r"(?i)(mr|mrs|ms|dr|miss|prof)\.?", written):
                label = 0
            elif label:
                trust[inside] = 0.7 if document.source == "benign" else 1.0
            marks[inside] = label
            if label == P:
                flagged = np.flatnonzero(inside)
                if flagged.size and re.fullmatch(
                    r"(?i)mr|mrs|ms|dr|miss|prof", document.text[words.starts[flagged[0]] : words.ends[flagged[0]]]
                ):
                    marks[flagged[0]] = 0
        at = np.flatnonzero(seeing.neighbourhood(seen.seeds, words.count))
        rows += [part.T.astype(np.int32) for part in seeing.features(words, seen, at)]
        labels.append(marks[at])
        weights.append(trust[at])
        owner.append(np.full(at.size, number))
        parts.append((total, total + at.size, words.count, at, seen))
        total += at.size
    return Examples(np.concatenate(rows), np.concatenate(labels), np.concatenate(weights), np.concatenate(owner), parts)


def _lower(text: str) -> str:
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(b if len(b := a.lower()) == 1 else a for a in text)


DROPPED = 0.3
"""Share of features left out of each example while training."""


def fit_first(found: Examples, chosen: np.ndarray, *, epochs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Multinomial logistic regression by AdaGrad with a little weight decay."""
    generator = np.random.default_rng(seed)
    size = 1 << seeing.HASH_BITS
    table = np.zeros((size + 1, tagging.CLASSES), dtype=np.float32)  # the last row stands for a feature left out
    squares = np.full_like(table, 1e-3)
    bias = np.zeros(tagging.CLASSES, dtype=np.float32)
    bias_squares = np.full_like(bias, 1e-3)
    bias[-1] = -30
    places = np.flatnonzero(chosen)
    for epoch in range(epochs):
        generator.shuffle(places)
        rate = 0.15 / (1 + 0.4 * epoch)
        for at in range(0, places.size, 8192):
            batch = places[at : at + 8192]
            rows = found.rows[batch].copy()
            # Features are left out at random, so that no single one is relied on: a stranger's text lacks most.
            rows[generator.random(rows.shape, dtype=np.float32) < DROPPED] = size
            probabilities = tagging.softmax(table[rows].sum(axis=1) / np.float32(1 - DROPPED) + bias)
            probabilities[np.arange(batch.size), found.labels[batch]] -= 1
            error = probabilities * found.weights[batch][:, None]
            flat = rows.ravel()
            gradient = np.empty_like(table)
            for label in range(tagging.CLASSES):
                spread = np.repeat(error[:, label], rows.shape[1])
                gradient[:, label] = np.bincount(flat, weights=spread, minlength=size + 1)
            gradient *= 64 / batch.size
            gradient[size] = 0
            squares += gradient * gradient
            table -= rate * gradient / np.sqrt(squares)
            table *= np.float32(1 - 1e-4 * rate)
            slope = error.mean(axis=0)
            bias_squares += slope * slope
            bias[:-1] -= (rate * slope / np.sqrt(bias_squares))[:-1]
    return table[:size], bias


def packed(table: np.ndarray, bias: np.ndarray, second: np.ndarray, calibration: np.ndarray) -> tagging.Weights:
    """Weights in eight bits."""
    limit = float(np.quantile(np.abs(table[table != 0]), 0.9995)) if (table != 0).any() else 1.0
    scale = limit / 127
    small = np.clip(np.round(table / scale), -127, 127).astype(np.int16)
    return tagging.Weights(small, scale, bias, second, calibration)


def probabilities_of(found: Examples, table: np.ndarray, bias: np.ndarray) -> np.ndarray:
    out = np.empty((found.rows.shape[0], tagging.CLASSES), dtype=np.float32)
    for at in range(0, out.shape[0], 20000):
        out[at : at + 20000] = tagging.softmax(table[found.rows[at : at + 20000]].sum(axis=1) + bias)
    return out


def fit_second(found: Examples, probabilities: np.ndarray, chosen: np.ndarray, seed: int) -> np.ndarray:
    """The second model, on answers of a first one that did not see these documents."""
    inputs, labels, weights = [], [], []
    for start, end, count, places, seen in found.parts:
        if not chosen[start]:
            continue
        field = tagging.empty_field(count)
        field[places + 2] = probabilities[start:end]
        inputs.append(tagging.second_inputs(field, places, seen))
        labels.append(found.labels[start:end])
        weights.append(found.weights[start:end])
    x, y, w = np.concatenate(inputs), np.concatenate(labels), np.concatenate(weights)
    generator = np.random.default_rng(seed)
    matrix = np.zeros((tagging.SECOND_INPUTS, tagging.CLASSES), dtype=np.float32)
    for label in range(tagging.CLASSES):
        matrix[2 * tagging.CLASSES + label, label] = 1
    first, second = np.zeros_like(matrix), np.zeros_like(matrix)
    step = 0
    order = np.arange(y.size)
    for epoch in range(12):
        generator.shuffle(order)
        for at in range(0, y.size, 4096):
            batch = order[at : at + 4096]
            error = tagging.softmax(x[batch] @ matrix)
            error[np.arange(batch.size), y[batch]] -= 1
            gradient = x[batch].T @ (error * w[batch][:, None]) / batch.size + 1e-5 * matrix
            step += 1
            first = 0.9 * first + 0.1 * gradient
            second = 0.99 * second + 0.01 * gradient * gradient
            matrix -= (0.02 / (1 + epoch / 4)) * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-7)
    matrix[:, -1] = 0
    return matrix


def train(documents: list[Document], seed: int, *, quick: bool = False) -> tagging.Weights:
    """Both models and the calibration, on all of `documents`."""
    found = examples(documents)
    generator = np.random.default_rng(seed)
    part = generator.integers(0, 3, size=len(documents))[found.document]
    print(f"{len(documents)} documents, {found.labels.size} words; labels {np.bincount(found.labels).tolist()}", flush=True)
    # 1. A model of two thirds answers for the third it did not see.
    table, bias = fit_first(found, part != 0, epochs=4, seed=seed)
    guesses = probabilities_of(found, table, bias)
    # 2. Words of benign prompts that it is sure are names are not held against the next one.
    benign = np.array([document.source == "benign" for document in documents])[found.document]
    sure = benign & (guesses[:, 0] < 0.3) & (found.labels == 0)
    found.weights[sure] *= 0.1
    second = fit_second(found, guesses, part == 0, seed)
    # 3. Calibration on the same third, 4. and the first model once more on everything.
    calibration = calibrated(documents, found, part, table, bias, second)
    if not quick:
        table, bias = fit_first(found, np.ones(found.labels.size, dtype=bool), epochs=5, seed=seed)
    else:
        table, bias = fit_first(found, np.ones(found.labels.size, dtype=bool), epochs=4, seed=seed)
    return packed(table, bias, second, calibration)


def calibrated(
    documents: list[Document], found: Examples, part: np.ndarray, table: np.ndarray, bias: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """How often entities of each mean probability were right, on documents the models did not see, made monotone."""
    weights = packed(table, bias, second, np.linspace(0, 1, 11, dtype=np.float32))
    unseen = sorted(set(found.document[part == 0].tolist()))
    right, count = np.full(11, 0.0), np.full(11, 0.0)
    for number in unseen:
        document = documents[number]
        if document.source == "benign":
            continue
        truth = [(a, b, LABELS[kind]) for a, b, kind in document.spans if kind in LABELS]
        for one in tagging.tag(Reading(document.text, _lower(document.text)), weights):
            if one.entity not in tagging.LABELS or one.rule == "honorific":
                continue
            bin_ = round(one.score * 10)
            count[bin_] += 1
            right[bin_] += any(tagging.LABELS[label] == one.entity and a < one.end and one.start < b for a, b, label in truth)
    # A little of the identity where there was little to see.
    values = (right + 5 * np.linspace(0, 1, 11)) / (count + 5)
    print("calibration", np.round(values, 3).tolist(), count.astype(int).tolist(), flush=True)
    return np.maximum.accumulate(values).astype(np.float32)


def report(weights: tagging.Weights, documents: Iterable[Document]) -> None:
    """Entity scores by kind: same kind, spans that overlap by half (exact ones beside)."""
    names = {label: name for label, name in enumerate(tagging.LABELS)}
    counts: dict[str, Counter[str]] = {name: Counter() for name in tagging.LABELS[1:]}
    for document in documents:
        truth = [(a, b, names[LABELS[kind]]) for a, b, kind in document.spans if kind in LABELS]
        truth = [one for one in truth if not re.fullmatch(r"(?i)(mr|mrs|ms|dr|miss|prof)\.?", document.text[one[0] : one[1]])]
        found = [(one.start, one.end, one.entity) for one in tagging.tag(Reading(document.text, _lower(document.text)), weights) if one.score >= 0.5 and one.rule != "honorific" and one.entity in counts]
        for a, b, kind in truth:
            hit = [one for one in found if one[2] == kind and _overlap(one, (a, b)) >= 0.5]
            counts[kind]["truth"] += 1
            counts[kind]["hit"] += bool(hit)
            counts[kind]["exact"] += any(one[:2] == (a, b) for one in hit)
        for a, b, kind in found:
            counts[kind]["found"] += 1
            counts[kind]["good"] += any(one[2] == kind and a < one[1] and one[0] < b for one in truth)
    for kind, one in counts.items():
        recall, precision = one["hit"] / max(1, one["truth"]), one["good"] / max(1, one["found"])
        f1 = 2 * recall * precision / max(1e-9, recall + precision)
        print(f"  {kind:15} n={one['truth']:6} recall {recall:.3f} (exact {one['exact'] / max(1, one['truth']):.3f}) precision {precision:.3f} F1 {f1:.3f}", flush=True)


def _overlap(one: Any, other: Any) -> float:
    both = min(one[1], other[1]) - max(one[0], other[0])
    return both / max(1, max(one[1], other[1]) - min(one[0], other[0])) if both > 0 else 0.0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, default=ROOT / "../shared/data")
    arguments.add_argument("--out", type=Path, default=PACKAGE / "tagger/weights.npz")
    arguments.add_argument("--hold", default="")
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--own", type=int, default=16000)
    arguments.add_argument("--benign", type=int, default=8000)
    arguments.add_argument("--share", type=float, default=0.6, help="of the LLM-written documents")
    arguments.add_argument("--common", action="store_true", help="count the common words anew and stop")
    given = arguments.parse_args()
    if given.common:
        write_common(given.data, PACKAGE / "lists/common.txt")
        return
    documents = [*labelled(given.data)]
    held = [one for one in documents if one.source == given.hold]
    kept = [one for one in documents if one.source != given.hold]
    # The templated set is small and varied, the LLM-written one large and alike: a document of either counts the same.
    generator = random.Random(given.seed)
    kept = [one for one in kept if one.source == "presidio" or generator.random() < given.share] + [
        one for one in kept if one.source == "presidio"
    ]
    maker = Maker(given.seed)
    kept += maker.documents(given.own)
    silver = Silver(maker)
    kept += [silver.document(one.text) for one in without_personal_data(given.data, given.benign, given.seed)]
    weights = train(kept, given.seed, quick=bool(given.hold))
    if given.hold and given.out == PACKAGE / "tagger/weights.npz":
        report(weights, held)
        return
    given.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        given.out, table=weights.table.astype(np.int8), scale=np.float32(weights.scale), bias=weights.bias, second=weights.second,
        calibration=weights.calibration,
    )  # fmt: skip
    print(f"{given.out}: {given.out.stat().st_size} bytes, sha256 {hashlib.sha256(given.out.read_bytes()).hexdigest()}", flush=True)
    if given.hold:
        report(weights, held)


if __name__ == "__main__":
    main()

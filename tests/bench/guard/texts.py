"""Texts to measure with: made from a seed, so that a run can be repeated, and no two of a kind alike.

Plain prose has no finding in it, as most of what people write has none. Mixed content is what passes a gateway all
day: a mail with somebody's data, code, JSON, a web page, other scripts. Names and numbers are made up; domains are
those set aside for examples (RFC 2606), telephone numbers those set aside for fiction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random

_WHO = (
    "the harbour office", "a crew of four", "the night shift", "our supplier", "the archive", "a visiting school",
    "the cooperative", "the town council", "a retired pilot", "the repair yard", "the librarian", "the new intern",
    "the orchestra", "a small bakery", "the ferry company", "the research group", "the second team", "a neighbour",
)  # fmt: skip
_DID = (
    "measured", "repaired", "described", "postponed", "counted", "collected", "painted", "compared", "moved",
    "rehearsed", "translated", "ordered", "explained", "closed", "opened", "cleaned", "sketched", "announced",
)  # fmt: skip
_WHAT = (
    "the old tide gauge", "three crates of lamps", "a map of the estuary", "the timetable for spring",
    "the wooden stairs", "seventeen letters", "the results of the survey", "a recipe for rye bread",
    "the second movement", "the roof of the boathouse", "a list of open questions", "the budget for next year",
    "the water pump", "two chapters on migrating birds", "the minutes of the meeting", "a shelf of dictionaries",
)  # fmt: skip
_WHEN = (
    "before the rain set in", "while the others were at lunch", "after a long discussion", "without much ado",
    "on the last morning of the fair", "as they had done every autumn", "because the road was closed",
    "in less time than anybody expected", "although nobody had asked for it", "once the fog had lifted",
    "with the help of the neighbours", "and wrote it down in a blue notebook", "so that work could begin",
)  # fmt: skip
_THEN = (
    "It took longer than planned, and yet everyone agreed that it was worth the effort.",
    "What remained was put into boxes, labelled by year, and carried upstairs.",
    "Nobody could say who had suggested it first.", "The weather held, which is rare at that time of the year.",
    "In the end there were more answers than questions, and that had not happened for a while.",
    "A report will follow when the figures have been checked by a second pair of eyes.",
    "Those who wanted to know more stayed on and talked until the lights went out.",
)  # fmt: skip

_FIRST = ("Amina", "Jonas", "Wioletta", "Ravi", "Ingrid", "Tomás", "Fatou", "Henrik", "Mei", "Luca")
_LAST = (
    "Okafor",
    "Brandt",
    "Zielińska",
    "Menon",
    "Solberg",
    "Quiroga",
    "Diallo",
    "Lindqvist",
    "Tanaka",
    "Moretti",
)
_STREETS = ("Quay Road", "Mill Lane", "Station Street", "Orchard Close", "Lower Bridge Street")

_OTHER_SCRIPTS = (
    "Вчера вечером мы долго говорили о том, как лучше подготовить выставку к весне, и решили начать с карт.",
    "委员会昨天讨论了新的图书馆计划，大家认为应该先修复旧楼，再购买新的书架。",
    "今年の夏は雨が多かったので、畑の仕事は思ったより遅れています。",
    "ناقش المجلس أمس خطة الميناء الجديدة واتفق الجميع على تأجيل القرار إلى الشهر المقبل.",
    "Η ομάδα μέτρησε τη στάθμη του νερού κάθε πρωί και έγραψε τα αποτελέσματα σε ένα τετράδιο.",
    "पिछले सप्ताह हमने पुराने पुल की मरम्मत के बारे में बात की और काम शुरू करने का निर्णय लिया।",
    "어제 저녁 우리는 봄 전시회를 어떻게 준비할지 오랫동안 이야기했습니다.",
)  # fmt: skip


def prose(size: int, seed: int) -> str:
    """English sentences, as many bytes as asked."""
    dice = Random(f"prose {seed}")

    def sentences() -> Iterator[str]:
        while True:
            who, what = dice.choice(_WHO), dice.choice(_WHAT)
            yield f"{who[0].upper()}{who[1:]} {dice.choice(_DID)} {what} {dice.choice(_WHEN)}. "
            if dice.random() < 0.4:
                yield dice.choice(_THEN) + (" " if dice.random() < 0.7 else "\n\n")

    return _of_size(sentences(), size)


def mixed(size: int, seed: int) -> str:
    """Mail, code, JSON, HTML and other scripts by turns; a short text is of one kind, the next of the next."""
    dice = Random(f"mixed {seed}")
    kinds: tuple[Callable[[Random], str], ...] = (_mail, _code, _json, _page, _other_scripts)

    def pieces() -> Iterator[str]:
        turn = seed
        while True:
            kind = kinds[turn % len(kinds)]
            for _ in range(4 if size > 4_000 else 8):
                yield kind(dice)
            turn += 1

    return _of_size(pieces(), size)


def _of_size(pieces: Iterator[str], size: int) -> str:
    gathered, bytes_so_far = [], 0
    while bytes_so_far < size:
        gathered.append(next(pieces))
        bytes_so_far += len(gathered[-1].encode())
    return "".join(gathered).encode()[:size].decode("utf-8", "ignore")


def _mail(dice: Random) -> str:
    first, last = dice.choice(_FIRST), dice.choice(_LAST)
    sentences = prose(dice.randrange(200, 500), dice.randrange(10**9))
    key = f"\nThe API key for the test system is {dice.randbytes(20).hex()}.\n" if dice.random() < 0.1 else ""
    return (
        f"From: {first} {last} <{first.lower()}.{dice.randrange(100)}@example.org>\n"
        f"Subject: delivery {dice.randrange(10**6):06d}\n\n"
        f"Dear colleagues,\n\n{sentences}\n{key}\nYou reach me at +44 7700 900{dice.randrange(1000):03d} or at "
        f"{dice.randrange(1, 90)} {dice.choice(_STREETS)}; please charge {_card(dice)}.\n\nKind regards\n{first}\n\n"
    )


def _card(dice: Random) -> str:
    """A number of a card that nobody has, with the right check digit (ISO/IEC 7812-1, annex B)."""
    digits = [4, 0, 0, 0, 0, 0, *(dice.randrange(10) for _ in range(9))]
    doubled = [d if at % 2 else (2 * d - 9 if d > 4 else 2 * d) for at, d in enumerate(digits)]
    digits.append(-sum(doubled) % 10)
    return " ".join("".join(map(str, digits[at : at + 4])) for at in range(0, 16, 4))


def _code(dice: Random) -> str:
    name = f"{dice.choice(('count', 'merge', 'read', 'sort'))}_{dice.choice(('rows', 'berths', 'tides', 'files'))}"
    return (
        f"def {name}_{dice.randrange(1000)}(path: Path, limit: int = {dice.randrange(10, 900)}) -> list[str]:\n"
        f'    """Returns what {dice.choice(_WHO)} needs, at most `limit` of it."""\n'
        "    found: list[str] = []\n    with path.open(encoding='utf-8') as lines:\n"
        "        for number, line in enumerate(lines):\n"
        f"            if number % {dice.randrange(2, 30)} == 0 and line.strip():\n"
        "                found.append(line.rstrip().lower())\n"
        f"    return sorted(set(found))[:limit]  # {dice.choice(_WHEN)}\n\n\n"
    )


def _json(dice: Random) -> str:
    rows = [
        {
            "id": f"{dice.randbytes(4).hex()}-{dice.randbytes(2).hex()}-4{dice.randbytes(2).hex()[1:]}",
            "title": f"{dice.choice(_WHO)} {dice.choice(_DID)} {dice.choice(_WHAT)}",
            "digest": f"sha256:{dice.randbytes(32).hex()}",
            "length": dice.randrange(10**5),
            "at": f"2026-0{dice.randrange(1, 10)}-{dice.randrange(10, 29)}T12:{dice.randrange(10, 60)}:00Z",
            "tags": dice.sample(("tide", "berth", "crane", "fog", "pilot"), 2),
        }
        for _ in range(3)
    ]
    return json.dumps({"rows": rows, "next": None}, indent=2) + "\n"


def _page(dice: Random) -> str:
    items = "".join(
        f'    <li class="item"><a href="https://www.example.com/{dice.randrange(10**5)}">{dice.choice(_WHAT)}</a></li>\n'
        for _ in range(4)
    )
    return (
        f'<section id="s{dice.randrange(10**4)}">\n  <h2>{dice.choice(_WHAT).capitalize()}</h2>\n'
        f"  <p>{prose(dice.randrange(150, 300), dice.randrange(10**9)).strip()} &amp; more.</p>\n  <ul>\n{items}"
        "  </ul>\n  <!-- end of section -->\n</section>\n"
    )


def _other_scripts(dice: Random) -> str:
    return " ".join(dice.sample(_OTHER_SCRIPTS, 3)) + f" ({dice.randrange(10**4)})\n"

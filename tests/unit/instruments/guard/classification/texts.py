"""Paragraphs written for these tests (CC0): four of a confidential plan, two of the same trade that are none of it."""

from __future__ import annotations

from random import Random

PLAN = (
    (
        "The berth allocation system will be replaced in three stages. In the first stage the harbour "
        "office keeps the old planning board and runs the new optimiser beside it, so that dispatchers can "
        "compare both proposals every morning before the tide window opens. Deviations of more than forty "
        "minutes are written down with the name of the ship, the reason that the dispatcher gives, and the "
        "cost that the operator expects. After eight weeks the steering group looks at these notes and "
        "decides whether the optimiser may fix berths for feeder vessels without asking. Tankers, cruise "
        "ships and anything under escort stay with people for the whole of the first year, and nobody "
        "outside the steering group is told the threshold before the works council has agreed."
    ),
    (
        "Negotiations with the crane supplier are to be closed before the end of the quarter at a price "
        "that must not exceed nineteen million for four units, including the spreader upgrade and ten "
        "years of remote maintenance. Our fallback is the refurbished pair from the northern terminal, "
        "whose gearboxes were inspected in spring and found to be good for another twelve thousand hours. "
        "The supplier does not know that we have inspected them and believes that we must order by "
        "September because of the grant. If the discussion turns to penalties, we accept a lower ceiling "
        "in exchange for the source code of the collision avoidance, which our own engineers need in order "
        "to connect the cranes to the planning system without paying for every interface separately."
    ),
)

SAME_TRADE = (
    (
        "Harbours around the world replace their planning boards with software. A typical optimiser takes "
        "arrivals, tide windows, crane availability and the length of each quay, and proposes a berth for "
        "every ship. Dispatchers remain responsible: they know which captains are punctual, which tankers "
        "need an escort, and what a delay costs. Studies report savings of five to nine per cent in "
        "waiting time, most of it from feeder vessels, while cruise ships gain little because their calls "
        "are fixed a year ahead. Introducing such a system takes months, and works councils usually ask "
        "for a period in which people and software run side by side before anything is decided "
        "automatically."
    ),
    (
        "Ship-to-shore cranes are bought for thirty years and maintained for forty. Buyers compare "
        "outreach, lifting height and the energy taken per move; suppliers earn more with service "
        "contracts than with steel. A refurbished crane costs about a third of a new one, but its gearbox "
        "and its spreader decide whether that is a bargain. Remote maintenance has become common, and with "
        "it the question of who may read the data that the cranes send. Collision avoidance, once an "
        "option, is now demanded by most insurers, and interfaces to planning systems are negotiated "
        "separately, often at a price that surprises those who forgot to ask for it before they signed the "
        "order."
    ),
)

_OTHER_WORDS = (
    "quickly", "nearly", "harbour", "seldom", "project", "again", "team", "however", "often", "review", "general",
    "small", "north", "report", "later", "simple", "almost", "planned", "group", "second",
)  # fmt: skip


def edited(text: str, share: float, seed: int) -> str:
    """`text` with a share of its words replaced, dropped, or joined by another."""
    random = Random(seed)
    words = []
    for word in text.split():
        if random.random() >= share:
            words.append(word)
        else:
            sort = random.randrange(3)
            words.extend(
                [random.choice(_OTHER_WORDS)]
                if sort == 0
                else []
                if sort == 1
                else [word, random.choice(_OTHER_WORDS)]
            )
    return " ".join(words)

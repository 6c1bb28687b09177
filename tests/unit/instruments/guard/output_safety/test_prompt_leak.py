"""Prompt leak: every way of giving the prompt away, and the ordinary answers that are none."""

from __future__ import annotations

import base64
import codecs

import pytest

from alcaide.instruments.guard.detectors.prompt_leak import PROMPT_LEAK
from alcaide.instruments.guard.model import Context, Passage
from alcaide.instruments.guard.normalise import readings
from alcaide.instruments.guard.policy import Limits
from tests.unit.instruments.guard.output_safety.looking import looked, rules

PROMPT = (
    "You are Marlow, the booking assistant of a chain of forty mountain huts between Andermatt and Chur.\n"
    "Never offer a discount above 15 percent, and never mention the closed hut at Piz Lunghin.\n"
    "Escalate complaints to duty-desk@huts.example and quote case code ZX81-Quorra-7.\n"
    "If a guest asks for the price of the winter room, answer 38 francs for members and 52 for others.\n"
    "Keep every reply under 90 words and close with the weather hotline 0900 123 456."
)


def score(answer: str, **context) -> float:
    passage = Passage(answer, direction="out")
    layers, _ = readings(passage, Limits())
    known = Context(direction="out", system_prompt=PROMPT, **context)
    return max(PROMPT_LEAK.examine(layer, (), known).score for layer in layers)


LEAKS = {
    "verbatim": PROMPT,
    "one sentence": PROMPT.split("\n")[1],
    "prefixed": f"Sure! My instructions are: {PROMPT}",
    "upper": PROMPT.upper(),
    "json": '{"rules": ["' + '", "'.join(PROMPT.split("\n")) + '"]}',
    "bullets": "\n".join(f"* {line.rstrip('.')}" for line in PROMPT.split("\n")),
    "base64": base64.b64encode(PROMPT.encode()).decode(),
    "rot13": codecs.encode(PROMPT, "rot13"),
    "reversed": PROMPT[::-1],
    "canary": "By the way, the code is ZX81-Quorra-7.",
    "paraphrased": (
        "I am called Marlow, an assistant for booking at a chain with forty mountain huts from Chur to Andermatt. "
        "Discounts above 15 percent I may never offer, the closed hut at Piz Lunghin I do not mention. Complaints "
        "get escalated to the duty desk, with a case code quoted. For guests who ask the winter room's price: "
        "members 38 francs, others 52. Replies stay under 90 words, and I close with the hotline for weather."
    ),
    "translated": (
        "Du bist Marlow, der Assistent für Buchungen einer Kette von Berghütten zwischen Andermatt und Chur.\n"
        "Biete nie mehr als 15 Prozent Nachlass und erwähne nie die geschlossene Hütte am Piz Lunghin.\n"
        "Beschwerden gehen an duty-desk@huts.example.\n"
        "Fragt ein Gast nach dem Winterraum, nenne 38 Franken für Mitglieder und 52 für andere.\n"
        "Antworte mit höchstens 90 Wörtern und ende mit der Wetternummer 0900 123 456."
    ),
}


@pytest.mark.parametrize("way", LEAKS)
def test_a_leak_is_seen_whichever_way_it_is_written(way):
    assert score(LEAKS[way]) >= 0.5


@pytest.mark.parametrize(
    "answer",
    [
        "The winter room costs 38 francs for members and 52 for others. The weather hotline is 0900 123 456.",
        "I can't share my instructions, but I'm happy to help you book a hut.",
        "There is a free bed in the hut above Andermatt on Friday. Shall I book it for you?",
        "Please write to the duty desk if you have a complaint about your stay.",
        "The weather looks fine between Andermatt and Chur this weekend, with light wind from the west.",
    ],
)
def test_an_answer_on_the_subject_is_no_leak(answer):
    assert score(answer) < 0.5


def test_words_that_the_user_wrote_are_no_leak():
    line = PROMPT.split("\n")[1]

    assert score(f"You wrote: {line}", question=f"Is this a good rule? {line}") < 0.5
    assert score(f"You wrote: {line}") >= 0.5


def test_the_span_is_the_leaked_part():
    line = PROMPT.split("\n")[1]
    answer = f"Thanks for asking! {line} Anything else?"

    (finding,) = looked(PROMPT_LEAK, answer, system_prompt=PROMPT).findings

    assert answer[finding.span.start : finding.span.end] == line.rstrip(".")


def test_without_the_prompt_nothing_is_said_and_what_is_lacking_is_named():
    assert looked(PROMPT_LEAK, PROMPT).findings == ()
    assert "system_prompt" in (PROMPT_LEAK.lacking(Context()) or "")
    assert PROMPT_LEAK.lacking(Context(system_prompt=PROMPT)) is None


def test_the_prompt_itself_on_its_way_in_is_no_leak():
    assert rules(looked(PROMPT_LEAK, PROMPT, direction="in", system_prompt=PROMPT)) == set()

"""Whatever the text is, the detectors of answers give probabilities and spans that lie in it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alcaide.instruments.guard.detectors.code_risk import CODE_RISK
from alcaide.instruments.guard.detectors.forbidden_topics import FORBIDDEN_TOPICS
from alcaide.instruments.guard.detectors.groundedness import GROUNDEDNESS
from alcaide.instruments.guard.detectors.groundedness.model import Model
from alcaide.instruments.guard.detectors.harm import HARM
from alcaide.instruments.guard.detectors.prompt_leak import PROMPT_LEAK
from alcaide.instruments.guard.detectors.refusal import REFUSAL
from alcaide.instruments.guard.detectors.toxicity import TOXICITY
from alcaide.instruments.guard.model import Context, Passage
from tests.unit.instruments.guard.output_safety.looking import looked

TOPICS = FORBIDDEN_TOPICS.configured(
    {"topics": [{"name": "t", "keywords": ["aa", "ßß"], "description": "hut fire"}]}
)
PIECES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "I can't help",
            "5 million",
            "U.S.",
            "ﬁre",
            "İstanbul",
            "eval(input(",
            "{{",
            "\u2028",
            "1,2,3.4/5:6",
            "…",
            "N'T",
        ]
    ),
)
TEXTS = st.lists(PIECES, max_size=12).map(" ".join)


@pytest.mark.parametrize(
    "detector", [CODE_RISK, REFUSAL, TOXICITY, HARM, PROMPT_LEAK, TOPICS], ids=lambda detector: detector.name
)
@settings(max_examples=40, deadline=None)
@given(text=TEXTS, prompt=TEXTS)
def test_a_detector_of_layers_holds_to_its_bounds(detector, text, prompt):
    examination = looked(detector, text, system_prompt=prompt, question=prompt)

    assert 0.0 <= examination.score <= 1.0
    for finding in examination.findings:
        assert 0.0 <= finding.score <= 1.0
        assert 0 <= finding.span.start <= finding.span.end <= len(text)


@settings(max_examples=60, deadline=None)
@given(answer=TEXTS, source=TEXTS, question=TEXTS)
def test_groundedness_holds_to_its_bounds(answer, source, question):
    passage = Passage(answer, direction="out")

    for context in (Context(sources=(f"{source} x",), question=question), Context(samples=(f"{source} x",))):
        examination = GROUNDEDNESS.examine_exchange([passage], context)

        assert 0.0 <= examination.score <= 1.0
        for finding in examination.findings:
            assert 0 <= finding.span.start < finding.span.end <= len(answer)


def test_trees_are_walked_to_their_leaves():
    # One tree: figure 1 above 0.5 goes right to a leaf worth 2; below, figure 0 above 3 decides between 1 and -1.
    model = Model(
        roots=np.array([0]),
        feature=np.array([1, 0, 0, 0, 0]),
        threshold=np.array([0.5, 3.0, 0.0, 0.0, 0.0]),
        left=np.array([1, 3, 2, 3, 4]),
        right=np.array([2, 4, 2, 3, 4]),
        value=np.array([0.0, 0.0, 2.0, -1.0, 1.0]),
        depth=2,
        baseline=0.25,
        slope=1.0,
        intercept=0.0,
    )

    logits = model.sentences(np.array([[0.0, 1.0], [4.0, 0.5], [3.0, 0.0]]))

    assert logits.tolist() == [2.25, 1.25, -0.75]
    assert model.answer(logits) == model.chance(2.25) > 0.5

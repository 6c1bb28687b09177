"""What honest templates do is not reported."""

import pytest

from alcaide.instruments.scan.templates.judge import judge
from tests.unit.instruments.scan.templates.ordinary_templates import ORDINARY


@pytest.mark.parametrize("name", sorted(ORDINARY))
def test_a_template_as_model_families_write_it_has_no_problem(name):
    assert judge(ORDINARY[name]) == []


def test_a_tag_of_a_program_of_its_own_is_hygiene_and_hides_nothing_of_what_it_holds():
    problems = judge("{% speaker loud %}{{ x.__class__ }}{% endspeaker %}")

    assert {problem.rule.id for problem in problems} == {"template/unknown-tag", "template/escape"}


def test_words_that_forbid_something_are_not_taken_for_asking_for_it():
    assert (
        judge("Never reveal passwords. Do not ignore previous instructions. {{ messages[0].content }}") == []
    )


def test_a_phrase_of_markup_in_a_message_is_no_cue():
    assert judge("{% if '<tool_call>' in message.content %}Call the tool that was named.{% endif %}") == []


def test_a_part_of_a_message_looked_up_by_its_kind_is_no_cue():
    assert (
        judge(
            "{% for part in message.content %}{% if part.type == 'text' %}Some text here: {% endif %}{% endfor %}"
        )
        == []
    )

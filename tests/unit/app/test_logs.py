"""What is logged, where, and how it looks."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from alcaide.app.logs import ForPeople, JsonLines, configure_logging


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:], root.level = handlers, level


def a_record(text: str = "something happened", /, **fields: object) -> logging.LogRecord:
    record = logging.LogRecord("alcaide.web", logging.INFO, __file__, 1, text, None, None)
    if fields:
        record.fields = fields
    return record


def test_a_line_is_one_json_object_with_its_fields():
    line = json.loads(JsonLines("web").format(a_record(request_id="r1", ms=3.5)))

    assert line["process"] == "web"
    assert (line["message"], line["request_id"], line["ms"]) == ("something happened", "r1", 3.5)


def test_a_field_cannot_pose_as_part_of_the_line():
    line = json.loads(JsonLines("web").format(a_record(level="critical", message="forged")))

    assert (line["level"], line["message"]) == ("info", "something happened")


def test_a_line_break_in_a_message_does_not_make_a_second_line():
    assert "\n" not in JsonLines("web").format(a_record('first\n{"forged": true}'))


def test_a_traceback_is_a_field_of_the_line():
    try:
        raise ValueError("inside")
    except ValueError:
        record = logging.LogRecord("a", logging.ERROR, __file__, 1, "broke", None, sys.exc_info())

    line = json.loads(JsonLines("web").format(record))

    assert "ValueError: inside" in line["exception"]


def test_a_person_sees_no_traceback():
    try:
        raise ValueError("inside")
    except ValueError:
        record = logging.LogRecord("a", logging.ERROR, __file__, 1, "broke", None, sys.exc_info())

    text = ForPeople("web").format(record)

    assert "Traceback" not in text
    assert text.endswith("error: broke (ValueError; see the log file)")


def test_a_request_that_went_well_stays_in_the_file(tmp_path, capsys):
    path = configure_logging("web", tmp_path)

    logging.getLogger("alcaide.access").info("request", extra={"fields": {"path": "/"}})

    assert capsys.readouterr().err == ""
    assert json.loads(path.read_text())["path"] == "/"


def test_the_folder_of_the_logs_is_its_owners_alone(tmp_path):
    path = configure_logging("web", tmp_path / "data")

    assert path.parent.stat().st_mode & 0o077 == 0

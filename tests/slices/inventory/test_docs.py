"""What the guides show works as it is written."""

from __future__ import annotations

import re
from pathlib import Path

from alcaide.slices.inventory.service.declare import read_document

GUIDES = Path(__file__).parents[3] / "docs" / "how-to"


def test_the_document_in_the_guide_can_be_applied(tmp_path: Path):
    text = re.findall(r"```yaml\n(systems:.*?)```", (GUIDES / "alcaide-yaml.md").read_text(), re.DOTALL)[0]
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "fraud.onnx").write_bytes(b"x")

    found = read_document(text.encode(), base=tmp_path)

    system = found.systems[0]
    assert system.fields(None).regions == ("eu", "no")
    assert [wish.ref for wish in system.components or ()] == [
        "model:fraud-scorer@3",
        "service:chat-completions@2026-10",
        "prompt:greeting@4",
    ]
    assert not (system.flows or ())[0].crosses_boundary


def test_the_commands_in_the_guides_exist():
    from alcaide.slices.inventory.cli import app

    words = {
        word
        for guide in ("register.md", "import-systems.md", "alcaide-yaml.md")
        for word in re.findall(r"alcaide inventory ([a-z-]+)", (GUIDES / guide).read_text())
    }
    assert words == {"register", "list", "show", "retire", "import-csv", "import-bom", "export", "apply"}
    for word in words:
        assert app[word] is not None

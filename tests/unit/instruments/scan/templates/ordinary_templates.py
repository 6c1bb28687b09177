"""Chat templates as honest model families write them, in our own words: none of them may be reported."""

from pathlib import Path

ORDINARY = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parent / "ordinary").glob("*.jinja"))
}

CHATML = ORDINARY["chatml"]

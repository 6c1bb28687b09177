"""Both corpora on disk: what each case is called, and which case a reported path belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Corpus:
    """A folder with one entry a case."""

    name: str
    folder: Path
    cases: frozenset[str]
    """Names of the entries that are cases: relative paths, of a file or a folder."""
    skipped: frozenset[str] = frozenset()
    """Cases that are there and counted nowhere: attacks that do nothing by themselves when loaded or used."""

    def case_of(self, path: str) -> str | None:
        """The case that a path reported by a scanner lies in; None for a path that is in none."""
        text = path.replace("\\", "/")
        root = str(self.folder)
        if root in text:
            text = text[text.index(root) + len(root) :]
        text = text.lstrip("/")
        # Members are written as `file:member`, `file!member` or `file/member`; the longest case that fits is it.
        for case in sorted(self.cases, key=len, reverse=True):
            if text == case or text.startswith((f"{case}/", f"{case}:", f"{case}!", f"{case} ")):
                return case
        return None

    @property
    def bytes(self) -> int:
        """How large it is."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def laid_out(folder: Path) -> tuple[Corpus, Corpus]:
    """The attacks and the benign, written into two folders."""
    from tests.corpora.models import attacks, benign

    bad, good = folder / "attacks", folder / "benign"
    bad.mkdir(parents=True)
    good.mkdir(parents=True)
    written = {attack.write(bad).relative_to(bad).parts[0]: attack for attack in attacks.all()}
    harmless = frozenset(name for name, attack in written.items() if attack.acts == "none")
    unpacked = [model.path.relative_to(good).as_posix() for model in benign.unpack(good)]
    return (
        Corpus("attacks", bad, frozenset(written), harmless),
        Corpus("benign", good, frozenset(unpacked)),
    )

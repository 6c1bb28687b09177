"""Write the figures of the toxicity, harm and groundedness models into their pages under docs/guard.

    python tools/guard/output_cards.py

What stands between the two markers of a page comes from the file that training wrote, nothing is typed in.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from alcaide.instruments.guard.learned import model_file

HERE = Path(__file__).resolve().parents[2]
PAGES = HERE / "docs/guard"
DETECTORS = HERE / "src/alcaide/instruments/guard/detectors"


def main() -> None:
    """Write all three."""
    for name in ("toxicity", "harm"):
        _into(PAGES / f"{name}.md", _head(name))
    _into(PAGES / "groundedness.md", _groundedness())


def _into(page: Path, text: str) -> None:
    old = page.read_text(encoding="utf8")
    new = re.sub(
        r"(<!-- figures -->\n).*(<!-- end of figures -->)", lambda m: m[1] + text + m[2], old, flags=re.DOTALL
    )
    page.write_text(new, encoding="utf8")


def _head(name: str) -> str:
    content = (DETECTORS / name / "weights.npz").read_bytes()
    header = model_file.read(content, name=name).header
    figures = header["figures"]
    lines = [
        "| held out whole | positives | negatives | AUROC | average precision |",
        "|---|---|---|---|---|",
    ]
    for source, one in figures.items():
        if isinstance(one, dict) and "auroc" in one:
            lines.append(
                f"| {source} | {one['positives']} | {one['negatives']} | {one['auroc']:.3f} "
                f"| {one['average_precision']:.3f} |"
            )
    lines += [
        "",
        (
            f"Over all held-out texts together: AUROC {figures['pooled']:.3f}. Share reported at the shipped threshold "
            f"({header['thresholds']['report']}), each source scored by a model that never saw it:"
        ),
        "",
        "| source | toxic or harmful | harmless |",
        "|---|---|---|",
    ]
    shares: dict[str, dict[str, float]] = {}
    for key, share in figures["reported"].items():
        source, _, side = key.rpartition(":")
        shares.setdefault(source, {})[side] = share
    lines += [
        f"| {source} | {_percent(one.get('1'))} | {_percent(one.get('0'))} |"
        for source, one in sorted(shares.items())
    ]
    lines += ["", f"Weights: {len(content) // 1024} kB. Data, by sha256:", ""]
    lines += [f"- `{file}` `{digest[:16]}…`" for file, digest in sorted(header["data"].items())]
    lines += [f"- texts of our own, `tools/guard/output_texts.py` `{header['texts'][:16]}…`"]
    return "\n".join(lines) + "\n"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _groundedness() -> str:
    figures = json.loads((HERE / "tools/guard/groundedness_figures.json").read_text())
    lines = ["| held out whole | answers | AUROC | AUROC on our changes to its texts |", "|---|---|---|---|"]
    for source, one in figures["held_out"].items():
        if source in ("mean", "pooled"):
            continue
        changes = one.get("auroc_of_our_changes")
        lines.append(
            f"| {source} | {one['answers']} | {one['auroc']:.3f} | {'' if changes is None else f'{changes:.3f}'} |"
        )
    lines += [
        f"| mean of the sources | | {figures['held_out']['mean']['auroc']:.3f} | |",
        "",
        f"Trained on {figures['answers']} answers, seed {figures['seed']}. Data, by sha256:",
        "",
    ]
    lines += [f"- `{file}` `{digest[:16]}…`" for file, digest in sorted(figures["data"].items())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

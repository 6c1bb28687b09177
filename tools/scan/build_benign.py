"""Makes the benign corpus anew: `tests/corpora/models/benign.zip` and its manifest `benign.json`.

    .venv-corpora/bin/python -m tools.scan.build_benign [LIBRARY…]

Needs what `requirements/corpora.in` lists, in an environment of its own, and no network. A library that is missing
there is left out, and said so; with names given, only those libraries' artifacts are made and the others are kept.
"""

import argparse
import hashlib
import importlib
import importlib.metadata
import json
import shutil
import sys
import tempfile
import traceback
import warnings
import zipfile
from pathlib import Path

from tests.corpora.models.benign import ARCHIVE, MANIFEST
from tests.corpora.models.benign.recipe import Recipe, recipes

MODULES = (
    "arrays",
    "sklearn_models",
    "frames",
    "torch_models",
    "boosters",
    "statistics",
    "language",
    "networks",
    "packages",
    "ordinary",
    "companions",
)

# A zip stores times; all members carry this one, so that the same files make the same archive.
_TIME = (2024, 1, 1, 0, 0, 0)


def known(chosen: list[str]) -> list[Recipe]:
    """The recipes of every module whose libraries are here."""
    for name in MODULES:
        try:
            importlib.import_module(f"tests.corpora.models.benign.{name}")
        except ImportError as missing:
            print(f"left out: {name} ({missing})", file=sys.stderr)
    return [recipe for recipe in recipes() if not chosen or recipe.library in chosen]


def made(recipe: Recipe, root: Path) -> dict[str, object] | None:
    """Makes one artifact under `root`; its entry in the manifest, or None if its library failed to."""
    path = root / recipe.path
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        recipe.make(path)
    except Exception:  # noqa: BLE001 - one library's failure is reported and leaves the others standing
        print(f"failed: {recipe.path}\n{traceback.format_exc(limit=-3)}", file=sys.stderr)
        return None
    files = sorted(file for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())
    return {
        "path": recipe.path,
        "library": recipe.library,
        "version": _version(recipe.library),
        "says": recipe.says,
        "bytes": sum(file.stat().st_size for file in files),
        "files": {str(f.relative_to(root)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files},
    }


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return ""


def pack(root: Path, entries: list[dict[str, object]]) -> None:
    """Writes archive and manifest from what lies under `root`."""
    entries = sorted(entries, key=lambda entry: str(entry["path"]))
    with zipfile.ZipFile(ARCHIVE, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for entry in entries:
            for name in entry["files"]:  # type: ignore[attr-defined]
                archive.writestr(
                    zipfile.ZipInfo(name, _TIME), (root / name).read_bytes(), zipfile.ZIP_DEFLATED
                )
    MANIFEST.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    """Makes the corpus, or the part that is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("libraries", nargs="*", help="make these only, keep the others")
    chosen = parser.parse_args().libraries
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        kept: list[dict[str, object]] = []
        if chosen and MANIFEST.exists():
            with zipfile.ZipFile(ARCHIVE) as archive:
                archive.extractall(root)
            kept = [entry for entry in json.loads(MANIFEST.read_text()) if entry["library"] not in chosen]
            for library in chosen:
                shutil.rmtree(root / library, ignore_errors=True)
        entries = [entry for recipe in known(chosen) if (entry := made(recipe, root))]
        pack(root, kept + entries)
        print(f"{len(kept + entries)} artifacts, {ARCHIVE.stat().st_size / 1e6:.1f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()

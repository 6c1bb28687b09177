"""Where a path in a stranger's file would lead."""

from __future__ import annotations

import re
from urllib.parse import unquote

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(?://|/|\\)")
_DRIVE = re.compile(r"[A-Za-z]:")
_VARIABLE = re.compile(r"\$\{?[A-Za-z_]|%[A-Za-z_]+%")


def leads_out(path: str) -> str:
    """Why a path may lead out of the folder it belongs to, in a few words, or "".

    Judged for Unix and Windows alike: who loads the file is not known. A path that stays inside by its text may still
    be a link; only the folder itself can tell.
    """
    path = path.strip()
    if "%" in path and (decoded := unquote(path)) != path and (why := leads_out(decoded)):
        return f"decoded, {why}"
    if "\0" in path:
        return "it holds a zero byte"
    if _SCHEME.match(path):
        return "it is an address"
    if path.startswith(("/", "\\")) or _DRIVE.match(path):
        return "it is absolute"
    if path.startswith("~"):
        return "it leads to a home folder"
    if ".." in path.replace("\\", "/").split("/"):
        return "it leads upwards"
    if _VARIABLE.search(path):
        return "it depends on the environment"
    return ""

"""Where a path in a stranger's file would lead; and paths as they can be written down: names need not be UTF-8."""

from __future__ import annotations

from alcaide.instruments.scan.patterns import regex

_SCHEME = regex(r"[A-Za-z][A-Za-z0-9+.-]+:(?://|/|\\)")
_DRIVE = regex(r"[A-Za-z]:")
_VARIABLE = regex(r"\$\{?[A-Za-z_]|%[A-Za-z_]+%")


def sendable(name: str) -> str:
    """A name as UTF-8 can hold it, for reports. Two names may come out the same."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "backslashreplace").decode()
    return name


def leads_out(path: str) -> str:
    """Why a path may lead out of the folder it belongs to, in a few words, or "".

    Judged for Unix and Windows alike: who loads the file is not known. A path that stays inside by its text may still
    be a link; only the folder itself can tell.
    """
    path = path.strip()
    if "%" in path:
        from urllib.parse import unquote

        if (decoded := unquote(path)) != path and (why := leads_out(decoded)):
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

"""Delimited text as spreadsheets write it, and as they take it for text and not for formulas.

Files come from programs that each mean something else by CSV. Encoding is told from the byte order mark, else UTF-8 if
the bytes are that, else Windows-1252, which is what older spreadsheets write; the delimiter is the one under which
most headers are known. Both are said in the preview, because a wrong guess shows there as odd letters, to a person.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Iterable, Iterator, Sequence

from alcaide.kernel.errors import InvalidInput
from alcaide.slices.inventory.rules.validate import clean

DELIMITERS = ";,\t|"
_RISKY = ("=", "+", "-", "@", "\t", "\r")


def decode(data: bytes) -> tuple[str, str]:
    """The name of the encoding, for people, and the text."""
    for mark, name, codec in _MARKS:
        if data.startswith(mark):
            try:
                return name, data[len(mark) :].decode(codec)
            except UnicodeDecodeError as problem:
                raise InvalidInput(
                    f"the file says it is {name} and is not, at byte {problem.start}; save it again as UTF-8"
                ) from None
    sample = data[:4_096]
    if sample.count(0) > len(sample) // 4:
        codec = "utf-16-be" if sample[::2].count(0) > sample[1::2].count(0) else "utf-16-le"
        try:
            return "UTF-16 without mark", data.decode(codec)
        except UnicodeDecodeError:
            raise InvalidInput("the file is not text; save the sheet as CSV (UTF-8) and send that") from None
    try:
        return "UTF-8", data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if sample.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InvalidInput("the file is a workbook, not CSV; save the sheet as CSV (UTF-8) and send that")
    try:
        return "Windows-1252", data.decode("cp1252")
    except UnicodeDecodeError:
        return "Latin-1", data.decode("latin-1")


def delimiter_of(text: str, words: Collection[str]) -> tuple[str, str]:
    """The text without a `sep=` line, and the delimiter under which most of `words` are in the first line."""
    first, _, rest = text.lstrip("\r\n").partition("\n")
    declared = first.strip().strip('"').lower()
    if declared.startswith("sep=") and len(declared) == 5:
        return rest, declared[4]

    def score(delimiter: str) -> tuple[int, int]:
        _, cells = next(records(text[:65_536], delimiter, lenient=True), (1, []))
        return sum(spelled(cell) in words for cell in cells), len(cells)

    return text, max(DELIMITERS, key=score)


def records(text: str, delimiter: str, *, lenient: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line each starts on. A quote that is never closed is an error, not the rest of the file."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=not lenient)
    start = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            if lenient:
                return
            raise InvalidInput(
                f"the row that starts on line {start} cannot be read: {problem}; check its quotation marks",
                {"file": f"line {start} cannot be read"},
            ) from None
        yield start, cells
        start = reader.line_num + 1


def spelled(cell: str) -> str:
    """A header as it is compared: case, dashes and marks at its end do not matter."""
    return " ".join(clean(cell).lower().replace("_", " ").replace("-", " ").split()).rstrip(" *:")


def unquoted(cell: str) -> str:
    """Take off the quote that an export put before a cell that would have started a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_RISKY) else cell


def write_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """CSV lines that spreadsheets open as text: no cell starts a formula (OWASP, CSV injection).

    The quote put before such a cell is taken off again when the file comes back.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    for row in (header, *([safe_cell(cell) for cell in cells] for cells in rows)):
        writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def safe_cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_RISKY) else text


_MARKS = (
    (codecs.BOM_UTF8, "UTF-8 with mark", "utf-8"),
    (codecs.BOM_UTF32_LE, "UTF-32", "utf-32-le"),
    (codecs.BOM_UTF32_BE, "UTF-32", "utf-32-be"),
    (codecs.BOM_UTF16_LE, "UTF-16", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "UTF-16", "utf-16-be"),
)

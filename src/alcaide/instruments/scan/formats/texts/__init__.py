"""Text formats that programs act upon: source, configuration, notebooks, lists of packages, markup."""

from alcaide.instruments.scan.formats.texts import (
    json_text,
    markup,
    notebook,
    packages,
    plain,
    python,
    yaml_text,
)

FORMATS = (
    *python.FORMATS,
    *notebook.FORMATS,
    *yaml_text.FORMATS,
    *json_text.FORMATS,
    *packages.FORMATS,
    *markup.FORMATS,
    *plain.FORMATS,
)

"""Text formats that programs act upon: source, configuration, notebooks, lists of packages."""

from alcaide.instruments.scan.formats.texts import python

FORMATS = (*python.FORMATS,)

"""Python source that comes with a model: what it does when it is loaded, imported, installed or used."""

from alcaide.instruments.scan.formats.texts.python import format as source

FORMATS = source.FORMATS

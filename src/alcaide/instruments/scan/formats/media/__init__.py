"""Pictures, sounds, documents and tables: recognised as what they are, and checked for what hides in or behind them."""

from alcaide.instruments.scan.formats.media import documents, images, sounds, tables

FORMATS = (*images.FORMATS, *sounds.FORMATS, *documents.FORMATS, *tables.FORMATS)

"""Archives and compressed files: what lies in them is looked at like a file of its own.

Besides its content an archive has its own ways to do harm: names and links that lead outside of where it is unpacked,
bombs, members that overlap or are there twice, and a story that differs from program to program.
"""

from alcaide.instruments.scan.formats.archives import foreign, plain_zip, seven_zip, streams, tar

FORMATS = (*plain_zip.FORMATS, *tar.FORMATS, *streams.FORMATS, *seven_zip.FORMATS, *foreign.FORMATS)

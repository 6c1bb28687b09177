"""HDF5, as far as it must be read to say what a file holds and where it leads: groups, links, attributes, layouts.

The HDF5 library follows every link, opens the files a file names, and loads filters from plug-ins; a scan must know of
all that without doing any of it. Here objects are walked by their addresses, each once; attributes are read with their
values; of datasets only their shape, type, storage and filters. Superblocks 0 to 3, object headers 1 and 2, groups in
both styles, fractal heaps and version 2 B-trees are read; addresses and counts are believed only as far as they can be.

Left out: the contents of datasets, and huge attributes in fractal heaps (an attribute above 64 KiB, which libraries for
machine learning do not write).

See "HDF5 File Format Specification Version 3.0", whose section numbers the comments name.
"""

from alcaide.instruments.scan.hdf5.addressed import SIGNATURE
from alcaide.instruments.scan.hdf5.model import Attribute, Item, Link, Storage
from alcaide.instruments.scan.hdf5.reader import Reader

__all__ = ["SIGNATURE", "Attribute", "Item", "Link", "Reader", "Storage"]

"""Backups with something wrong in them."""

from __future__ import annotations

import hashlib
import json
import zipfile


def rewrite(source, target, changes, *, rehash=False, manifest=None):
    """Copy an archive with some members changed; `rehash` makes the manifest agree with them."""
    with (
        zipfile.ZipFile(source) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        described = json.loads(old.read("manifest.json"))
        for name in old.namelist():
            if name == "manifest.json":
                continue
            content = old.read(name)
            if name in changes:
                content = changes[name](content)
                described["members"][name]["size"] = len(content)
                if rehash:
                    described["members"][name]["sha256"] = hashlib.sha256(content).hexdigest()
            new.writestr(name, content)
        if manifest:
            manifest(described)
        new.writestr("manifest.json", json.dumps(described))
    return target

"""Check an evidence bundle of Alcaide, offline and without Alcaide. docs/verify/bundle.md describes the format.

    python verify.py bundle.zip --trusted ed25519:<id of a key that you were told by other means>

Exit code 0: all holds and hangs on a key you trust; 1: refused, naming leaf or member; 2: all holds, but no key named.
"""

import io
import json
import sys
import zipfile
from base64 import b64decode, urlsafe_b64decode
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def need(holds, why):
    """Refuse the bundle unless this holds."""
    if not holds:
        raise SystemExit(f"REFUSED: {why}")


def digest(*parts):
    """SHA-256 over the parts in a row."""
    return sha256(b"".join(parts)).digest()


def unique(pairs):
    """No object may name a key twice: two readers would see two documents."""
    need(len(dict(pairs)) == len(pairs), f"manifest.json or a leaf has a key twice: {[*dict(pairs)]}")
    return dict(pairs)


def check(public, signature, message, what):
    """An Ed25519 signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except Exception:  # noqa: BLE001
        need(False, f"{what}: a signature does not hold")


def unpack(data):
    """The members of an archive in which no byte is unaccounted for: it is the only one of these members."""
    need(data[-22:-18] == b"PK\5\6" and int.from_bytes(data[-10:-6], "little") < 2**23, "archive not whole")
    members, again = {}, io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(again, "w") as copy:
        for info in archive.infolist():
            need(info.compress_type == 0, f"member `{info.filename}` is compressed")
            members[info.filename] = archive.read(info)  # checks its CRC, and names it in the error
            plain = zipfile.ZipInfo(info.filename)
            plain.create_system, plain.external_attr = 3, 0o100644 << 16
            copy.writestr(plain, members[info.filename])
    need(again.getvalue() == data, "the archive was altered outside its members")
    return members


def check_note(note, keys):
    """The lines of a C2SP checkpoint, and which of the keys (name, kind, public) signed it."""
    (text, _, lines), signed = note.rpartition("\n\n"), []
    for name, encoded in (line.removeprefix("— ").split(" ") for line in lines.splitlines()):
        mark, raw = b64decode(encoded)[:4], b64decode(encoded)[4:]
        for key in keys:
            if key[0] == name and mark == digest(f"{name}\n".encode(), bytes([key[1]]), key[2])[:4]:
                time = f"cosignature/v1\ntime {int.from_bytes(raw[:8], 'big')}\n" if key[1] == 4 else ""
                check(key[2], raw[-64:], f"{time}{text}\n".encode(), f"checkpoint, signature of `{name}`")
                signed.append(key)
    return text.splitlines(), signed


def root_from(node, index, size, path):
    """The root to which a leaf's hash and its inclusion proof lead (RFC 6962, 2.1.1)."""
    if size == 1:
        return node if not path else None
    left, sibling = 1 << ((size - 1).bit_length() - 1), b64decode(path[-1])
    if index < left:
        return digest(b"\1", root_from(node, index, left, path[:-1]), sibling)
    return digest(b"\1", sibling, root_from(node, index - left, size - left, path[:-1]))


def check_complete(key, proof, leaves, root):
    """The leaves about a key are all there are: the index commits to their number and order."""
    hashed, acc = digest(key.encode()), bytes(32)
    for index in proof["leaves"]:
        need(index in leaves, f"leaf {index} about `{key}` was left out")
        acc = digest(b"\4", acc, index.to_bytes(8, "big"), digest(b"\0", leaves[index]))
    bucket = {bytes.fromhex(k): n.to_bytes(8, "big") + bytes.fromhex(acc) for k, n, acc in proof["bucket"]}
    mine = len(proof["leaves"]).to_bytes(8, "big") + acc if proof["leaves"] else None
    need(bucket.get(hashed) == mine, f"evidence about `{key}` is not all there")
    value = digest(b"\2", *(k + bucket[k] for k in sorted(bucket))) if bucket else bytes(32)
    place = int.from_bytes(hashed[:3], "big") >> 6
    for node in map(b64decode, proof["nodes"]):
        need(node[place % 64 * 32 :][:32] == value, f"the index does not lead to `{key}`")
        value, place = digest(b"\3", node) if any(node) else bytes(32), place >> 6
    need(value == root and len(proof["nodes"]) == 3, f"the index does not lead to `{key}`")


def verify(members):
    """Refuse, or return what the manifest says."""
    manifest = json.loads(members["manifest.json"], object_pairs_hook=unique)
    about, said, signers = manifest["predicate"], {}, {}
    keys = {key["keyid"]: b64decode(key["public"]) for key in about["keys"]}
    # 1. The log's newest key signs the manifest, which names every other member by its digest.
    log = (about["origin"], 1, [*keys.values()][-1])
    check(log[2], members["manifest.sig"], b"alcaide-bundle/v1\n" + members["manifest.json"], "manifest.json")
    named = {subject["name"]: subject["digest"]["sha256"] for subject in manifest["subject"]}
    for name in sorted({*members, *named} - {"manifest.json", "manifest.sig"}):
        need(sha256(members.get(name, b"")).hexdigest() == named.get(name), f"member `{name}` was altered")
    # 2. It signs the checkpoint too, and each leaf lies under the checkpoint's root.
    keyring = [log, *((name, 4, b64decode(key)) for name, key in about["witnesses"])]
    note, signed = check_note(members["checkpoint"].decode(), keyring)
    need(log in signed and note[:2] == [log[0], str(about["size"])], "the checkpoint is not that of the log")
    leaves = {int(name[7:-5]): member for name, member in members.items() if name.startswith("leaves/")}
    for i, leaf in leaves.items():
        root = root_from(digest(b"\0", leaf), i, about["size"], about["inclusion"][str(i)])
        need(root == b64decode(note[2]), f"leaf {i} is not in the log")
        dsse = json.loads(leaf, object_pairs_hook=unique)
        body = urlsafe_b64decode(dsse["payload"].replace("+", "-").replace("/", "_") + "==")
        said[i] = json.loads(body, object_pairs_hook=unique)
        message = f"DSSEv1 {len(dsse['payloadType'])} {dsse['payloadType']} {len(body)} ".encode() + body
        signers[i] = {s["keyid"]: s["sig"] for s in dsse["signatures"] if s.get("keyid") in keys}
        in_force = max((key["leaf"], key["keyid"]) for key in about["keys"] if key["leaf"] < max(i, 1))[1]
        for keyid, signature in signers[i].items():
            need(keyid == in_force, f"leaf {i} is signed by `{keyid}`, which was not in force then")
            check(keys[keyid], b64decode(signature), message, f"leaf {i}")
    # 3. Each key was announced by the one before it; a leaf by none of them was taken in by one of them.
    for before, key in zip([about["keys"][0], *about["keys"]], about["keys"], strict=False):
        need(key["keyid"] == f"ed25519:{sha256(keys[key['keyid']]).hexdigest()[:32]}", "a key has a wrong id")
        event, by, public = said[key["leaf"]], [*signers[key["leaf"]]], keys[key["keyid"]].hex()
        same = event["predicateType"] == "urn:alcaide:key-event:v1" and event["predicate"]["public"] == public
        need(same and by == [before["keyid"]], f"leaf {key['leaf']} does not announce its key")
    imports = [i for i in leaves if signers[i] and said[i]["predicateType"] == "urn:alcaide:imported:v1"]
    stray = {i for i in leaves if not signers[i]} - {said[i]["predicate"].get("leaf") for i in imports}
    need(not stray, f"leaf {min(stray, default=0)} is foreign, and no import vouches for it")
    # 4. Nothing that the log says about the subjects was held back.
    for key, proof in about["subjects"].items():
        check_complete(key, proof, leaves, bytes.fromhex(note[3].removeprefix("index sha256:")))
    return about, {*keys}


if __name__ == "__main__":
    try:
        about, keys = verify(unpack(Path(sys.argv[1]).read_bytes()))
    except Exception as why:  # noqa: BLE001
        need(False, f"`manifest.json` was altered, or this is no bundle: {type(why).__name__} {why}")
    print(f"INTACT: all that log {about['origin']} said about {about['about']} up to size {about['size']}")
    if not keys & {*sys.argv[2:]}:
        print(f"UNKNOWN: {keys} may be anybody's. Name one you were told by other means with --trusted.")
        sys.exit(2)

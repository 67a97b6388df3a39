#!/usr/bin/python3
"""The texts of a sealed people.mdb as JSON, by reference: docs/format.md section 5.1 and nothing of jangbu. Needs python3-lmdb and python3-nacl.

usage: sealed_reader.py LEDGER KEY_FILE"""
import base64
import hashlib
import json
import struct
import sys

import lmdb
from nacl import exceptions
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as decrypt

number = lambda n: struct.pack(">Q", n)
value = lambda b: struct.unpack(">Q", b)[0]
hashed = lambda n, key, text: hashlib.blake2b(text, digest_size=n, key=key).digest()


def opened(key, beside, box):
    return decrypt(box[24:], beside, box[:24], key)


masters = {}
for line in open(sys.argv[2], encoding="ascii"):
    word, ledger, epoch, key = line.rstrip("\n").split(" ")
    assert word == "jangbu-key-1"
    ledger = bytes.fromhex(ledger)
    key, of = base64.b64decode(key), b"jangbuP2" + ledger + number(int(epoch))
    masters[int(epoch)] = {c: hashed(16 if c == "C" else 32, key, of + c.encode()) for c in "WIMC"}
env = lmdb.open(sys.argv[1] + "/people.mdb", subdir=False, readonly=True, max_dbs=8)
tables = {name: env.open_db(name, create=False) for name in (b"owners", b"texts", b"index", b"meta")}
with env.begin() as txn:
    rows = {name: list(txn.cursor(db=db)) for name, db in tables.items()}
meta = dict(rows[b"meta"])[b"meta"]
assert len(meta) == 113 and meta[:8] == b"jangbuP2"
epoch, old, highest = value(meta[8:16]), value(meta[16:24]), value(meta[33:41])
now = masters[epoch]
assert meta[65:81] == now["C"] and meta[97:] == hashed(16, now["M"], ledger + meta[:97])
owners, gone = {}, set()
for owner, row in rows[b"owners"]:
    assert len(owner) == 9 and len(row) in (16, 88)
    if len(row) == 16:
        gone.add(owner)
    else:
        owners[owner] = row[:8], opened(masters[value(row[8:16])]["W"], b"jangbuP2" + ledger + b"O" + owner + row[:16], row[16:])
texts, whose = {}, {}
for ref, row in rows[b"texts"]:
    n = row[0]
    head, box = row[:1 + 17 * n], row[1 + 17 * n:]
    named = [(head[1 + 17 * i:10 + 17 * i], head[10 + 17 * i:18 + 17 * i]) for i in range(n)]
    whose[value(ref)] = [[o[0], value(o[1:])] for o, _ in named]
    if any(o in gone or owners[o][0] != key_id for o, key_id in named):
        texts[value(ref)] = None
        continue
    key = hashed(32, b"", b"".join(owners[o][1] for o, _ in named))
    texts[value(ref)] = opened(key, b"jangbuP2" + ledger + b"T" + ref + head, box).decode()
found = {}
for key, ref in rows[b"index"]:
    assert len(key) == 24 and value(key[:8]) in (epoch, old)
    ref = value(ref)
    if b"\x01" + number(ref) in owners:
        assert key[8:] == hashed(16, masters[value(key[:8])]["I"], texts[ref].encode())
        found[texts[ref]] = ref
assert max(texts, default=0) <= highest
print(json.dumps({"texts": texts, "ids": found, "owners": whose, "forgotten": len(gone)}, ensure_ascii=False))

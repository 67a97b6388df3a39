"""Changes a row of state.mdb or views.mdb as a faulty program would: every check is made to hold again (core/storage/store_rows.c says how rows lie)."""
import ctypes
import struct

import lmdb

XXHASH = ctypes.CDLL("libxxhash.so.0")
XXHASH.XXH3_64bits_withSeed.restype = ctypes.c_uint64
XXHASH.XXH3_64bits_withSeed.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]


def xxh3(data, seed=0):
    return XXHASH.XXH3_64bits_withSeed(data, len(data), seed)


def find(block, key):
    """Where the value of a key begins and ends."""
    rows, lower, upper = struct.unpack(">IBB", block[24:30])
    index = 30 + lower + upper
    begin = index + 3 * rows
    for i in range(rows):
        n, end = struct.unpack(">BH", block[index + 3 * i:index + 3 * i + 3])
        end = len(block) if i == rows - 1 else end
        if block[begin:begin + n] == key:
            return begin + n, end
        begin = end
    return None


def change(path, table, key, edit):
    """edit: gets the value's bytes and gives others of the same length. table: its number in the schema."""
    env = lmdb.open(path, subdir=False, max_dbs=32)
    with env.begin(write=True) as txn:
        meta = txn.get(b"meta")
        generation, ledger_id = struct.unpack(">I", meta[4:8])[0], meta[8:24]
        blocks, checks = (env.open_db(b"%d/%s" % (generation & 1, name), txn=txn, create=False) for name in (b"blocks", b"checks"))
        found = [(k, v, find(v, key)) for k, v in txn.cursor(db=blocks) if v[20] == table and find(v, key)]
        assert len(found) == 1, (table, key, len(found))
        place, block, (begin, end) = found[0]
        value = edit(block[begin:end])
        assert len(value) == end - begin
        block = block[:begin] + value + block[end:]
        check = struct.pack(">Q", xxh3(block[8:], xxh3(ledger_id)))
        txn.put(place, check + block[8:], db=blocks)
        txn.put(place, check, db=checks)
    env.close()

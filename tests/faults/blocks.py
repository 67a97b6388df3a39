"""Changes a row of state.mdb or views.mdb as a faulty program would: every check is made to hold again (core/storage/store_rows.c says how rows lie)."""
import ctypes
import struct

import lmdb

XXHASH = ctypes.CDLL("libxxhash.so.0")
XXHASH.XXH3_64bits_withSeed.restype = ctypes.c_uint64
XXHASH.XXH3_64bits_withSeed.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]


def xxh3(data, seed=0):
    return XXHASH.XXH3_64bits_withSeed(data, len(data), seed)


def rows_of(block):
    """Each row's key, and where its value begins and ends."""
    rows, lower, upper = struct.unpack(">IBB", block[24:30])
    index = 30 + lower + upper
    begin = index + 3 * rows
    for i in range(rows):
        n, end = struct.unpack(">BH", block[index + 3 * i:index + 3 * i + 3])
        end = len(block) if i == rows - 1 else end
        yield block[begin:begin + n], begin + n, end
        begin = end


def change(path, table, is_it, edit):
    """edit: gets the value's bytes and gives others of the same length. table: its number in the schema; is_it: of a key. Of several rows the last."""
    env = lmdb.open(path, subdir=False, max_dbs=32)
    with env.begin(write=True) as txn:
        meta = txn.get(b"meta")
        generation, ledger_id = struct.unpack(">I", meta[4:8])[0], meta[8:24]
        blocks, checks = (env.open_db(b"%d/%s" % (generation & 1, name), txn=txn, create=False) for name in (b"blocks", b"checks"))
        found = [(key, place, block, begin, end) for place, block in txn.cursor(db=blocks) if block[20] == table
                 for key, begin, end in rows_of(block) if is_it(key)]
        assert found, table
        _, place, block, begin, end = max(found)
        value = edit(block[begin:end])
        assert len(value) == end - begin
        block = block[:begin] + value + block[end:]
        check = struct.pack(">Q", xxh3(block[8:], xxh3(ledger_id)))
        txn.put(place, check + block[8:], db=blocks)
        txn.put(place, check, db=checks)
    env.close()

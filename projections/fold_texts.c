/* The table of texts: where in the log a text stands. Which texts, rows.c says; what the table
 * looks like, rows.h. */
#include "base/error.h"
#include "projections/fold.h"

/* The new entries of one bucket of an epoch, in order of seq. */
struct bucket {
    jb_seq epoch;
    uint32_t number;
    const uint64_t *at;
    size_t n;
};

/* The last chunk of a bucket that is stored; *ret_found false: there is none. Nearly always it is
 * the first, which is found in order of key. */
static jb_status
last_chunk(const struct bucket *b, struct jb_store_txn *base, uint32_t *ret_chunk,
           const uint8_t **value, size_t *value_n, bool *ret_found, struct jb_error *err)
{
    jb_status status = jb_stored_text(base, b->epoch, b->number, 0, value, value_n, ret_found, err);
    *ret_chunk = 0;
    if (status != JB_OK || !*ret_found || *value_n < JB_TEXT_CHUNK_BYTES) {
        return status;
    }
    *ret_chunk = UINT16_MAX;
    return jb_stored_texts_below(base, b->epoch, b->number, ret_chunk, value, value_n, ret_found,
                                 err);
}

/* The chunks of a bucket that its new entries change: the last one that is stored, if there is room
 * in it, and those behind it. */
static jb_status
each_chunk(struct bucket b, struct jb_store_txn *base, jb_fold_sink sink, void *data,
           struct jb_error *err)
{
    uint8_t value[JB_TEXT_CHUNK_BYTES];
    const uint8_t *stored;
    uint32_t chunk;
    size_t used = 0;
    bool found;
    jb_status status = last_chunk(&b, base, &chunk, &stored, &used, &found, err);
    if (status == JB_OK && found && used < sizeof value) {
        memcpy(value, stored, used);
    } else {
        chunk = found ? chunk + 1 : 0;
        used = 0;
    }
    while (status == JB_OK && b.n > 0) {
        uint8_t key[JB_KEY_TEXT_BYTES];
        for (; b.n > 0 && used < sizeof value; b.at++, b.n--, used += JB_TEXT_ENTRY_BYTES) {
            jb_put_be(value + used, JB_TEXT_ENTRY_BYTES,
                      *b.at & ((UINT64_C(1) << (8 * JB_TEXT_ENTRY_BYTES)) - 1));
        }
        JB_ASSERT(chunk < UINT16_MAX); /* an epoch has not that many texts */
        jb_key_text(key, b.epoch, b.number, chunk++);
        status = sink(data, key, sizeof key, value, used, err);
        used = 0;
    }
    return status;
}

static uint32_t
bucket_of(uint64_t entry)
{
    return (uint32_t)(entry >> (JB_TEXT_REST_BITS + JB_TEXT_EPOCH_BITS));
}

/* The entries of one epoch by bucket; their order within each stays. sorted has room for all of
 * them, ends for one number a bucket. */
static void
sort(const uint64_t *at, size_t n, uint64_t *sorted, uint32_t ends[JB_TEXT_BUCKETS])
{
    memset(ends, 0, JB_TEXT_BUCKETS * sizeof *ends);
    for (size_t i = 0; i < n; i++) {
        ends[bucket_of(at[i])]++;
    }
    for (uint32_t b = 0, sum = 0; b < JB_TEXT_BUCKETS; b++) {
        const uint32_t here = ends[b];
        ends[b] = sum;
        sum += here;
    }
    for (size_t i = 0; i < n; i++) {
        sorted[ends[bucket_of(at[i])]++] = at[i];
    }
}

static jb_status
each_of_epoch(jb_seq epoch, const uint64_t *sorted, const uint32_t ends[JB_TEXT_BUCKETS],
              struct jb_store_txn *base, jb_fold_sink sink, void *data, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (uint32_t b = 0, begin = 0; b < JB_TEXT_BUCKETS && status == JB_OK; b++) {
        if (ends[b] > begin) {
            const struct bucket bucket = {epoch, b, sorted + begin, ends[b] - begin};
            status = each_chunk(bucket, base, sink, data, err);
        }
        begin = ends[b];
    }
    return status;
}

jb_status
jb_fold_each_text(const struct jb_fold *f, struct jb_store_txn *base, jb_fold_sink sink, void *data,
                  struct jb_error *err)
{
    if (f->texts.n == 0) {
        return JB_OK;
    }
    size_t most = 0;
    for (size_t i = 0; i < f->epochs.n; i++) {
        const size_t end = i + 1 < f->epochs.n ? f->epochs.at[i + 1].first : f->texts.n;
        most = end - f->epochs.at[i].first > most ? end - f->epochs.at[i].first : most;
    }
    uint64_t *sorted = malloc((most + 1) * sizeof *sorted);
    uint32_t *ends = malloc(JB_TEXT_BUCKETS * sizeof *ends);
    jb_status status = sorted != NULL && ends != NULL
                           ? JB_OK
                           : jb_fail(err, JB_E_NOMEM, "no memory to sort the texts of events");
    for (size_t i = 0; i < f->epochs.n && status == JB_OK; i++) {
        const size_t first = f->epochs.at[i].first;
        const size_t end = i + 1 < f->epochs.n ? f->epochs.at[i + 1].first : f->texts.n;
        sort(f->texts.at + first, end - first, sorted, ends);
        status = each_of_epoch(f->epochs.at[i].epoch, sorted, ends, base, sink, data, err);
    }
    free(sorted);
    free(ends);
    return status;
}

/* ---- folding ---- */

static jb_status
drain_text(void *data, const void *key, size_t key_n, const void *value, size_t value_n,
           struct jb_error *err)
{
    const struct jb_fold_drain *drain = data;
    return drain->row(drain->data, JB_VT_TEXTS, key, key_n, value, value_n, err);
}

/* An epoch begins: what came before it is over. */
static jb_status
begin_epoch(struct jb_fold *f, jb_seq epoch, struct jb_error *err)
{
    if (f->drain != NULL && f->epochs.n > 0) {
        jb_status status = jb_fold_each_text(f, NULL, drain_text, (void *)(uintptr_t)f->drain, err);
        if (status != JB_OK) {
            return status;
        }
        f->texts.n = f->epochs.n = 0;
    }
    f->epochs.at[f->epochs.n++] = (struct jb_fold_epoch){epoch, f->texts.n};
    return JB_OK;
}

/* Room for n entries of the event behind those that there are. */
static jb_status
reserve(struct jb_fold *f, jb_seq seq, unsigned n, struct jb_error *err)
{
    const jb_seq epoch = seq >> JB_TEXT_EPOCH_BITS;
    if (!jb_vec_reserve(&f->texts, f->texts.n + n) ||
        !jb_vec_reserve(&f->epochs, f->epochs.n + 1)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for the projections");
    }
    return f->epochs.n == 0 || f->epochs.at[f->epochs.n - 1].epoch != epoch
               ? begin_epoch(f, epoch, err)
               : JB_OK;
}

jb_status
jb_fold_text(struct jb_fold *f, jb_seq seq, struct jb_text text, struct jb_error *err)
{
    jb_status status = reserve(f, seq, 1, err);
    if (status == JB_OK) {
        f->texts.at[f->texts.n++] = jb_text_entry(jb_text_hash(text), seq);
    }
    return status;
}

jb_status
jb_fold_usual_texts(struct jb_fold *f, jb_seq seq, struct jb_text key, struct jb_text usage,
                    struct jb_error *err)
{
    jb_status status = reserve(f, seq, 2, err);
    if (status != JB_OK) {
        return status;
    }
    const uint64_t entry = jb_text_entry(jb_text_hash(usage), seq);
    const uint64_t first = key.s != NULL ? jb_text_entry(jb_text_hash(key), seq) : entry;
    f->texts.at[f->texts.n++] = first;
    if (first != entry) {
        f->texts.at[f->texts.n++] = entry;
    }
    return JB_OK;
}

jb_status
jb_fold_texts(struct jb_fold *f, const struct jb_event *e, struct jb_error *err)
{
    struct jb_event_text texts[JB_EVENT_TEXTS_MAX];
    const unsigned n = jb_event_texts(e, texts);
    jb_status status = n > 0 ? reserve(f, e->seq, n, err) : JB_OK;
    if (status != JB_OK) {
        return status;
    }
    const size_t first = f->texts.n;
    for (unsigned i = 0; i < n; i++) {
        const uint64_t entry = jb_text_entry(jb_text_hash(texts[i].text), e->seq);
        bool again = false; /* a key often is the id of what it stands for */
        for (size_t k = first; k < f->texts.n; k++) {
            again |= f->texts.at[k] == entry;
        }
        if (!again) {
            f->texts.at[f->texts.n++] = entry;
        }
    }
    return JB_OK;
}

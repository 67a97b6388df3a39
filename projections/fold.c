#include "projections/fold.h"

#include "base/map.h"
#include "ledger/reader.h"

/* ---- memory ---- */

void
jb_fold_init(struct jb_fold *f, int32_t utc_offset_s)
{
    *f = (struct jb_fold){.utc_offset_s = utc_offset_s};
    jb_view_global_init(&f->g);
}

void
jb_fold_free(struct jb_fold *f)
{
    for (size_t i = 0; i < f->wallets.n; i++) {
        jb_fold_wallet_free(f->wallets.at[i]);
    }
    for (size_t i = 0; i < f->pieces.n; i++) {
        free(f->pieces.at[i]);
    }
    jb_vec_free(&f->pieces);
    f->room = 0;
    jb_vec_free(&f->wallets);
    jb_vec_free(&f->closes);
    jb_vec_free(&f->refused);
    jb_vec_free(&f->texts);
    jb_vec_free(&f->epochs);
    free(f->slots);
    f->slots = NULL;
    f->slots_mask = 0;
}

void
jb_fold_reset(struct jb_fold *f, const struct jb_view_global *g)
{
    jb_fold_free(f);
    jb_view_global_init(&f->g);
    if (g != NULL) {
        f->g = *g;
    }
}

/* ---- wallets by number ---- */

static uint32_t
slot_of(const struct jb_fold *f, uint32_t number)
{
    uint32_t slot = (number * UINT32_C(2654435769)) & f->slots_mask;
    while (f->slots[slot].wallet != NULL && f->slots[slot].number != number) {
        slot = (slot + 1) & f->slots_mask;
    }
    return slot;
}

const struct jb_fold_wallet *
jb_fold_wallet(const struct jb_fold *f, uint32_t number)
{
    if (f->slots == NULL) {
        return NULL;
    }
    return f->slots[slot_of(f, number)].wallet;
}

struct jb_fold_wallet *
jb_fold_touched(struct jb_fold *f, uint32_t number)
{
    return f->slots[slot_of(f, number)].wallet;
}

static void
warm_row(const struct jb_fold_row *r)
{
    for (size_t at = 0; at < sizeof *r; at += JB_CACHE_LINE) {
        __builtin_prefetch((const char *)r + at, 1);
    }
}

/* One pass for each step from a number to a row, so that the steps of many go side by side. */
void
jb_fold_warm(const struct jb_fold *f, const uint32_t *numbers, size_t n)
{
    const struct jb_fold_wallet *wallets[JB_FOLD_WARM_MAX];
    n = f->slots == NULL ? 0 : n < JB_FOLD_WARM_MAX ? n : JB_FOLD_WARM_MAX;
    for (size_t i = 0; i < n; i++) {
        __builtin_prefetch(&f->slots[(numbers[i] * UINT32_C(2654435769)) & f->slots_mask]);
    }
    for (size_t i = 0; i < n; i++) {
        const char *w = (const char *)(wallets[i] = jb_fold_wallet(f, numbers[i]));
        for (size_t at = 0; w != NULL && at < sizeof *wallets[i]; at += JB_CACHE_LINE) {
            __builtin_prefetch(w + at, 1);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (wallets[i] != NULL && wallets[i]->rows.n > 0) {
            warm_row(&wallets[i]->rows.at[wallets[i]->rows.n - 1]);
        }
        if (wallets[i] != NULL) {
            __builtin_prefetch(wallets[i]->summary.lasts.at, 1);
            __builtin_prefetch(wallets[i]->summary.marks.at, 1);
        }
    }
    JB_KEEP();
}

static bool
grow_slots(struct jb_fold *f)
{
    if (f->slots != NULL && f->wallets.n < (f->slots_mask + 1) / 2) {
        return true;
    }
    uint32_t slots_n = f->slots == NULL ? 64 : (f->slots_mask + 1) * 2;
    struct jb_fold_slot *slots = calloc(slots_n, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    free(f->slots);
    f->slots = slots;
    f->slots_mask = slots_n - 1;
    for (uint32_t i = 0; i < f->wallets.n; i++) {
        struct jb_fold_wallet *w = f->wallets.at[i];
        f->slots[slot_of(f, w->number)] = (struct jb_fold_slot){w->number, w};
    }
    return true;
}

/* Most folds have few wallets. */
#define FIRST_PIECE 8
#define PIECE 512

/* The place of the next wallet, with all zero; NULL: no memory. */
static struct jb_fold_wallet *
next_place(struct jb_fold *f)
{
    const size_t places = f->pieces.n > 1 ? PIECE : FIRST_PIECE;
    if (f->room == 0) {
        const size_t made = f->pieces.n > 0 ? PIECE : FIRST_PIECE;
        struct jb_fold_wallet *piece =
            jb_vec_reserve(&f->pieces, f->pieces.n + 1) ? malloc(made * sizeof *piece) : NULL;
        if (piece == NULL) {
            return NULL;
        }
        f->pieces.at[f->pieces.n++] = piece;
        f->room = made;
        return memset(piece, 0, sizeof *piece);
    }
    struct jb_fold_wallet *w = &f->pieces.at[f->pieces.n - 1][places - f->room];
    return memset(w, 0, sizeof *w);
}

static jb_status
touch_wallet(struct jb_fold *f, struct jb_store_txn *base, uint32_t number,
             struct jb_fold_wallet **ret, struct jb_error *err)
{
    if (!grow_slots(f) || !jb_vec_reserve(&f->wallets, f->wallets.n + 1)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a wallet");
    }
    uint32_t slot = slot_of(f, number);
    if (f->slots[slot].wallet != NULL) {
        *ret = f->slots[slot].wallet;
        return JB_OK;
    }
    struct jb_fold_wallet *w = next_place(f);
    if (w == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a wallet");
    }
    jb_status status = jb_fold_wallet_load(w, number, f->g.first_open_day, base, err);
    if (status != JB_OK) {
        jb_fold_wallet_free(w);
        return status;
    }
    f->room--;
    f->wallets.at[f->wallets.n++] = w;
    f->slots[slot] = (struct jb_fold_slot){number, w};
    *ret = w;
    return JB_OK;
}

/* ---- events ---- */

static const char *
fold_time(struct jb_fold *f, const struct jb_event *e)
{
    struct jb_view_global *g = &f->g;
    if (e->recorded_at == JB_NO_INSTANT) {
        return g->first_timed_seq == 0 ? NULL
                                       : "an event without a time comes after one that has a time";
    }
    if (g->first_timed_seq == 0) {
        g->first_timed_seq = e->seq;
        g->first_day = g->first_open_day = jb_day_of(e->recorded_at, f->utc_offset_s);
    } else if (e->recorded_at < g->recorded_at) {
        return "recorded_at goes backwards";
    }
    g->recorded_at = e->recorded_at;
    /* What makes a published row one that never changes. */
    return e->posted_on < g->first_open_day ? "an event is posted to a closed day" : NULL;
}

static jb_status
fold_close(struct jb_fold *f, const struct jb_event *e, struct jb_error *err)
{
    const jb_day day = e->day_closed.day;
    if (day != f->g.first_open_day) {
        return jb_fold_contradiction(err, e->seq, "a day is closed out of order");
    }
    if (!jb_vec_reserve(&f->closes, f->closes.n + 1)) {
        return jb_fold_contradiction(err, e->seq, "no memory");
    }
    f->closes.at[f->closes.n++] =
        (struct jb_close){.day = day, .seq = e->seq, .recorded_at = e->recorded_at};
    f->g.closed_through = day;
    f->g.first_open_day = day + 1;
    return JB_OK;
}

static jb_status
fold_refused(struct jb_fold *f, const struct jb_event *e, struct jb_error *err)
{
    struct jb_refused r = jb_refused_of(e);
    if (r.wallet == 0 && r.hash == 0) {
        return JB_OK;
    }
    if (f->drain != NULL) {
        uint8_t key[JB_KEY_REFUSED_BYTES];
        jb_key_refused(key, &r);
        return f->drain->row(f->drain->data, JB_VT_REFUSED, key, sizeof key, "", 0, err);
    }
    if (!jb_vec_reserve(&f->refused, f->refused.n + 1)) {
        return jb_fold_contradiction(err, e->seq, "no memory");
    }
    f->refused.at[f->refused.n++] = r;
    return JB_OK;
}

jb_status
jb_fold_around(struct jb_fold *f, const struct jb_event *e, struct jb_error *err)
{
    const char *why = e->seq == f->g.seq + 1 ? fold_time(f, e) : "sequence numbers have a gap";
    if (why == NULL && e->wallet != 0 && e->recorded_at == JB_NO_INSTANT) {
        why = "an event of a wallet has no time";
    }
    if (why != NULL) {
        return jb_fold_contradiction(err, e->seq, why);
    }
    jb_status status = JB_OK;
    if (e->wallet != 0) {
        f->g.wallets_n = e->wallet > f->g.wallets_n ? e->wallet : f->g.wallets_n;
    } else if (e->type == JB_EV_DAY_CLOSED) {
        status = fold_close(f, e, err);
    } else if (e->type == JB_EV_COMMAND_REFUSED) {
        status = fold_refused(f, e, err);
    }
    status = status == JB_OK ? jb_fold_texts(f, e, err) : status;
    f->g.seq = e->seq;
    return status;
}

jb_status
jb_fold_event(struct jb_fold *f, struct jb_store_txn *base, const struct jb_event *e,
              struct jb_error *err)
{
    struct jb_fold_wallet *w = NULL;
    jb_status status = jb_fold_around(f, e, err);
    if (status != JB_OK || e->wallet == 0) {
        return status;
    }
    status = touch_wallet(f, base, e->wallet, &w, err);
    return status == JB_OK ? jb_fold_wallet_event(f, w, base, e, err) : status;
}

/* ---- what differs from the store ---- */

static int
by_number(const void *a, const void *b)
{
    uint32_t x = (*(struct jb_fold_wallet *const *)a)->number,
             y = (*(struct jb_fold_wallet *const *)b)->number;
    return (x > y) - (x < y);
}

static jb_status
each_of_wallets(const struct jb_fold *f, unsigned table, jb_fold_sink sink, void *data,
                struct jb_error *err)
{
    struct jb_fold_wallet **sorted = malloc(f->wallets.n * sizeof *sorted + 1);
    if (sorted == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory to sort wallets");
    }
    if (f->wallets.n > 0) {
        memcpy(sorted, f->wallets.at, f->wallets.n * sizeof *sorted);
        qsort(sorted, f->wallets.n, sizeof *sorted, by_number);
    }
    jb_status status = JB_OK;
    for (size_t i = 0; i < f->wallets.n && status == JB_OK; i++) {
        status = jb_fold_wallet_each(sorted[i], table, sink, data, err);
    }
    free(sorted);
    return status;
}

static int
by_key(const void *a, const void *b)
{
    const struct jb_refused *x = a, *y = b;
    if (x->wallet != y->wallet) {
        return x->wallet > y->wallet ? 1 : -1;
    }
    if (x->hash != y->hash) {
        return x->hash > y->hash ? 1 : -1;
    }
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static jb_status
each_refused(const struct jb_fold *f, jb_fold_sink sink, void *data, struct jb_error *err)
{
    struct jb_refused *sorted = malloc(f->refused.n * sizeof *sorted + 1);
    if (sorted == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory to sort refused commands");
    }
    if (f->refused.n > 0) {
        memcpy(sorted, f->refused.at, f->refused.n * sizeof *sorted);
        qsort(sorted, f->refused.n, sizeof *sorted, by_key);
    }
    jb_status status = JB_OK;
    for (size_t i = 0; i < f->refused.n && status == JB_OK; i++) {
        uint8_t key[JB_KEY_REFUSED_BYTES];
        jb_key_refused(key, &sorted[i]);
        status = sink(data, key, sizeof key, "", 0, err);
    }
    free(sorted);
    return status;
}

jb_status
jb_fold_each(const struct jb_fold *f, struct jb_store_txn *base, unsigned table, jb_fold_sink sink,
             void *data, struct jb_error *err)
{
    if (table == JB_VT_GLOBAL) {
        uint8_t value[JB_GLOBAL_BYTES];
        jb_view_global_encode(&f->g, value);
        return sink(data, "g", 1, value, sizeof value, err);
    }
    if (table == JB_VT_TEXTS) {
        return jb_fold_each_text(f, base, sink, data, err);
    }
    if (table == JB_VT_REFUSED) {
        return each_refused(f, sink, data, err);
    }
    if (table != JB_VT_CLOSES) {
        return each_of_wallets(f, table, sink, data, err);
    }
    jb_status status = JB_OK;
    for (size_t i = 0; i < f->closes.n && status == JB_OK; i++) {
        uint8_t key[JB_KEY_DAY_BYTES], value[JB_CLOSE_BYTES];
        jb_key_day(key, f->closes.at[i].day);
        jb_close_encode(&f->closes.at[i], value);
        status = sink(data, key, sizeof key, value, sizeof value, err);
    }
    return status;
}

struct storing {
    struct jb_store_txn *t;
    unsigned table;
    bool steps; /* what is written may be committed before all of it is */
};

static jb_status
put(void *data, const void *key, size_t key_n, const void *value, size_t value_n,
    struct jb_error *err)
{
    struct storing *s = data;
    jb_status status = jb_store_put(s->t, s->table, key, key_n, value, value_n, err);
    return status == JB_OK && s->steps ? jb_store_next_step(s->t, err) : status;
}

jb_status
jb_fold_store(const struct jb_fold *f, struct jb_store_txn *base, struct jb_store_txn *t,
              struct jb_error *err)
{
    jb_status status = JB_OK;
    for (unsigned table = 0; table < JB_VT_N && status == JB_OK; table++) {
        struct storing s = {t, table, base == NULL};
        status = jb_fold_each(f, base, table, put, &s, err);
    }
    return status;
}

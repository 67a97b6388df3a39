#include "state/record.h"

#include "base/calendar.h"

/* One walk over the members serves both directions, so that they cannot differ. */
struct pipe {
    struct jb_buffer *out; /* writing */
    const uint8_t *p;      /* reading */
    size_t left;
    bool bad;
    bool no_memory; /* and so nothing is known about what was read */
};

/* What a read comes to when it is over. */
static jb_status
outcome(const struct pipe *io)
{
    return io->no_memory ? JB_E_NOMEM : io->bad || io->left != 0 ? JB_E_STALE : JB_OK;
}

static bool
grow(struct pipe *io, size_t n)
{
    struct jb_buffer *out = io->out;
    io->bad |= !jb_vec_grow((void **)&out->at, &out->cap, out->n + n, 1);
    return !io->bad;
}

/* Where n bytes are written; NULL: nowhere. */
static inline uint8_t *
put(struct pipe *io, size_t n)
{
    struct jb_buffer *out = io->out;
    if (io->bad || (out->cap - out->n < n && !grow(io, n))) {
        return NULL;
    }
    out->n += n;
    return out->at + out->n - n;
}

/* Where n bytes are read; NULL: there are not as many. */
static inline const uint8_t *
take(struct pipe *io, size_t n)
{
    if (io->bad || io->left < n) {
        io->bad = true;
        return NULL;
    }
    io->p += n;
    io->left -= n;
    return io->p - n;
}

static void
bytes(struct pipe *io, void *at, size_t n)
{
    uint8_t *to = io->out != NULL ? put(io, n) : NULL;
    const uint8_t *from = io->out == NULL ? take(io, n) : NULL;
    if (to != NULL) {
        memcpy(to, at, n);
    } else if (from != NULL) {
        memcpy(at, from, n);
    }
}

/* A number of 4, 8 or 16 bytes. */
#define NUMBER(size, put_it, get_it)                                                               \
    uint8_t *to = io->out != NULL ? put(io, size) : NULL;                                          \
    const uint8_t *from = io->out == NULL ? take(io, size) : NULL;                                 \
    if (to != NULL) {                                                                              \
        put_it;                                                                                    \
    } else if (from != NULL) {                                                                     \
        get_it;                                                                                    \
    }

static inline void
u64(struct pipe *io, uint64_t *value)
{
    NUMBER(8, jb_put_be(to, 8, *value), *value = jb_get_be(from, 8))
}

static inline void
i64(struct pipe *io, int64_t *value)
{
    NUMBER(8, jb_put_be(to, 8, (uint64_t)*value), *value = (int64_t)jb_get_be(from, 8))
}

static inline void
u32(struct pipe *io, uint32_t *value)
{
    NUMBER(4, jb_put_be(to, 4, *value), *value = (uint32_t)jb_get_be(from, 4))
}

static void
i32(struct pipe *io, int32_t *value)
{
    NUMBER(4, jb_put_be(to, 4, (uint32_t)*value), *value = (int32_t)jb_get_be(from, 4))
}

static void
wide(struct pipe *io, jb_wide *value)
{
    NUMBER(16, jb_wide_put(to, *value), *value = jb_wide_get(from))
}

/* One of 0 to JB_BALANCE_MAX. What was read goes into sums: a damaged record must not overflow
 * them. */
static void
amount(struct pipe *io, jb_amount *value)
{
    i64(io, value);
    io->bad |= io->out == NULL && (*value < 0 || *value > JB_BALANCE_MAX);
}

static void
lot(struct pipe *io, struct jb_lot *l)
{
    u32(io, &l->ordinal);
    u64(io, &l->seq);
    amount(io, &l->amount);
    amount(io, &l->remaining);
    amount(io, &l->reversed);
    amount(io, &l->refunded);
    /* Taken off one by one: three of them together may be more than the type holds. */
    jb_amount left = l->amount - l->reversed;
    left = left < 0 ? left : left - l->refunded;
    left = left < 0 ? left : left - l->remaining;
    io->bad |= io->out == NULL && left < 0;
}

static void
grant(struct pipe *io, struct jb_grant *g)
{
    u32(io, &g->ordinal);
    u32(io, &g->state);
    i32(io, &g->expires_on);
    u64(io, &g->seq);
    amount(io, &g->amount);
    amount(io, &g->remaining);
    io->bad |= io->out == NULL && g->remaining > g->amount;
    u64(io, &g->activated_seq);
    i64(io, &g->activated_at);
    i64(io, &g->returned_at);
}

static void
refund(struct pipe *io, struct jb_refund *r)
{
    u32(io, &r->ordinal);
    u32(io, &r->state);
    u64(io, &r->seq);
    amount(io, &r->amount);
    u32(io, &r->legs_n);
    if (io->out == NULL) {
        if (io->bad || r->legs_n > io->left / 16) {
            io->bad = true;
            r->legs_n = 0;
            return;
        }
        r->legs = r->legs_n > 0 ? calloc(r->legs_n, sizeof *r->legs) : NULL;
        if (r->legs_n > 0 && r->legs == NULL) {
            io->no_memory = true;
            r->legs_n = 0;
        }
    }
    for (uint32_t i = 0; i < r->legs_n; i++) {
        u32(io, &r->legs[i].kind);
        u32(io, &r->legs[i].ordinal);
        amount(io, &r->legs[i].amount);
    }
}

static void
interval(struct pipe *io, struct jb_interval *v)
{
    u32(io, &v->ordinal);
    u32(io, &v->status);
    i64(io, &v->from);
    u64(io, &v->seq);
}

/* Its days follow from it. */
static void
open_month(struct pipe *io, struct jb_open_month *m)
{
    u32(io, &m->month);
    i64(io, &m->net);
    u64(io, &m->newest);
    if (io->out == NULL && m->month != 0) {
        io->bad |= !jb_month_valid(m->month);
        m->first = jb_month_first(m->month);
        m->last = jb_month_last(m->month);
    }
}

/* The head of a wallet's record; its lists follow. */
static void
wallet_head(struct pipe *io, struct jb_wallet *w)
{
    u32(io, &w->number);
    u32(io, &w->status);
    u32(io, &w->under);
    u32(io, &w->kind);
    u64(io, &w->version);
    u64(io, &w->created_seq);
    u64(io, &w->name_ref);
    i64(io, &w->paid);
    io->bad |= io->out == NULL && (w->paid > JB_BALANCE_MAX || w->paid < -JB_BALANCE_MAX);
    amount(io, &w->free);
    amount(io, &w->dormant);
    amount(io, &w->pending);
    amount(io, &w->transit);
    u32(io, &w->lots_given);
    u32(io, &w->grants_given);
    u32(io, &w->refunds_given);
    u32(io, &w->intervals_given);
    u32(io, &w->refunds_open);
    u32(io, &w->settlement);
    amount(io, &w->limit);
    open_month(io, &w->tax);
    bytes(io, &w->id_n, 1);
    if (w->id_n > JB_ID_BYTES_MAX) {
        io->bad = true;
        return;
    }
    bytes(io, w->id, w->id_n);
}

bool
jb_record_wallet(const struct jb_wallet *wallet, struct jb_buffer *out)
{
    struct pipe io = {.out = out};
    struct jb_wallet *w = (struct jb_wallet *)(uintptr_t)wallet; /* writing changes nothing */
    wallet_head(&io, w);
    uint32_t counts[4] = {0};
    for (size_t i = 0; i < w->lots.n; i++) {
        counts[0] += !jb_lot_over(&w->lots.at[i]);
    }
    for (size_t i = 0; i < w->grants.n; i++) {
        counts[1] += !jb_grant_over(&w->grants.at[i]);
    }
    for (size_t i = 0; i < w->refunds.n; i++) {
        counts[2] += !jb_refund_over(&w->refunds.at[i]);
    }
    for (size_t i = 0; i < w->intervals.n; i++) {
        counts[3] += !jb_interval_over(w, &w->intervals.at[i]);
    }
    for (unsigned i = 0; i < 4; i++) {
        u32(&io, &counts[i]);
    }
    for (size_t i = 0; i < w->lots.n; i++) {
        if (!jb_lot_over(&w->lots.at[i])) {
            lot(&io, &w->lots.at[i]);
        }
    }
    for (size_t i = 0; i < w->grants.n; i++) {
        if (!jb_grant_over(&w->grants.at[i])) {
            grant(&io, &w->grants.at[i]);
        }
    }
    for (size_t i = 0; i < w->refunds.n; i++) {
        if (!jb_refund_over(&w->refunds.at[i])) {
            refund(&io, &w->refunds.at[i]);
        }
    }
    for (size_t i = 0; i < w->intervals.n; i++) {
        if (!jb_interval_over(w, &w->intervals.at[i])) {
            interval(&io, &w->intervals.at[i]);
        }
    }
    return !io.bad;
}

/* Reads `count` items into a list; the smallest item has `least` bytes. */
#define READ_LIST(reserve, list, count, least, read, type)                                         \
    if (io.bad || (count) > io.left / (least)) {                                                   \
        return JB_E_STALE;                                                                         \
    }                                                                                              \
    if (!reserve(&ret->list, count)) {                                                             \
        return JB_E_NOMEM;                                                                         \
    }                                                                                              \
    for (uint32_t i = 0; i < (count); i++) {                                                       \
        struct type item = {0};                                                                    \
        read(&io, &item);                                                                          \
        ret->list.at[ret->list.n++] = item;                                                        \
    }

jb_status
jb_read_wallet(const uint8_t *p, size_t n, struct jb_wallet *ret)
{
    struct pipe io = {.p = p, .left = n};
    wallet_head(&io, ret);
    uint32_t counts[4] = {0};
    for (unsigned i = 0; i < 4; i++) {
        u32(&io, &counts[i]);
    }
    READ_LIST(jb_list_reserve, lots, counts[0], 44, lot, jb_lot)
    READ_LIST(jb_list_reserve, grants, counts[1], 60, grant, jb_grant)
    READ_LIST(jb_list_reserve, refunds, counts[2], 28, refund, jb_refund)
    READ_LIST(jb_list_reserve, intervals, counts[3], 24, interval, jb_interval)
    return outcome(&io);
}

#define RECORD(name, type, member)                                                                 \
    bool jb_record_##name(const struct type *item, struct jb_buffer *out)                          \
    {                                                                                              \
        struct pipe io = {.out = out};                                                             \
        struct type copy = *item;                                                                  \
        member(&io, &copy);                                                                        \
        return !io.bad;                                                                            \
    }                                                                                              \
    jb_status jb_read_##name(const uint8_t *p, size_t n, struct type *ret)                         \
    {                                                                                              \
        struct pipe io = {.p = p, .left = n};                                                      \
        *ret = (struct type){0};                                                                   \
        member(&io, ret);                                                                          \
        ret->stored = true;                                                                        \
        return outcome(&io);                                                                       \
    }

RECORD(lot, jb_lot, lot)
RECORD(grant, jb_grant, grant)
RECORD(refund, jb_refund, refund)
RECORD(interval, jb_interval, interval)

static void
setting(struct pipe *io, struct jb_policy_setting *p)
{
    u32(io, &p->policy);
    i64(io, &p->value);
    i64(io, &p->from);
    u64(io, &p->seq);
}

static void
open_day(struct pipe *io, struct jb_open_day *d)
{
    i32(io, &d->day);
    for (unsigned i = 0; i < JB_TOTALS_N; i++) {
        wide(io, &d->t[i]);
    }
}

static void
globals_head(struct pipe *io, struct jb_globals *g)
{
    u64(io, &g->seq);
    i64(io, &g->recorded_at);
    i32(io, &g->first_open_day);
    i32(io, &g->closed_through);
    i32(io, &g->utc_offset_s);
    u32(io, &g->wallets_given);
    u32(io, &g->wallets_deleted);
    u64(io, &g->keys);
    u64(io, &g->last_ref);
    u32(io, &g->people_layout);
    u64(io, &g->people_sealed);
    u64(io, &g->forgotten);
    u32(io, &g->channels_given);
    u32(io, &g->agencies_given);
    u32(io, &g->operators);
    u32(io, &g->masterless);
    u32(io, &g->matrix);
    u32(io, &g->invoice_from);
    u32(io, &g->totals_n);
    u64(io, &g->invoices);
    u32(io, &g->consumed);
    io->bad |= g->totals_n > JB_TOTALS_N;
    wide(io, &g->closing_paid);
    wide(io, &g->closing_free);
    wide(io, &g->closing_dormant);
    wide(io, &g->transit);
    wide(io, &g->wallets);
}

bool
jb_record_globals(const struct jb_globals *globals, struct jb_buffer *out)
{
    struct pipe io = {.out = out};
    struct jb_globals *g = (struct jb_globals *)(uintptr_t)globals;
    uint32_t policies = (uint32_t)g->policies.n, open = (uint32_t)g->open.n;
    globals_head(&io, g);
    u32(&io, &policies);
    u32(&io, &open);
    for (size_t i = 0; i < g->policies.n; i++) {
        setting(&io, &g->policies.at[i]);
    }
    for (size_t i = 0; i < g->open.n; i++) {
        open_day(&io, &g->open.at[i]);
    }
    return !io.bad;
}

jb_status
jb_read_globals(const uint8_t *p, size_t n, struct jb_globals *ret)
{
    struct pipe io = {.p = p, .left = n};
    uint32_t policies = 0, open = 0;
    globals_head(&io, ret);
    u32(&io, &policies);
    u32(&io, &open);
    READ_LIST(jb_vec_reserve, policies, policies, 28, setting, jb_policy_setting)
    READ_LIST(jb_vec_reserve, open, open, 4 + 16 * JB_TOTALS_N, open_day, jb_open_day)
    return outcome(&io);
}

#include "state/record.h"

#include <assert.h>

#include "base/calendar.h"
#include "base/error.h"

/* One walk over the members serves both directions, so that they cannot differ. They go through
 * `list`, which is written when all of it is there, and read before. */
struct walk {
    struct jb_buffer *out; /* NULL: reading */
    const uint8_t *p;      /* reading */
    size_t left;
    bool bad;
    bool no_memory; /* and so nothing is known about what was read */
    unsigned i;
    uint64_t list[JB_NUMBERS_MAX];
};

/* Inlined into both directions, so that a member is a move of a number and nothing else. */
#define EACH_WAY static inline __attribute__((always_inline))

/* The list stays as it is: clearing it would cost as much as a record. */
EACH_WAY void
write_to(struct walk *io, struct jb_buffer *out)
{
    io->out = out;
    io->p = NULL;
    io->left = io->i = 0;
    io->bad = io->no_memory = false;
}

EACH_WAY void
read_from(struct walk *io, const uint8_t *p, size_t n)
{
    write_to(io, NULL);
    io->p = p;
    io->left = n;
}

/* What a read comes to when it is over. */
static jb_status
outcome(const struct walk *io)
{
    return io->no_memory ? JB_E_NOMEM : io->bad || io->left != 0 ? JB_E_STALE : JB_OK;
}

/* Room for n bytes behind what was written. NULL: no memory. */
static uint8_t *
room(struct walk *io, size_t n)
{
    struct jb_buffer *out = io->out;
    io->bad |= !jb_vec_grow((void **)&out->at, &out->cap, out->n + n, 1);
    return io->bad ? NULL : out->at + out->n;
}

/* A list of n numbers, which the members that follow are. */
EACH_WAY void
begin(struct walk *io, unsigned n)
{
    io->i = 0;
    if (io->out == NULL) {
        size_t bytes = io->bad ? 0 : jb_numbers_get(io->p, io->left, io->list, n);
        if (bytes == 0) {
            io->bad = true;
            memset(io->list, 0, n * sizeof *io->list);
        }
        io->p += bytes;
        io->left -= bytes;
    }
}

EACH_WAY void
end(struct walk *io, unsigned n)
{
    JB_ASSERT(io->i == n);
    uint8_t *to = io->out != NULL ? room(io, JB_NUMBERS_BYTES_MAX(n)) : NULL;
    if (to != NULL) {
        io->out->n += jb_numbers_put(to, io->list, n);
    }
}

/* The next of the list: puts `number` there, or reads it. Nothing is written into what is written
 * out. */
#define MEMBER(number, read)                                                                       \
    do {                                                                                           \
        uint64_t *at = &io->list[io->i++];                                                         \
        if (io->out != NULL) {                                                                     \
            *at = (number);                                                                        \
        } else {                                                                                   \
            read;                                                                                  \
        }                                                                                          \
    } while (0)

EACH_WAY void
u64(struct walk *io, uint64_t *value)
{
    MEMBER(*value, *value = *at);
}

EACH_WAY void
i64(struct walk *io, int64_t *value)
{
    MEMBER(jb_zigzag(*value), *value = jb_unzigzag(*at));
}

/* None is 0. */
EACH_WAY void
instant(struct walk *io, jb_instant *value)
{
    static_assert(JB_NO_INSTANT == INT64_MIN, "its number, and no other, has all bits");
    MEMBER(jb_zigzag(*value) + 1, *value = jb_unzigzag(*at - 1));
}

EACH_WAY void
u32(struct walk *io, uint32_t *value)
{
    MEMBER(*value, (*value = (uint32_t)*at, io->bad |= *at > UINT32_MAX));
}

EACH_WAY void
i32(struct walk *io, int32_t *value)
{
    MEMBER(jb_zigzag(*value), (*value = (int32_t)jb_unzigzag(*at), io->bad |= *at > UINT32_MAX));
}

/* Two numbers of the list. */
EACH_WAY void
wide(struct walk *io, jb_wide *value)
{
    uint64_t low = 0, high = 0;
    if (io->out != NULL) {
        const jb_uwide zigzag = ((jb_uwide)*value << 1) ^ (jb_uwide)(*value >> 127);
        low = (uint64_t)zigzag;
        high = (uint64_t)(zigzag >> 64);
    }
    u64(io, &low);
    u64(io, &high);
    if (io->out == NULL) {
        const jb_uwide zigzag = (jb_uwide)high << 64 | low;
        *value = (jb_wide)(zigzag >> 1 ^ -(zigzag & 1));
    }
}

/* One of 0 to JB_BALANCE_MAX. What was read goes into sums, here already: a damaged record must not
 * overflow them. */
EACH_WAY void
amount(struct walk *io, jb_amount *value)
{
    const uint64_t most = JB_BALANCE_MAX;
    MEMBER((uint64_t)*value, (io->bad |= *at > most, *value = *at <= most ? (jb_amount)*at : 0));
}

#define LOT_N 6
EACH_WAY void
lot(struct walk *io, struct jb_lot *l)
{
    begin(io, LOT_N);
    u32(io, &l->ordinal);
    u64(io, &l->seq);
    amount(io, &l->amount);
    amount(io, &l->remaining);
    amount(io, &l->reversed);
    amount(io, &l->refunded);
    end(io, LOT_N);
    /* Taken off one by one: three of them together may be more than the type holds. */
    jb_amount left = l->amount - l->reversed;
    left = left < 0 ? left : left - l->refunded;
    left = left < 0 ? left : left - l->remaining;
    io->bad |= io->out == NULL && left < 0;
}

#define GRANT_N 9
EACH_WAY void
grant(struct walk *io, struct jb_grant *g)
{
    begin(io, GRANT_N);
    u32(io, &g->ordinal);
    u32(io, &g->state);
    i32(io, &g->expires_on);
    u64(io, &g->seq);
    amount(io, &g->amount);
    amount(io, &g->remaining);
    u64(io, &g->activated_seq);
    instant(io, &g->activated_at);
    instant(io, &g->returned_at);
    end(io, GRANT_N);
    io->bad |= io->out == NULL && g->remaining > g->amount;
}

#define LEG_N 3
static void
legs(struct walk *io, struct jb_refund *r)
{
    for (uint32_t i = 0; i < r->legs_n; i++) {
        begin(io, LEG_N);
        u32(io, &r->legs[i].kind);
        u32(io, &r->legs[i].ordinal);
        amount(io, &r->legs[i].amount);
        end(io, LEG_N);
    }
}

#define REFUND_N 5
EACH_WAY void
refund(struct walk *io, struct jb_refund *r)
{
    begin(io, REFUND_N);
    u32(io, &r->ordinal);
    u32(io, &r->state);
    u64(io, &r->seq);
    amount(io, &r->amount);
    u32(io, &r->legs_n);
    end(io, REFUND_N);
    if (io->out == NULL) {
        if (io->bad || r->legs_n > io->left) { /* each has a byte at least */
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
    legs(io, r);
}

#define INTERVAL_N 4
EACH_WAY void
interval(struct walk *io, struct jb_interval *v)
{
    begin(io, INTERVAL_N);
    u32(io, &v->ordinal);
    u32(io, &v->status);
    instant(io, &v->from);
    u64(io, &v->seq);
    end(io, INTERVAL_N);
}

/* The words of a status and the like: they are few. */
EACH_WAY void
u8(struct walk *io, uint8_t *value)
{
    uint32_t wide = *value;
    u32(io, &wide);
    io->bad |= wide > UINT8_MAX;
    *value = io->bad ? 0 : (uint8_t)wide;
}

EACH_WAY void
bytes(struct walk *io, void *at, size_t n)
{
    uint8_t *to = io->out != NULL ? room(io, n) : NULL;
    if (to != NULL) {
        memcpy(to, at, n);
        io->out->n += n;
    } else if (io->out == NULL && n <= io->left) {
        memcpy(at, io->p, n);
        io->p += n;
        io->left -= n;
    } else {
        io->bad = true;
    }
}

/* How many items of each of a wallet's lists stand in its record. */
struct counts {
    uint32_t lots, grants, refunds, intervals;
};

/* A wallet's record but for the items of its lists, which follow. */
#define WALLET_N 27
EACH_WAY void
wallet_head(struct walk *io, struct jb_wallet *w, struct jb_wallet_rest *r, char *id,
            struct counts *counts)
{
    uint32_t id_n = w->id_n;
    begin(io, WALLET_N);
    u32(io, &w->number);
    u8(io, &w->status);
    u8(io, &w->under);
    u8(io, &w->kind);
    u64(io, &w->version);
    u64(io, &w->created_seq);
    u64(io, &w->name_ref);
    i64(io, &w->paid);
    amount(io, &w->free);
    amount(io, &r->dormant);
    amount(io, &r->pending);
    amount(io, &r->transit);
    u32(io, &w->lots_given);
    u32(io, &r->grants_given);
    u32(io, &r->refunds_given);
    u32(io, &w->intervals_given);
    u32(io, &r->refunds_open);
    u8(io, &w->settlement);
    amount(io, &r->limit);
    u32(io, &w->tax_month);
    i64(io, &w->tax_net);
    u64(io, &w->tax_newest);
    u32(io, &counts->lots);
    u32(io, &counts->grants);
    u32(io, &counts->refunds);
    u32(io, &counts->intervals);
    u32(io, &id_n);
    end(io, WALLET_N);
    if (io->out == NULL) {
        io->bad |= w->paid > JB_BALANCE_MAX || w->paid < -JB_BALANCE_MAX ||
                   id_n > JB_ID_BYTES_MAX || (w->tax_month != 0 && !jb_month_valid(w->tax_month));
    }
    bytes(io, id, io->bad ? 0 : id_n);
    if (io->out == NULL && !io->bad) {
        io->no_memory |= !jb_wallet_set_id(w, (struct jb_text){id, id_n});
    }
}

/* The items of a list that are not over. */
#define COUNT(name, list, is_over)                                                                 \
    for (size_t i = 0; i < (list).n; i++) {                                                        \
        counts.name += !(is_over);                                                                 \
    }
#define WRITE_LIST(list, is_over, write)                                                           \
    for (size_t i = 0; i < (list).n; i++) {                                                        \
        if (!(is_over)) {                                                                          \
            write(&io, &(list).at[i]);                                                             \
        }                                                                                          \
    }

bool
jb_record_wallet(const struct jb_wallet *wallet, struct jb_buffer *out)
{
    struct walk io;
    struct jb_wallet *w = (struct jb_wallet *)(uintptr_t)wallet; /* writing changes nothing */
    struct jb_wallet_rest *r = (struct jb_wallet_rest *)(uintptr_t)jb_rest(w);
    struct jb_interval first;
    struct {
        struct jb_interval *at;
        uint32_t n;
    } intervals;
    const struct jb_intervals all = jb_wallet_intervals(w, &first);
    intervals.at = (struct jb_interval *)(uintptr_t)all.at;
    intervals.n = all.n;
    struct counts counts = {0};
    write_to(&io, out);
    COUNT(lots, w->lots, jb_lot_over(&w->lots.at[i]))
    COUNT(grants, r->grants, jb_grant_over(&r->grants.at[i]))
    COUNT(refunds, r->refunds, jb_refund_over(&r->refunds.at[i]))
    COUNT(intervals, intervals, jb_interval_over(w, &intervals.at[i]))
    wallet_head(&io, w, r, (char *)(uintptr_t)jb_id_of(w).s, &counts);
    WRITE_LIST(w->lots, jb_lot_over(&w->lots.at[i]), lot)
    WRITE_LIST(r->grants, jb_grant_over(&r->grants.at[i]), grant)
    WRITE_LIST(r->refunds, jb_refund_over(&r->refunds.at[i]), refund)
    WRITE_LIST(intervals, jb_interval_over(w, &intervals.at[i]), interval)
    return !io.bad;
}

/* Reads `count` items into a list; each has a byte at least. `wrong`: one that is not written. */
#define READ_LIST(count, read, type, wrong, reserve, add)                                          \
    if (io.no_memory || io.bad || (count) > io.left) {                                             \
        return io.no_memory ? JB_E_NOMEM : JB_E_STALE;                                             \
    }                                                                                              \
    if (!(reserve)) {                                                                              \
        return JB_E_NOMEM;                                                                         \
    }                                                                                              \
    for (uint32_t i = 0; i < (count); i++) {                                                       \
        struct type item = {0};                                                                    \
        read(&io, &item);                                                                          \
        io.bad |= (wrong);                                                                         \
        add;                                                                                       \
    }

/* False: no memory. */
static bool
keep_rest(struct jb_wallet *w, const struct jb_wallet_rest *r, const struct counts *counts)
{
    bool none = r->dormant == 0 && r->limit == 0 && r->pending == 0 && r->transit == 0 &&
                r->grants_given == 0 && r->refunds_given == 0 && r->refunds_open == 0 &&
                counts->grants == 0 && counts->refunds == 0;
    if (none) {
        return true;
    }
    struct jb_wallet_rest *to = jb_wallet_rest(w);
    if (to != NULL) {
        *to = *r;
    }
    return to != NULL;
}

jb_status
jb_read_wallet(const uint8_t *p, size_t n, struct jb_wallet *ret)
{
    struct walk io;
    struct counts counts = {0};
    struct jb_wallet_rest head = {0};
    char id[JB_ID_BYTES_MAX];
    read_from(&io, p, n);
    wallet_head(&io, ret, &head, id, &counts);
    io.no_memory |= !io.bad && !keep_rest(ret, &head, &counts);
    struct jb_wallet_rest *r = ret->rest; /* there where it has grants or refunds */
    READ_LIST(counts.lots, lot, jb_lot, jb_lot_over(&item),
              jb_list_reserve(&ret->lots, counts.lots), ret->lots.at[ret->lots.n++] = item)
    READ_LIST(counts.grants, grant, jb_grant, jb_grant_over(&item),
              counts.grants == 0 || jb_list_reserve(&r->grants, counts.grants),
              r->grants.at[r->grants.n++] = item)
    READ_LIST(counts.refunds, refund, jb_refund, jb_refund_over(&item),
              counts.refunds == 0 || jb_list_reserve(&r->refunds, counts.refunds),
              r->refunds.at[r->refunds.n++] = item)
    r = counts.intervals > 1 ? jb_wallet_rest(ret) : r;
    READ_LIST(
        counts.intervals, interval, jb_interval, jb_interval_over(ret, &item),
        counts.intervals <= 1 || (r != NULL && jb_list_reserve(&r->intervals, counts.intervals)),
        if (counts.intervals > 1) { r->intervals.at[r->intervals.n++] = item; } else {
            io.no_memory |= !jb_wallet_add_interval(ret, &item);
        })
    return outcome(&io);
}

#define RECORD(name, type, member)                                                                 \
    bool jb_record_##name(const struct type *item, struct jb_buffer *out)                          \
    {                                                                                              \
        struct walk io;                                                                            \
        write_to(&io, out);                                                                        \
        struct type copy = *item;                                                                  \
        member(&io, &copy);                                                                        \
        return !io.bad;                                                                            \
    }                                                                                              \
    jb_status jb_read_##name(const uint8_t *p, size_t n, struct type *ret)                         \
    {                                                                                              \
        struct walk io;                                                                            \
        read_from(&io, p, n);                                                                      \
        *ret = (struct type){0};                                                                   \
        member(&io, ret);                                                                          \
        ret->stored = true;                                                                        \
        return outcome(&io);                                                                       \
    }

RECORD(lot, jb_lot, lot)
RECORD(grant, jb_grant, grant)
RECORD(refund, jb_refund, refund)
RECORD(interval, jb_interval, interval)

size_t
jb_record_return(jb_seq last, jb_amount sum, uint8_t ret[JB_RETURN_BYTES_MAX])
{
    const uint64_t numbers[2] = {last, (uint64_t)sum};
    return jb_numbers_put(ret, numbers, 2);
}

bool
jb_read_return(const uint8_t *p, size_t n, jb_seq *ret_last, jb_amount *ret_sum)
{
    uint64_t numbers[2];
    if (n == 0 || jb_numbers_get(p, n, numbers, 2) != n || numbers[1] > JB_BALANCE_MAX) {
        return false;
    }
    *ret_last = numbers[0];
    *ret_sum = (jb_amount)numbers[1];
    return true;
}

#define SETTING_N 4
static void
setting(struct walk *io, struct jb_policy_setting *p)
{
    begin(io, SETTING_N);
    u32(io, &p->policy);
    i64(io, &p->value);
    instant(io, &p->from);
    u64(io, &p->seq);
    end(io, SETTING_N);
}

#define DAY_N (1 + 2 * JB_TOTALS_N)
static void
open_day(struct walk *io, struct jb_open_day *d)
{
    static_assert(DAY_N <= JB_NUMBERS_MAX, "a day's sums are one list");
    begin(io, DAY_N);
    i32(io, &d->day);
    for (unsigned i = 0; i < JB_TOTALS_N; i++) {
        wide(io, &d->t[i]);
    }
    end(io, DAY_N);
}

#define GLOBALS_N (21 + 2 * 5 + 2)
static void
globals_head(struct walk *io, struct jb_globals *g, uint32_t *policies, uint32_t *open)
{
    begin(io, GLOBALS_N);
    u64(io, &g->seq);
    instant(io, &g->recorded_at);
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
    wide(io, &g->closing_paid);
    wide(io, &g->closing_free);
    wide(io, &g->closing_dormant);
    wide(io, &g->transit);
    wide(io, &g->wallets);
    u32(io, policies);
    u32(io, open);
    end(io, GLOBALS_N);
    io->bad |= g->totals_n > JB_TOTALS_N;
}

bool
jb_record_globals(const struct jb_globals *globals, struct jb_buffer *out)
{
    struct walk io;
    struct jb_globals *g = (struct jb_globals *)(uintptr_t)globals;
    uint32_t policies = (uint32_t)g->policies.n, open = (uint32_t)g->open.n;
    write_to(&io, out);
    globals_head(&io, g, &policies, &open);
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
    struct walk io;
    uint32_t policies = 0, open = 0;
    read_from(&io, p, n);
    globals_head(&io, ret, &policies, &open);
    READ_LIST(policies, setting, jb_policy_setting, false, jb_vec_reserve(&ret->policies, policies),
              ret->policies.at[ret->policies.n++] = item)
    READ_LIST(open, open_day, jb_open_day, false, jb_vec_reserve(&ret->open, open),
              ret->open.at[ret->open.n++] = item)
    return outcome(&io);
}

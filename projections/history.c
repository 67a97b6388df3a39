/*
 * Histories: the wallet's own chain, walked back. The running balance starts from the state and
 * goes down by the effect of each event, so that a row's balance is the sum of effects up to it.
 */
#include "projections/query.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define HISTORY_LIMIT_MAX 10000
#define PLACE_BYTES 24

/* Where a page goes on: the next event of the chain, and the balance after it. */
struct place {
    jb_seq seq;
    jb_amount balance;
};

enum { JB_HISTORY_none = JB_HISTORY_ALL };

/* The kind of history that lists events of a type, beside that of all. */
static const uint8_t kinds[JB_EV_TYPES] = {
#define EFFECT(NAME, history, cause, ...) [JB_EV_##NAME] = JB_HISTORY_##history,
#include "event/effects.def"
#undef EFFECT
};

static bool
is_of_kind(uint32_t type, jb_history_kind kind)
{
    return kind == JB_HISTORY_ALL || (type < JB_EV_TYPES && kinds[type] == kind);
}

/* Binds a cursor to the ledger, the wallet, the kind and the day asked for. No secret: it finds
 * mistakes, not forgers, and a place is compared with the log before it is used. */
static uint64_t
check_of(const struct jb_views *v, uint32_t wallet, jb_history_kind kind, jb_day only_through,
         const uint8_t place[16])
{
    uint8_t bytes[16 + 4 + 4 + 4 + 16];
    memcpy(bytes, v->info.ledger_id, 16);
    jb_put_be(bytes + 16, 4, wallet);
    jb_put_be(bytes + 20, 4, (uint32_t)kind);
    jb_put_be_i32(bytes + 24, only_through);
    memcpy(bytes + 28, place, 16);
    return XXH3_64bits(bytes, sizeof bytes);
}

static void
write_cursor(const struct jb_views *v, uint32_t wallet, jb_history_kind kind, jb_day only_through,
             const struct place *p, char *out)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[PLACE_BYTES];
    jb_put_be(bytes, 8, p->seq);
    jb_put_be(bytes + 8, 8, (uint64_t)p->balance);
    jb_put_be(bytes + 16, 8, check_of(v, wallet, kind, only_through, bytes));
    for (size_t i = 0; i < PLACE_BYTES; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * PLACE_BYTES] = '\0';
}

static bool
read_cursor(const struct jb_views *v, uint32_t wallet, jb_history_kind kind, jb_day only_through,
            const char *text, struct place *ret)
{
    uint8_t bytes[PLACE_BYTES];
    for (size_t i = 0; i < 2 * PLACE_BYTES; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) {
            return false; /* ends at a NUL, too */
        }
        bytes[i / 2] = (uint8_t)(i % 2 == 0 ? digit << 4 : bytes[i / 2] | digit);
    }
    ret->seq = jb_get_be(bytes, 8);
    ret->balance = (jb_amount)jb_get_be(bytes + 8, 8);
    return text[2 * PLACE_BYTES] == '\0' &&
           jb_get_be(bytes + 16, 8) == check_of(v, wallet, kind, only_through, bytes);
}

/* The newest event at the moment and the balance after it. Of a closed day: without what was posted
 * later. */
static jb_status
newest(struct jb_view_read *q, uint32_t wallet, const struct jb_as_of_point *r, struct place *ret,
       struct jb_error *err)
{
    struct jb_summary summary;
    jb_status status = jb_view_read_summary(q, wallet, r->moment.seq, &summary, err);
    if (status != JB_OK) {
        return status;
    }
    if (r->only_through != JB_NO_DAY && summary.created_on > r->only_through) {
        status = jb_not_yet(q, wallet, 0, err);
    }
    struct jb_summary_sums sums;
    struct jb_move later = {.paid = 0};
    jb_summary_sum(&summary, JB_NO_DAY, &sums);
    if (status == JB_OK && r->only_through != JB_NO_DAY) {
        struct jb_walk walk = {.from = summary.version, .posted_after = r->only_through};
        status = jb_view_read_walk(q, wallet, &walk, &later, err);
    }
    *ret = (struct place){.seq = summary.version,
                          .balance = summary.paid + sums.free - later.paid - later.free};
    jb_summary_free(&summary);
    return status;
}

/* Where to begin: at the newest event, or where the cursor says. */
static jb_status
begin(struct jb_views *v, uint32_t wallet, jb_history_kind kind, const struct jb_as_of *as_of,
      const char *cursor, struct place *ret, struct jb_as_of_point *r, struct jb_error *err)
{
    struct jb_view_read q;
    jb_status status = jb_view_read_begin_at(v, as_of, &q, r, err);
    if (status != JB_OK) {
        return status;
    }
    status = newest(&q, wallet, r, ret, err);
    if (status == JB_OK && cursor != NULL && cursor[0] != '\0') {
        const struct jb_event *e;
        struct place p;
        bool good = read_cursor(v, wallet, kind, r->only_through, cursor, &p) && p.seq != 0 &&
                    p.seq <= ret->seq;
        status = good ? jb_view_read_event(&q, p.seq, wallet, &e, err) : JB_E_USAGE;
        if (!good || status == JB_E_NOTFOUND || status == JB_E_CORRUPT) {
            status = jb_fail(err, JB_E_USAGE,
                             "this cursor is not of this wallet's history; begin without one");
        }
        if (good) {
            *ret = p;
        }
    }
    jb_view_read_end(&q);
    return status;
}

static jb_status
event_of(jb_cursor *c, jb_seq seq, uint32_t wallet, const struct jb_event **ret,
         struct jb_error *err)
{
    jb_status status = jb_cursor_at(c, seq, ret, err);
    if (status == JB_E_NOTFOUND ||
        (status == JB_OK && ((*ret)->wallet != wallet || (*ret)->prev >= seq))) {
        return jb_fail(err, JB_E_CORRUPT,
                       "event %llu is named as one of wallet %u and is not. Run `jangbu audit`",
                       (unsigned long long)seq, wallet);
    }
    return status;
}

jb_status
jb_history_get(jb_views *v, struct jb_text wallet, jb_history_kind kind,
               const struct jb_as_of *as_of, const char *cursor, uint32_t limit,
               bool (*each)(void *data, const struct jb_history_row *row), void *data, char *next,
               struct jb_moment *ret_moment, struct jb_error *err)
{
    if (v == NULL || each == NULL) {
        return jb_fail_null(err, "jb_history_get");
    }
    if (limit < 1 || limit > HISTORY_LIMIT_MAX || (unsigned)kind > JB_HISTORY_REFUND) {
        return jb_fail(err, JB_E_USAGE,
                       limit < 1 || limit > HISTORY_LIMIT_MAX
                           ? "a page of a history has 1 to 10,000 rows"
                           : "a history of a kind that does not exist");
    }
    uint32_t number;
    struct place at;
    struct jb_as_of_point r;
    jb_status status = jb_find_wallet(v->l, wallet, &number, err);
    status = status == JB_OK ? begin(v, number, kind, as_of, cursor, &at, &r, err) : status;
    jb_cursor *c = NULL;
    status = status == JB_OK ? jb_cursor_open(v->l, 1, &c, err) : status;
    if (status != JB_OK) {
        return status;
    }
    /* From here on only the log is read: each may take its time. */
    bool more = true;
    for (uint32_t rows = 0; more && at.seq != 0 && rows < limit;) {
        const struct jb_event *e;
        status = event_of(c, at.seq, number, &e, err);
        if (status != JB_OK) {
            break;
        }
        jb_seq prev = e->prev;
        bool counts = r.only_through == JB_NO_DAY || e->posted_on <= r.only_through;
        jb_amount effect = counts ? jb_event_effect(e) : 0;
        if (counts && is_of_kind(e->type, kind)) {
            struct jb_history_row row = {.event = e,
                                         .effect = effect,
                                         .balance = at.balance,
                                         .late = e->posted_on >
                                                 jb_day_of(e->occurred_at, v->info.utc_offset_s)};
            more = each(data, &row);
            rows++;
        }
        at = (struct place){.seq = prev, .balance = at.balance - effect};
    }
    jb_cursor_close(c);
    if (status != JB_OK) {
        return status;
    }
    if (next != NULL) {
        next[0] = '\0';
        if (at.seq != 0) {
            write_cursor(v, number, kind, r.only_through, &at, next);
        }
    }
    if (ret_moment != NULL) {
        *ret_moment = r.moment;
    }
    return JB_OK;
}

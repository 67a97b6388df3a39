/*
 * Cursors, and what pages keep. A cursor's text is hexadecimal: the number of this layout 1 byte,
 * place 8, balance 8, the moment's number 8 and time 8, the closed day that was asked for 4, 8 of
 * the chain value at the moment (a log that was put back and went on otherwise has another), and 8
 * of a hash over these and what the list is of. The hash is no secret: it finds mistakes, not
 * forgers. Where a cursor goes on and of which history it is are compared with the log; the balance
 * of a history is taken from it, so whoever makes one up sees figures of his own making.
 */
#include "projections/page.h"

#include "base/steps.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define LAYOUT 1
enum { AT = 1, BALANCE = 9, SEQ = 17, TIME = 25, DAY = 33, CHAIN = 37, PLACE_BYTES = 45 };
#define CHAIN_BYTES 8
#define CURSOR_BYTES (PLACE_BYTES + 8)
static_assert(2 * CURSOR_BYTES < JB_CURSOR_TEXT_BYTES, "a cursor fits its text");

static uint64_t
check_of(const struct jb_views *v, const struct jb_page_of *of, const uint8_t place[PLACE_BYTES])
{
    uint8_t bytes[16 + 4 + 4 + 8 + PLACE_BYTES];
    memcpy(bytes, v->info.ledger_id, 16);
    jb_put_be(bytes + 16, 4, of->list);
    jb_put_be(bytes + 20, 4, of->wallet);
    jb_put_be(bytes + 24, 8, of->filter);
    memcpy(bytes + 32, place, PLACE_BYTES);
    return XXH3_64bits(bytes, sizeof bytes);
}

void
jb_page_hex(const uint8_t *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

static void
write_cursor(const struct jb_views *v, const struct jb_page_of *of,
             const struct jb_page_place *place, const struct jb_as_of_point *r, char *out)
{
    uint8_t bytes[CURSOR_BYTES];
    bytes[0] = LAYOUT;
    jb_put_be(bytes + AT, 8, place->at);
    jb_put_be(bytes + BALANCE, 8, (uint64_t)place->balance);
    jb_put_be(bytes + SEQ, 8, r->moment.seq);
    jb_put_be(bytes + TIME, 8, (uint64_t)r->moment.at);
    jb_put_be_i32(bytes + DAY, r->only_through);
    memcpy(bytes + CHAIN, r->chain, CHAIN_BYTES);
    jb_put_be(bytes + PLACE_BYTES, 8, check_of(v, of, bytes));
    jb_page_hex(bytes, sizeof bytes, out);
}

bool
jb_page_bytes(const char *text, uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < 2 * n; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) {
            return false; /* ends at a NUL, too */
        }
        bytes[i / 2] = (uint8_t)(i % 2 == 0 ? digit << 4 : bytes[i / 2] | digit);
    }
    return text[2 * n] == '\0';
}

/* The log was put back to an older state: err->at is the event that the cursor knew. */
static jb_status
other_history(jb_status status, jb_seq seq, struct jb_error *err)
{
    if (err != NULL) {
        err->at = seq;
    }
    return status;
}

static jb_status
read_cursor(struct jb_views *v, const struct jb_page_of *of, const char *text,
            struct jb_page_place *place, struct jb_as_of_point *r, struct jb_error *err)
{
    uint8_t bytes[CURSOR_BYTES];
    if (!jb_page_bytes(text, bytes, sizeof bytes) || bytes[0] != LAYOUT ||
        jb_get_be(bytes + PLACE_BYTES, 8) != check_of(v, of, bytes)) {
        return jb_fail(err, JB_E_USAGE,
                       "this cursor is not of this list: another wallet's, another filter's, or "
                       "another ledger's. Begin without one");
    }
    *place =
        (struct jb_page_place){jb_get_be(bytes + AT, 8), (jb_amount)jb_get_be(bytes + BALANCE, 8)};
    *r = (struct jb_as_of_point){
        .moment = {jb_get_be(bytes + SEQ, 8), (jb_instant)jb_get_be(bytes + TIME, 8)},
        .only_through = jb_get_be_i32(bytes + DAY),
        .closed_through = JB_NO_DAY,
        .first_open_day = JB_NO_DAY,
        .today = JB_NO_DAY};
    bool timed = r->moment.at != JB_NO_INSTANT;
    if (timed && (r->moment.at < JB_INSTANT_MIN || r->moment.at > JB_INSTANT_MAX)) {
        return jb_fail(err, JB_E_USAGE, "this cursor is of a time that there cannot be");
    }
    r->today = timed ? jb_day_of(r->moment.at, v->info.utc_offset_s) : JB_NO_DAY;
    struct jb_head head = JB_SIZED(struct jb_head);
    jb_status status = jb_head_get(v->l, &head, err);
    if (status == JB_OK && (r->moment.seq == 0 || r->moment.seq > head.seq)) {
        status = jb_fail(err, JB_E_NOTFOUND,
                         "this cursor is as of event %llu, and the log ends with %llu: it was put "
                         "back to an older state. Begin without one",
                         (unsigned long long)r->moment.seq, (unsigned long long)head.seq);
        status = other_history(status, r->moment.seq, err);
    }
    status = status == JB_OK ? jb_chain_of(v->l, r->moment.seq, r->chain, err) : status;
    if (status == JB_OK && memcmp(r->chain, bytes + CHAIN, CHAIN_BYTES) != 0) {
        status = jb_fail(err, JB_E_NOTFOUND,
                         "this cursor is of another history: the log was put back to an older "
                         "state, and event %llu is another one now. Begin without one",
                         (unsigned long long)r->moment.seq);
        status = other_history(status, r->moment.seq, err);
    }
    return status;
}

/* Of now only the log is asked: nothing is folded for it. */
static jb_status
moment_now(struct jb_views *v, struct jb_as_of_point *r, struct jb_error *err)
{
    struct jb_head head = JB_SIZED(struct jb_head);
    jb_instant now = 0;
    jb_status status = jb_head_get(v->l, &head, err);
    status = status == JB_OK ? jb_ledger_now(v->l, &now, err) : status;
    if (status != JB_OK) {
        return status;
    }
    now = head.recorded_at > now ? head.recorded_at : now;
    *r = (struct jb_as_of_point){.moment = {head.seq, now},
                                 .now = true,
                                 .only_through = JB_NO_DAY,
                                 .closed_through = JB_NO_DAY,
                                 .first_open_day = JB_NO_DAY,
                                 .today = jb_day_of(now, v->info.utc_offset_s)};
    memcpy(r->chain, head.chain, sizeof r->chain);
    return JB_OK;
}

jb_status
jb_page_begin(struct jb_views *v, const struct jb_page_of *of, const struct jb_as_of *as_of,
              const char *cursor, uint32_t limit, struct jb_page_place *place,
              struct jb_as_of_point *r, bool *ret_fresh, struct jb_error *err)
{
    if (limit < 1 || limit > JB_PAGE_ROWS_MAX) {
        return jb_fail(err, JB_E_USAGE, "a page has 1 to 10,000 rows, not %u", limit);
    }
    *ret_fresh = cursor == NULL || cursor[0] == '\0';
    if (!*ret_fresh) {
        return read_cursor(v, of, cursor, place, r, err);
    }
    if (jb_as_of_is_now(as_of)) {
        return moment_now(v, r, err);
    }
    struct jb_view_read q;
    jb_status status = jb_view_read_begin_at(v, as_of, &q, r, err);
    if (status == JB_OK) {
        jb_view_read_end(&q);
        status = jb_chain_of(v->l, r->moment.seq, r->chain, err);
    }
    return status;
}

jb_status
jb_page_end_of_day(struct jb_views *v, struct jb_as_of_point *r, struct jb_error *err)
{
    if (r->only_through == JB_NO_DAY) {
        return JB_OK;
    }
    r->only_through = JB_NO_DAY;
    jb_status status = jb_seq_at_time(v->l, r->moment.at, &r->moment.seq, err);
    return status == JB_OK ? jb_chain_of(v->l, r->moment.seq, r->chain, err) : status;
}

jb_status
jb_page_check_below(jb_seq below, const struct jb_as_of_point *r, struct jb_error *err)
{
    return below > 0 && below <= r->moment.seq + 1
               ? JB_OK
               : jb_fail(err, JB_E_USAGE, "this cursor's place is not in its list");
}

void
jb_page_end(const struct jb_views *v, const struct jb_page_of *of,
            const struct jb_page_place *place, const struct jb_as_of_point *r, char *next,
            struct jb_moment *moment)
{
    if (next != NULL) {
        next[0] = '\0';
        if (place != NULL) {
            write_cursor(v, of, place, r, next);
        }
    }
    if (moment != NULL) {
        *moment = r->moment;
    }
}

/* ---- events that outlive their snapshot ---- */

jb_status
jb_keep(struct jb_kept *k, const jb_cursor *c, jb_seq seq, struct jb_error *err)
{
    const struct jb_text bytes = jb_cursor_bytes(c);
    const struct jb_event_context context = jb_cursor_context(c);
    if (!jb_vec_reserve(&k->bytes, k->bytes.n + bytes.n) ||
        !jb_vec_reserve(&k->events, k->events.n + 1)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a page of events");
    }
    memcpy(k->bytes.at + k->bytes.n, bytes.s, bytes.n);
    k->events.at[k->events.n++] = (struct jb_kept_event){seq, context.base, k->bytes.n, bytes.n};
    k->bytes.n += bytes.n;
    k->utc_offset_s = context.utc_offset_s;
    return JB_OK;
}

bool
jb_kept_full(const struct jb_kept *k)
{
    return k->bytes.n >= JB_PAGE_BYTES_MAX;
}

jb_status
jb_kept_at(struct jb_kept *k, size_t i, const struct jb_event **ret, struct jb_error *err)
{
    const struct jb_kept_event *e = &k->events.at[i];
    const struct jb_event_context context = {e->base, k->utc_offset_s};
    struct jb_decode_failure failure;
    if (jb_event_decode(k->bytes.at + e->at, e->n, e->seq, &context, &k->event, &k->space,
                        &failure) != e->n) {
        /* It was decoded when it was read: only memory can be short. */
        return jb_fail(err, JB_E_NOMEM, "no memory for event %llu", (unsigned long long)e->seq);
    }
    *ret = &k->event;
    return JB_OK;
}

void
jb_kept_free(struct jb_kept *k)
{
    jb_vec_free(&k->bytes);
    jb_vec_free(&k->events);
    jb_event_space_free(&k->space);
}

jb_status
jb_chain_event(jb_cursor *c, jb_seq seq, uint32_t wallet, const struct jb_event **ret,
               struct jb_error *err)
{
    jb_steps.events++;
    jb_status status = jb_limit_look(err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_cursor_at(c, seq, ret, err);
    if (status == JB_E_NOTFOUND ||
        (status == JB_OK && ((*ret)->wallet != wallet || (*ret)->prev >= seq))) {
        status = jb_fail(err, JB_E_CORRUPT,
                         "event %llu is named as one of wallet %u and is not. Run `jangbu audit`",
                         (unsigned long long)seq, wallet);
        if (err != NULL) {
            err->at = seq;
        }
    }
    return status;
}

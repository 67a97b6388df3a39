#include "projections/rows.h"

#include "base/bytes.h"
#include "base/error.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static const char *const table_names[JB_VT_N] = {
    [JB_VT_ROWS] = "rows",           [JB_VT_MOVED] = "moved",   [JB_VT_WALLETS] = "wallets",
    [JB_VT_SNAPSHOTS] = "snapshots", [JB_VT_GRANTS] = "grants", [JB_VT_CLOSES] = "closes",
    [JB_VT_REFUSED] = "refused",     [JB_VT_TEXTS] = "texts",   [JB_VT_GLOBAL] = "global",
};

/* A summary has the last event of each type. Who did not know a type yet left out its last event.
 */
enum {
#define EFFECT(NAME, ...) AN_EVENT_##NAME,
#include "event/effects.def"
#undef EFFECT
    TYPES_KNOWN
};
static_assert(TYPES_KNOWN == 56 && JB_VIEWS_VERSION == 10,
              "with another type of events views.mdb has another layout: raise its number");

const struct jb_store_schema jb_views_schema = {
    .file = JB_VIEWS_FILE, .version = JB_VIEWS_VERSION, .tables_n = JB_VT_N, .tables = table_names};

const char *const jb_flow_words[JB_FLOWS_N] = {
#define JB_X(name) #name,
    JB_FLOWS(JB_X)
#undef JB_X
};

static void
put64(uint8_t **at, int64_t value)
{
    jb_put_be(*at, 8, (uint64_t)value);
    *at += 8;
}

static int64_t
get64(const uint8_t **at)
{
    int64_t value = (int64_t)jb_get_be(*at, 8);
    *at += 8;
    return value;
}

/* In numbers that wrap round: either may be JB_TOO_MUCH. */
static uint64_t
both(const struct jb_day_row *r)
{
    return (uint64_t)r->paid + (uint64_t)r->free;
}

size_t
jb_day_row_encode(const struct jb_day_row *r, uint8_t out[JB_DAY_ROW_BYTES_MAX])
{
    uint64_t n[JB_DAY_ROW_NUMBERS] = {jb_zigzag(r->paid), jb_zigzag(r->free),
                                      jb_zigzag((int64_t)((uint64_t)r->total - both(r))),
                                      r->first_seq, r->last_seq - r->first_seq};
    for (unsigned i = 0; i < JB_FLOWS_N; i++) {
        n[5 + i] = jb_zigzag(r->flows[i]);
    }
    return jb_numbers_put(out, n, JB_DAY_ROW_NUMBERS);
}

bool
jb_day_row_decode(jb_day day, const uint8_t *bytes, size_t n, struct jb_day_row *ret)
{
    uint64_t numbers[JB_DAY_ROW_NUMBERS];
    if (n == 0 || jb_numbers_get(bytes, n, numbers, JB_DAY_ROW_NUMBERS) != n) {
        return false;
    }
    struct jb_day_row r = {.day = day,
                           .paid = jb_unzigzag(numbers[0]),
                           .free = jb_unzigzag(numbers[1]),
                           .first_seq = numbers[3],
                           .last_seq = numbers[3] + numbers[4]};
    r.total = (jb_amount)((uint64_t)jb_unzigzag(numbers[2]) + both(&r));
    for (unsigned i = 0; i < JB_FLOWS_N; i++) {
        r.flows[i] = jb_unzigzag(numbers[5 + i]);
    }
    *ret = r;
    return true;
}

jb_amount
jb_flows_effect(const jb_amount flows[JB_FLOWS_N])
{
    static const int sign[JB_FLOWS_N] = {
        [JB_FLOW_charged] = 1,        [JB_FLOW_charge_reversed] = -1, [JB_FLOW_free_activated] = 1,
        [JB_FLOW_consumed_paid] = -1, [JB_FLOW_consumed_free] = -1,   [JB_FLOW_returned] = 1,
        [JB_FLOW_refunded] = -1,      [JB_FLOW_refund_failed] = 1,    [JB_FLOW_debt_repaid] = 1,
        [JB_FLOW_expired] = -1,       [JB_FLOW_forfeited] = -1,
    };
    jb_amount sum = 0;
    for (unsigned i = 0; i < JB_FLOWS_N; i++) {
        sum = flows[i] == JB_TOO_MUCH ? JB_TOO_MUCH : jb_sum(sum, sign[i] * flows[i]);
    }
    return sum;
}

bool
jb_flows_none(const jb_amount flows[JB_FLOWS_N])
{
    for (unsigned i = 0; i < JB_FLOWS_N; i++) {
        if (flows[i] != 0) {
            return false;
        }
    }
    return true;
}

void
jb_key_wallet(uint8_t key[JB_KEY_WALLET_BYTES], uint32_t wallet)
{
    jb_put_be(key, 4, wallet);
}

void
jb_key_wallet_day(uint8_t key[JB_KEY_WALLET_DAY_BYTES], uint32_t wallet, jb_day day)
{
    jb_put_be(key, 4, wallet);
    jb_put_be_i32(key + 4, day);
}

void
jb_key_wallet_seq(uint8_t key[JB_KEY_WALLET_SEQ_BYTES], uint32_t wallet, jb_seq seq)
{
    jb_put_be(key, 4, wallet);
    jb_put_be(key + 4, 8, seq);
}

void
jb_key_refused(uint8_t key[JB_KEY_REFUSED_BYTES], const struct jb_refused *r)
{
    jb_put_be(key, 4, r->wallet);
    jb_put_be(key + 4, 8, r->hash);
    jb_put_be(key + 12, 8, r->seq);
}

void
jb_key_text(uint8_t key[JB_KEY_TEXT_BYTES], jb_seq epoch, uint32_t bucket, uint32_t chunk)
{
    jb_put_be(key, 3, epoch);
    jb_put_be(key + 3, 2, bucket);
    jb_put_be(key + 5, 2, chunk);
}

uint64_t
jb_text_hash(struct jb_text t)
{
    return XXH3_64bits(t.s, t.n) >> (64 - 16 - JB_TEXT_REST_BITS);
}

static unsigned
add_text(struct jb_event_text *out, unsigned n, const char *what, struct jb_text text)
{
    bool there = text.s != NULL && text.n > 0;
    if (there) {
        JB_ASSERT(n < JB_EVENT_TEXTS_MAX); /* no type has that many */
        out[n] = (struct jb_event_text){what, text};
    }
    return n + there;
}

/* What the member `id` is depends on the type: of whom, and of which command. */
static const char *
what_of(const struct jb_event *e, const struct jb_field_info *f)
{
    bool of_wallet = (e->type == JB_EV_WALLET_CREATED && strcmp(f->name, "id") == 0) ||
                     (e->type == JB_EV_COMMAND_REFUSED && strcmp(f->name, "wallet_id") == 0);
    return of_wallet ? "wallet" : f->name;
}

unsigned
jb_event_texts(const struct jb_event *e, struct jb_event_text out[JB_EVENT_TEXTS_MAX])
{
    const struct jb_event_type_info *type =
        e->type != JB_EV_LEDGER_CREATED ? jb_event_type_get(e->type) : NULL;
    unsigned n = (e->flags & JB_EVF_KEY) != 0 ? add_text(out, 0, "key", e->key) : 0;
    for (uint32_t i = 0; type != NULL && i < type->fields_n; i++) {
        const struct jb_field_info *f = &type->fields[i];
        if ((f->kind == JB_FK_TEXT || f->kind == JB_FK_OPT_TEXT) && f->since <= e->version) {
            struct jb_text text;
            memcpy(&text, (const char *)e + f->offset, sizeof text);
            n = add_text(out, n, what_of(e, f), text);
        }
    }
    return n;
}

void
jb_key_day(uint8_t key[JB_KEY_DAY_BYTES], jb_day day)
{
    jb_put_be_i32(key, day);
}

void
jb_key_grant(uint8_t key[JB_KEY_GRANT_BYTES], uint32_t wallet, uint32_t ordinal)
{
    jb_put_be(key, 4, wallet);
    jb_put_be(key + 4, 4, ordinal);
}

void
jb_grant_terms_encode(const struct jb_grant_terms *g, uint8_t out[JB_GRANT_TERMS_BYTES])
{
    jb_put_be_i32(out, g->expires_on);
    jb_put_be(out + 4, 8, g->seq);
}

bool
jb_grant_terms_decode(const uint8_t *bytes, size_t n, struct jb_grant_terms *ret)
{
    if (n != JB_GRANT_TERMS_BYTES) {
        return false;
    }
    *ret =
        (struct jb_grant_terms){.expires_on = jb_get_be_i32(bytes), .seq = jb_get_be(bytes + 4, 8)};
    return true;
}

void
jb_close_encode(const struct jb_close *c, uint8_t out[JB_CLOSE_BYTES])
{
    uint8_t *at = out;
    put64(&at, (int64_t)c->seq);
    put64(&at, c->recorded_at);
}

bool
jb_close_decode(jb_day day, const uint8_t *bytes, size_t n, struct jb_close *ret)
{
    if (n != JB_CLOSE_BYTES) {
        return false;
    }
    const uint8_t *at = bytes;
    ret->day = day;
    ret->seq = (jb_seq)get64(&at);
    ret->recorded_at = get64(&at);
    return true;
}

void
jb_view_global_init(struct jb_view_global *g)
{
    *g = (struct jb_view_global){.recorded_at = JB_NO_INSTANT,
                                 .first_day = JB_NO_DAY,
                                 .first_open_day = JB_NO_DAY,
                                 .closed_through = JB_NO_DAY};
}

void
jb_view_global_encode(const struct jb_view_global *g, uint8_t out[JB_GLOBAL_BYTES])
{
    uint8_t *at = out;
    put64(&at, (int64_t)g->first_timed_seq);
    put64(&at, g->recorded_at);
    jb_put_be_i32(at, g->first_day);
    jb_put_be_i32(at + 4, g->first_open_day);
    jb_put_be_i32(at + 8, g->closed_through);
    jb_put_be(at + 12, 4, g->wallets_n);
}

bool
jb_view_global_decode(const uint8_t *bytes, size_t n, struct jb_view_global *ret)
{
    if (n != JB_GLOBAL_BYTES) {
        return false;
    }
    const uint8_t *at = bytes;
    ret->first_timed_seq = (jb_seq)get64(&at);
    ret->recorded_at = get64(&at);
    ret->first_day = jb_get_be_i32(at);
    ret->first_open_day = jb_get_be_i32(at + 4);
    ret->closed_through = jb_get_be_i32(at + 8);
    ret->wallets_n = (uint32_t)jb_get_be(at + 12, 4);
    return true;
}

/*
 * A whole ledger out of any bytes. The input is a list of events, stored ones and ones described in
 * a few bytes; the harness gives them the numbers, chains and sums that hold, or now and then does
 * not, so that they get as far as the folds. They are folded by core's state, checked as the audit
 * checks them, and folded by the projections. Some inputs are written as a log, too, and audited,
 * opened, asked and made anew from it.
 *
 * Held: no crash and no sanitizer finding; what core takes without a word, the projections take,
 * too, and both come to the same figures; a state reads back as it was recorded.
 */
#include <stdio.h>

#include "base/error.h"
#include "projections/fold.h"
#include "replay/audit.h"
#include "scratch.h"
#include "state/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define EVENTS_MAX 64
#define OFFSET_S 32400
#define BEGINNING INT64_C(1790000000000000)
#define PARTS_MAX 6
/* Every so many inputs, by the sum of their bytes, are written to a disk, too: that takes a hundred
 * times as long. */
#define ON_DISK_EVERY 32

/* ---- bytes of the input: 0 where there are none left ---- */

struct input {
    const uint8_t *p;
    size_t left;
};

static uint8_t
byte(struct input *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->p++;
}

static uint64_t
number(struct input *in, unsigned bytes)
{
    uint64_t value = 0;
    while (bytes-- > 0) {
        value = value << 8 | byte(in);
    }
    return value;
}

/* ---- a ledger in memory ---- */

struct world {
    struct jb_log *log; /* an empty one; what is read back comes out of the batch */
    struct jb_state *state;
    struct jb_fold fold;
    struct jb_log_batch batch;
    struct jb_findings findings;
    struct jb_log_identity identity;
    jb_instant now;
    bool folded;
};

/* What an event may take its members from. */
struct making {
    struct input *in;
    struct world *w;
    const struct jb_wallet *wallet; /* NULL: none */
    struct jb_part parts[PARTS_MAX];
    struct jb_figure figures[2];
    struct jb_int128 totals[JB_TOTALS_N];
    char id[4];
    bool wrong; /* the sums need not hold */
};

static jb_amount
some_amount(struct input *in)
{
    static const jb_amount edges[] = {
        1, 2, 10, 1000, JB_AMOUNT_MAX, JB_BALANCE_MAX, JB_BALANCE_MAX - 1, JB_BALANCE_MAX / 2};
    uint8_t which = byte(in);
    if (which < 0x80) {
        return which + 1;
    }
    return which < 0xc0 ? edges[which % 8] : (jb_amount)(number(in, 4) + 1);
}

/* From 1 on; mostly one that the wallet has given. */
static uint32_t
some_ordinal(struct input *in, uint32_t given)
{
    uint8_t which = byte(in);
    return which >= 0xf0 || given == 0 ? which % 4U + 1 : which % given + 1;
}

/* The first member of that kind in the event's row; NULL: it has none. */
static void *
member(struct jb_event *e, jb_field_kind kind)
{
    const struct jb_event_type_info *info = jb_event_type_get(e->type);
    for (uint32_t i = 0; i < info->fields_n; i++) {
        if (info->fields[i].kind == kind) {
            return (char *)e + info->fields[i].offset;
        }
    }
    return NULL;
}

static struct jb_parts
some_parts(struct making *m, struct jb_event *e, uint32_t last_kind)
{
    uint32_t n = byte(m->in) % (PARTS_MAX + 1U);
    jb_wide sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct jb_part *p = &m->parts[i];
        p->kind = byte(m->in) % (last_kind + 1);
        uint32_t given = m->wallet == NULL         ? 1
                         : p->kind == JB_PART_LOT  ? m->wallet->lots_given
                         : p->kind == JB_PART_DEBT ? 0
                                                   : jb_rest(m->wallet)->grants_given;
        p->ordinal = p->kind == JB_PART_DEBT ? 0 : some_ordinal(m->in, given);
        p->amount = some_amount(m->in);
        sum += p->amount;
    }
    jb_amount *amount = member(e, JB_FK_AMOUNT);
    if (!m->wrong && n > 0 && sum <= JB_BALANCE_MAX && amount != NULL) {
        *amount = (jb_amount)sum;
    }
    return (struct jb_parts){m->parts, n};
}

/* A member of any type of event, by its kind. */
static void
some_field(struct making *m, struct jb_event *e, const struct jb_field_info *f)
{
    void *to = (char *)e + f->offset;
    switch (f->kind) {
    case JB_FK_TEXT:
    case JB_FK_OPT_TEXT:
        m->id[0] = (char)('A' + byte(m->in) % 16);
        *(struct jb_text *)to = (struct jb_text){m->id, 1};
        break;
    case JB_FK_ORDINAL:
        *(uint32_t *)to = some_ordinal(m->in, 4);
        break;
    case JB_FK_UINT:
        *(uint32_t *)to = byte(m->in) & 1;
        break;
    case JB_FK_BOOL:
        *(bool *)to = (byte(m->in) & 1) != 0;
        break;
    case JB_FK_NAME:
        *(uint32_t *)to = byte(m->in) % (f->names != NULL ? f->names->n + 1 : 4);
        break;
    case JB_FK_AMOUNT:
    case JB_FK_AMOUNT0:
        *(jb_amount *)to = some_amount(m->in);
        break;
    case JB_FK_INT:
        *(int64_t *)to = (int64_t)number(m->in, byte(m->in) < 0xe0 ? 1 : 8);
        break;
    case JB_FK_REF:
    case JB_FK_SEQ:
        *(uint64_t *)to = byte(m->in);
        break;
    case JB_FK_DAY:
        *(jb_day *)to = jb_day_of(m->w->now, OFFSET_S) + (jb_day)(byte(m->in) % 8) - 2;
        break;
    case JB_FK_OPT_INSTANT:
        *(jb_instant *)to = byte(m->in) & 1 ? m->w->now : JB_NO_INSTANT;
        break;
    case JB_FK_ID16:
        memcpy(to, m->w->identity.ledger_id, 16);
        break;
    case JB_FK_SPLIT:
    case JB_FK_PARTS_FROM:
        *(struct jb_parts *)to = some_parts(m, e, JB_PART_GRANT);
        break;
    case JB_FK_PARTS_TO:
        *(struct jb_parts *)to = some_parts(m, e, JB_PART_LAPSED);
        break;
    case JB_FK_FIGURES:
        m->figures[0] = (struct jb_figure){byte(m->in), (int64_t)number(m->in, 8)};
        *(struct jb_figures *)to = (struct jb_figures){m->figures, 1};
        break;
    case JB_FK_TOTALS:
        jb_totals_at_close(&m->w->state->g, m->w->state->g.first_open_day, m->w->state->g.seq,
                           m->totals);
        *(const struct jb_int128 **)to = m->totals;
        break;
    }
}

/* What the state before it makes of an event that is honest: the next ordinal, what is left of a
 * grant, the amount of a refund, the debt that a charge fills. */
static void
make_honest(const struct making *m, struct jb_event *e)
{
    static const struct jb_wallet none;
    const struct jb_wallet *w = m->wallet != NULL ? m->wallet : &none;
    jb_amount *amount = member(e, JB_FK_AMOUNT);
    uint32_t *ordinal = member(e, JB_FK_ORDINAL);
    const struct jb_grant *grant = ordinal != NULL ? jb_wallet_grant(w, *ordinal) : NULL;
    const struct jb_refund *refund = ordinal != NULL ? jb_wallet_refund(w, *ordinal) : NULL;
    jb_amount debt = w->paid < 0 ? -w->paid : 0, returned;
    struct jb_error err;
    switch (e->type) {
    case JB_EV_CHARGE_SETTLED:
        *ordinal = w->lots_given + 1;
        e->charge_settled.applied_to_debt = *amount < debt ? *amount : debt;
        break;
    case JB_EV_DEBT_REPAID:
        *ordinal = w->lots_given + 1;
        *amount = debt > 0 ? debt : *amount;
        break;
    case JB_EV_FREE_GRANTED:
        *ordinal = jb_rest(w)->grants_given + 1;
        break;
    case JB_EV_REFUND_REQUESTED:
        *ordinal = jb_rest(w)->refunds_given + 1;
        break;
    case JB_EV_FREE_ACTIVATED:
    case JB_EV_FREE_REVOKED:
    case JB_EV_FREE_EXPIRED:
    case JB_EV_FREE_FORFEITED: {
        bool *in_use = member(e, JB_FK_BOOL);
        *amount = grant != NULL && grant->remaining > 0 ? grant->remaining : *amount;
        if (in_use != NULL) {
            *in_use = grant != NULL && grant->state == JB_GRANT_IN_USE;
        }
        break;
    }
    case JB_EV_REFUND_CANCELLED:
    case JB_EV_REFUND_REJECTED:
    case JB_EV_REFUND_COMPLETED:
    case JB_EV_REFUND_FAILED:
    case JB_EV_REFUND_APPROVED:
        *amount = refund != NULL ? refund->amount : *amount;
        break;
    case JB_EV_CONSUMPTION_REVERSED:
        if (jb_state_returned(m->w->state, e->consumption_reversed.consumption,
                              &e->consumption_reversed.before, &returned, &err) != JB_OK) {
            e->consumption_reversed.before = 0;
        }
        break;
    case JB_EV_DAY_CLOSED:
        e->day_closed.day = m->w->state->g.first_open_day;
        break;
    default:
        break;
    }
}

static bool
of_a_wallet(uint32_t type)
{
    return type != JB_EV_LEDGER_CREATED && type != JB_EV_POLICY_SET && type != JB_EV_DAY_CLOSED &&
           type != JB_EV_COMMAND_REFUSED;
}

static const struct jb_wallet *
wallet_of(const struct world *w, uint32_t number)
{
    return number >= 1 && number <= w->state->slots.n && w->state->slots.at[number - 1] != NULL
               ? &w->state->slots.at[number - 1]->w
               : NULL;
}

enum { LIE_PREV = 1, LIE_SUMS = 2, WITH_KEY = 4, EARLIER = 8, DAYS_LATER = 16, LIE_POSTED = 32 };

static void
envelope(struct making *m, uint8_t how, struct jb_event *e)
{
    struct world *w = m->w;
    const struct jb_globals *g = &w->state->g;
    e->seq = g->seq + 1;
    e->version = 1;
    w->now += how & DAYS_LATER ? (byte(m->in) % 4 + 1) * JB_US_PER_DAY : byte(m->in);
    e->recorded_at = e->occurred_at = w->now;
    e->prev = m->wallet != NULL ? m->wallet->version : 0;
    if (how & LIE_PREV) {
        e->prev = byte(m->in) % e->seq;
    }
    if (how & EARLIER) {
        e->occurred_at -= (jb_instant)(number(m->in, 2) + 1) * JB_US_PER_SECOND * 60;
        e->flags |= JB_EVF_OCCURRED;
    }
    jb_day today = jb_day_of(e->recorded_at, OFFSET_S),
           occurred = jb_day_of(e->occurred_at, OFFSET_S);
    jb_day first = g->first_open_day == JB_NO_DAY ? today : g->first_open_day;
    jb_day earliest = occurred > first ? occurred : first;
    e->posted_on = today < earliest ? today : earliest;
    if (how & LIE_POSTED) {
        e->posted_on = today - byte(m->in);
    }
    if (e->posted_on != today) {
        e->flags |= JB_EVF_POSTED;
    }
    if (how & WITH_KEY) {
        static const char keys[] = "abcdefghijklmnop";
        e->flags |= JB_EVF_KEY;
        e->key = (struct jb_text){&keys[byte(m->in) % 16], 1};
        e->caller = (struct jb_text){"", 0};
    }
}

/* One event out of a few bytes, encoded behind the others. False: it cannot be. */
static bool
described(struct making *m, uint8_t type, struct jb_buffer *out)
{
    uint8_t how = byte(m->in), wallet = byte(m->in);
    struct world *w = m->w;
    struct jb_event e;
    memset(&e, 0, sizeof e);
    e.type = type % (JB_EV_TYPES + 0U);
    const struct jb_event_type_info *info = jb_event_type_get(e.type);
    if (info == NULL || (e.type == JB_EV_DAY_CLOSED && w->state->g.first_open_day == JB_NO_DAY)) {
        return false;
    }
    m->wrong = (how & LIE_SUMS) != 0;
    if (e.type == JB_EV_WALLET_CREATED) {
        e.wallet = w->state->g.wallets_given + 1;
    } else if (of_a_wallet(e.type)) {
        e.wallet = w->state->g.wallets_given > 0 ? wallet % w->state->g.wallets_given + 1 : 1;
        m->wallet = wallet_of(w, e.wallet);
    }
    envelope(m, how, &e);
    for (uint32_t i = 0; i < info->fields_n; i++) {
        some_field(m, &e, &info->fields[i]);
    }
    if (!m->wrong) {
        make_honest(m, &e);
    }
    struct jb_event_context context = {w->batch.base, OFFSET_S};
    return jb_event_encode(&e, &context, out) == NULL;
}

/* A stored event as it stands in the input. */
static bool
stored(struct making *m, struct jb_buffer *out)
{
    size_t length = jb_event_length(m->in->p, m->in->left);
    if (length == 0 || !jb_vec_grow((void **)&out->at, &out->cap, out->n + length, 1)) {
        return false;
    }
    memcpy(out->at + out->n, m->in->p, length);
    out->n += length;
    m->in->p += length;
    m->in->left -= length;
    return true;
}

/* ---- folding ---- */

static void
fold_also(struct world *w, const struct jb_event *e, bool core_took_it)
{
    struct jb_error err = {0};
    if (!w->folded) {
        return;
    }
    jb_status status = jb_fold_event(&w->fold, NULL, e, &err);
    if (core_took_it && w->findings.problems == 0 && status != JB_OK) {
        fprintf(stderr, "event %llu: core takes it, the projections do not: %s\n",
                (unsigned long long)e->seq, err.text);
        abort();
    }
    w->folded = status == JB_OK;
}

/* True: the log goes on. */
static bool
fold(struct world *w, size_t start)
{
    struct jb_event_context context = {w->batch.base, OFFSET_S};
    struct jb_event_space space = {0};
    struct jb_decode_failure failure;
    struct jb_event e;
    struct jb_error err = {0};
    const uint8_t *bytes = w->batch.bytes.at + start;
    size_t n = w->batch.bytes.n - start;
    bool took = false;
    if (jb_event_decode(bytes, n, w->state->g.seq + 1, &context, &e, &space, &failure) == n) {
        JB_ASSERT(n > 0 && e.seq == w->state->g.seq + 1);
        w->now = e.recorded_at > w->now ? e.recorded_at : w->now;
        jb_check_key(w->state, &e, 0, &w->findings);
        jb_check_before(w->state, &e, 0, &w->findings);
        took = jb_state_apply(w->state, &e, &err) == JB_OK;
        if (took) {
            jb_check_after(w->state, &e, 0, &w->findings);
        }
        fold_also(w, &e, took);
    }
    jb_event_space_free(&space);
    return took;
}

static void
compare_folds(struct world *w)
{
    for (size_t i = 0; i < w->state->slots.n; i++) {
        const struct jb_wallet *there = &w->state->slots.at[i]->w;
        const struct jb_fold_wallet *here = jb_fold_wallet(&w->fold, there->number);
        JB_ASSERT(here != NULL && here->summary.paid == there->paid);
        JB_ASSERT(here->summary.pending == jb_rest(there)->pending);
        JB_ASSERT(here->summary.transit == jb_rest(there)->transit);
        JB_ASSERT(here->summary.version == there->version);
    }
}

/* A record that was written is read back as the same record. */
static void
record_again(const struct jb_wallet *wallet)
{
    struct jb_buffer first = {0}, second = {0};
    struct jb_wallet again;
    memset(&again, 0, sizeof again);
    JB_ASSERT(jb_record_wallet(wallet, &first));
    JB_ASSERT(jb_read_wallet(first.at, first.n, &again) == JB_OK);
    JB_ASSERT(jb_record_wallet(&again, &second));
    JB_ASSERT(first.n == second.n && memcmp(first.at, second.at, first.n) == 0);
    jb_wallet_free(&again);
    free(first.at);
    free(second.at);
}

static bool
world_begin(struct world *w)
{
    struct jb_error err;
    memset(w, 0, sizeof *w);
    w->findings.to.only = JB_AUDIT_FORM | JB_AUDIT_SUMS;
    w->log = scratch_log(&w->identity);
    if (jb_state_open(w->log, NULL, &w->identity, &w->state, &err) != JB_OK) {
        return false;
    }
    jb_fold_init(&w->fold, OFFSET_S);
    w->folded = true;
    JB_ASSERT(jb_state_catch_up(w->state, &err) == JB_OK);
    for (jb_seq seq = 1; seq <= w->state->g.seq; seq++) {
        const struct jb_event *e;
        JB_ASSERT(jb_state_event(w->state, seq, &e, &err) == JB_OK);
        JB_ASSERT(jb_fold_event(&w->fold, NULL, e, &err) == JB_OK);
    }
    w->now = w->batch.base = BEGINNING;
    w->batch.first = w->state->g.seq + 1;
    w->state->pending = &w->batch;
    return true;
}

static void
world_end(struct world *w)
{
    w->state->pending = NULL;
    jb_state_close(w->state);
    jb_fold_free(&w->fold);
    jb_log_batch_free(&w->batch);
    jb_findings_free(&w->findings);
}

/* True: every event of it was taken. */
static bool
fold_all(struct world *w, struct input *in)
{
    for (unsigned i = 0; i < EVENTS_MAX && in->left > 0; i++) {
        struct making m = {.in = in, .w = w};
        size_t start = w->batch.bytes.n;
        uint8_t type = byte(in);
        bool made =
            type < 0xf0 ? described(&m, type, &w->batch.bytes) : stored(&m, &w->batch.bytes);
        if (!made) {
            continue;
        }
        JB_ASSERT(jb_vec_reserve(&w->batch.ends, w->batch.ends.n + 1));
        w->batch.ends.at[w->batch.ends.n++] = (uint32_t)w->batch.bytes.n;
        if (!fold(w, start)) {
            return false;
        }
    }
    return true;
}

/* Sums, the two folds, and records: of a ledger in which nothing was found. */
static void
check_sound(struct world *w)
{
    jb_check_sums(w->state, &w->findings);
    JB_ASSERT(w->findings.problems == 0);
    compare_folds(w);
    for (size_t i = 0; i < w->state->slots.n; i++) {
        record_again(&w->state->slots.at[i]->w);
    }
}

static bool
is_for_disk(const uint8_t *data, size_t n)
{
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += data[i];
    }
    return sum % ON_DISK_EVERY == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct input in = {data, n};
    struct world w;
    bool on_disk = is_for_disk(data, n);
    if (!world_begin(&w)) {
        return 0;
    }
    bool sound = fold_all(&w, &in) && w.findings.problems == 0;
    if (sound) {
        check_sound(&w);
    }
    if (on_disk && w.batch.ends.n > 0) {
        bool verified = scratch_ask(scratch_ledger(&w.batch));
        JB_ASSERT(sound || !verified);
    }
    world_end(&w);
    return 0;
}

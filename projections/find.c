/*
 * Finding a text: from its hash to the numbers of events (the table `texts`, and the fold's part of
 * it), and from these to the events, which are asked whether the text stands in them.
 */
#include "projections/page.h"

#include "base/steps.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Entries of others, in the same bucket, that a page passes over at most: a text that stands in
 * every event fills its bucket. */
#define LOOKED_MAX (1U << 20)

/* A page of numbers, newest first. */
struct search {
    struct jb_view_read q;
    uint64_t hash;
    uint32_t limit;
    uint32_t looked;
    jb_seq below; /* all that is not below it has been looked at */
    jb_seq *found;
    uint32_t found_n;
};

static bool
is_full(const struct search *s)
{
    return s->found_n == s->limit || s->looked >= LOOKED_MAX;
}

/* An entry, by the number of its event and the hash above it. One of another text leaves its event
 * to be looked at: the text that is sought may stand in the same event, and be further in front. */
static void
look_at(struct search *s, jb_seq seq, uint64_t entry, uint64_t wanted)
{
    s->looked++;
    if (seq >= s->below) {
        return;
    }
    s->below = seq + 1;
    if (entry >> JB_TEXT_EPOCH_BITS == wanted) {
        s->below = seq;
        s->found[s->found_n++] = seq;
    }
}

/* The fold's entries, from the last back. They count for nothing beside a page's bound: there are
 * never many. */
static void
look_in_fold(struct search *s)
{
    const struct jb_fold *f = s->q.fold;
    size_t i = f->texts.n;
    for (size_t k = f->epochs.n; k-- > 0;) {
        for (; i > f->epochs.at[k].first && s->found_n < s->limit; i--) {
            if (f->texts.at[i - 1] >> JB_TEXT_EPOCH_BITS == s->hash) {
                const uint64_t entry = f->texts.at[i - 1];
                const uint64_t low = entry & ((1U << JB_TEXT_EPOCH_BITS) - 1);
                look_at(s, f->epochs.at[k].epoch << JB_TEXT_EPOCH_BITS | low, entry, s->hash);
            }
        }
    }
}

static jb_seq
seq_of(jb_seq epoch, const uint8_t *entry)
{
    const uint64_t low = jb_get_be(entry, JB_TEXT_ENTRY_BYTES);
    return epoch << JB_TEXT_EPOCH_BITS | (low & ((1U << JB_TEXT_EPOCH_BITS) - 1));
}

/* The chunk behind the one to begin with, in *ret: the last that has a number below s->below. */
static jb_status
first_chunk(const struct search *s, jb_seq epoch, uint32_t bucket, uint32_t *ret,
            struct jb_error *err)
{
    const uint8_t *value;
    size_t n;
    bool found;
    uint32_t low = 0, high = UINT16_MAX;
    *ret = high;
    if (epoch != (s->below - 1) >> JB_TEXT_EPOCH_BITS) {
        return JB_OK;
    }
    jb_status status =
        jb_stored_texts_below(s->q.stored, epoch, bucket, &high, &value, &n, &found, err);
    for (high = found ? high + 1 : 0; status == JB_OK && low < high;) {
        const uint32_t middle = low + (high - low) / 2;
        status = jb_stored_text(s->q.stored, epoch, bucket, middle, &value, &n, &found, err);
        if (status == JB_OK && found && seq_of(epoch, value) < s->below) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *ret = low;
    return status;
}

static jb_status
look_in_bucket(struct search *s, jb_seq epoch, struct jb_error *err)
{
    const uint64_t rest = s->hash & ((1U << JB_TEXT_REST_BITS) - 1);
    const uint32_t bucket = (uint32_t)(s->hash >> JB_TEXT_REST_BITS);
    uint32_t chunk;
    jb_status status = first_chunk(s, epoch, bucket, &chunk, err);
    while (status == JB_OK && !is_full(s)) {
        const uint8_t *value;
        size_t n;
        bool found;
        status = jb_stored_texts_below(s->q.stored, epoch, bucket, &chunk, &value, &n, &found, err);
        if (status != JB_OK || !found) {
            return status;
        }
        for (; n > 0 && !is_full(s); n -= JB_TEXT_ENTRY_BYTES) {
            const uint8_t *at = value + n - JB_TEXT_ENTRY_BYTES;
            look_at(s, seq_of(epoch, at), jb_get_be(at, JB_TEXT_ENTRY_BYTES), rest);
        }
    }
    return status;
}

static jb_status
find_page(struct search *s, jb_seq below, struct jb_error *err)
{
    jb_status status = JB_OK;
    s->below = below;
    s->found_n = s->looked = 0;
    look_in_fold(s);
    const jb_seq stored = s->q.stored != NULL ? s->q.stored->meta.seq : 0;
    if (stored == 0 || is_full(s)) {
        return JB_OK;
    }
    const jb_seq last = s->below - 1 < stored ? s->below - 1 : stored;
    for (jb_seq epoch = (last >> JB_TEXT_EPOCH_BITS) + 1; epoch-- > 0 && !is_full(s);) {
        status = look_in_bucket(s, epoch, err);
        if (status != JB_OK) {
            break;
        }
    }
    return status;
}

/* The rows of a page, kept. */
struct page {
    struct jb_kept kept;
    JB_VEC(uint32_t) wallets; /* of each of them */
    /* The wallets of channels that were looked up for this page, by the last bits of their numbers:
     * a channel's chain is not gone along again for each of its rows. */
    struct {
        uint64_t channel; /* 0: none */
        uint32_t wallet;
    } known[256];
    jb_seq behind; /* what is behind the page lies below it; 0: nothing does */
};

/* The wallet that a channel was connected with at the moment: along its chain. */
static jb_status
wallet_of_channel(struct jb_views *v, jb_cursor *c, uint64_t channel, jb_seq moment, uint32_t *ret,
                  struct jb_error *err)
{
    char id[JB_ID_BYTES_MAX];
    size_t id_n = 0;
    struct jb_channel_info info = JB_SIZED(struct jb_channel_info);
    *ret = 0;
    jb_status status = jb_channel_id(v->l, channel, id, &id_n, err);
    if (status == JB_OK) {
        status = jb_channel_get(v->l, (struct jb_text){id, id_n}, NULL, NULL, &info, err);
    }
    for (jb_seq at = status == JB_OK ? info.version : 0; at != 0 && status == JB_OK;) {
        const struct jb_event *e;
        jb_steps.events++;
        status = jb_limit_look(err);
        status = status == JB_OK ? jb_cursor_at(c, at, &e, err) : status;
        if (status == JB_OK && at <= moment &&
            (e->type == JB_EV_CHANNEL_CONNECTED || e->type == JB_EV_CHANNEL_DISCONNECTED)) {
            *ret = e->type == JB_EV_CHANNEL_CONNECTED ? e->wallet : 0;
            return JB_OK;
        }
        if (status == JB_OK && e->subject_prev >= at) {
            status = jb_fail(err, JB_E_CORRUPT,
                             "event %llu names a later one as its channel's event before it",
                             (unsigned long long)at);
        }
        at = status == JB_OK ? e->subject_prev : 0;
    }
    return status;
}

/* The same, once for the page. */
static jb_status
look_up_channel(struct jb_views *v, jb_cursor *c, uint64_t channel, jb_seq moment, struct page *p,
                uint32_t *ret, struct jb_error *err)
{
    const size_t at = channel % (sizeof p->known / sizeof p->known[0]);
    jb_status status = JB_OK;
    if (p->known[at].channel != channel) {
        p->known[at].channel = 0;
        status = wallet_of_channel(v, c, channel, moment, &p->known[at].wallet, err);
        p->known[at].channel = status == JB_OK ? channel : 0;
    }
    *ret = p->known[at].wallet;
    return status;
}

static bool
same_text(struct jb_text a, struct jb_text b)
{
    return a.n == b.n && memcmp(a.s, b.s, a.n) == 0;
}

/* A text as the number of a tax invoice. */
static bool
is_number(struct jb_text t, uint64_t *ret)
{
    uint64_t number = 0;
    bool is = t.n > 0 && t.n < 19 && t.s[0] != '0';
    for (size_t i = 0; i < t.n && is; i++) {
        is = t.s[i] >= '0' && t.s[i] <= '9';
        number = 10 * number + (uint64_t)(t.s[i] - '0');
    }
    *ret = number;
    return is;
}

/* The document that the event is about; 0: none. */
static uint64_t
invoice_of(const struct jb_event *e)
{
    return e->type == JB_EV_INVOICE_ISSUED      ? e->invoice_issued.invoice
           : e->type == JB_EV_INVOICE_CONFIRMED ? e->invoice_confirmed.invoice
           : e->type == JB_EV_INVOICE_FAILED    ? e->invoice_failed.invoice
           : e->type == JB_EV_INVOICE_MAILED    ? e->invoice_mailed.invoice
                                                : 0;
}

/* Under which names the text stands in the event; 0: another one with its hash does. */
static unsigned
matches(const struct jb_event *e, struct jb_text text, const char *what[JB_EVENT_TEXTS_MAX])
{
    struct jb_event_text texts[JB_EVENT_TEXTS_MAX];
    unsigned n = 0;
    uint64_t number;
    for (unsigned i = 0, all = jb_event_texts(e, texts); i < all; i++) {
        if (same_text(texts[i].text, text)) {
            what[n++] = texts[i].what;
        }
    }
    if (n < JB_EVENT_TEXTS_MAX && is_number(text, &number) && invoice_of(e) == number) {
        what[n++] = "invoice";
    }
    return n;
}

static void
insert(struct search *s, jb_seq seq)
{
    uint32_t i = s->found_n;
    while (i > 0 && s->found[i - 1] < seq) {
        i--;
    }
    if (i > 0 && s->found[i - 1] == seq) {
        return;
    }
    memmove(s->found + i + 1, s->found + i, (s->found_n - i) * sizeof *s->found);
    s->found[i] = seq;
    s->found_n++;
}

/* The table of texts has no numbers: what became of a tax invoice is asked of the ledger, and put
 * in between. */
#define INVOICE_EVENTS 3
static jb_status
add_invoice(struct jb_views *v, struct jb_text text, jb_seq below, jb_seq moment, struct search *s,
            struct page *p, struct jb_error *err)
{
    struct jb_invoice i = JB_SIZED(struct jb_invoice);
    uint64_t number;
    if (!is_number(text, &number)) {
        return JB_OK;
    }
    jb_status status = jb_invoice_get(v->l, number, moment, NULL, NULL, &i, err);
    if (status != JB_OK) {
        return status == JB_E_NOTFOUND ? JB_OK : status;
    }
    const jb_seq events[INVOICE_EVENTS] = {i.seq, i.ended, i.mailed};
    for (unsigned k = 0; k < INVOICE_EVENTS; k++) {
        if (events[k] != 0 && events[k] < below && events[k] >= p->behind) {
            insert(s, events[k]);
        }
    }
    if (s->found_n > s->limit) {
        s->found_n = s->limit;
        p->behind = s->found[s->limit - 1];
    }
    return JB_OK;
}

static jb_status
keep_row(struct jb_views *v, jb_cursor *c, const struct jb_event *e, jb_seq moment, struct page *p,
         struct jb_error *err)
{
    uint32_t wallet = e->type == JB_EV_COMMAND_REFUSED ? e->command_refused.wallet_no : e->wallet;
    const jb_seq seq = e->seq;
    const uint64_t channel = e->subject_kind == JB_SUBJECT_CHANNEL ? e->subject : 0;
    jb_status status = jb_keep(&p->kept, c, seq, err);
    if (status == JB_OK && wallet == 0 && channel != 0) {
        status = look_up_channel(v, c, channel, moment, p, &wallet, err);
    }
    if (status == JB_OK && !jb_vec_reserve(&p->wallets, p->wallets.n + 1)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a page of events");
    }
    if (status == JB_OK) {
        p->wallets.at[p->wallets.n++] = wallet;
    }
    return status;
}

static jb_status
keep_all(struct jb_views *v, const struct search *s, struct jb_text text,
         const struct jb_as_of_point *r, struct page *p, struct jb_error *err)
{
    jb_cursor *c;
    jb_status status = jb_cursor_open(v->l, 1, &c, err);
    if (status != JB_OK) {
        return status;
    }
    for (uint32_t i = 0; i < s->found_n && status == JB_OK; i++) {
        const struct jb_event *e;
        const char *what[JB_EVENT_TEXTS_MAX];
        if (jb_kept_full(&p->kept)) {
            p->behind = s->found[i - 1];
            break;
        }
        status = jb_limit_look(err);
        status = status == JB_OK ? jb_cursor_at(c, s->found[i], &e, err) : status;
        bool counts = status == JB_OK && matches(e, text, what) > 0 &&
                      (r->only_through == JB_NO_DAY || e->posted_on <= r->only_through);
        status = counts ? keep_row(v, c, e, r->moment.seq, p, err) : status;
    }
    jb_cursor_close(c);
    return status;
}

static jb_status
read_page(struct jb_views *v, struct jb_text text, jb_seq below, const struct jb_as_of_point *r,
          uint32_t limit, struct page *p, struct jb_error *err)
{
    struct search s = {.hash = jb_text_hash(text),
                       .limit = limit,
                       .found = malloc((limit + INVOICE_EVENTS) * sizeof *s.found)};
    if (s.found == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a page of events");
    }
    jb_status status = jb_view_read_begin(v, 0, &s.q, err);
    if (status == JB_OK) {
        do {
            status = find_page(&s, below, err);
        } while (jb_view_read_again(&s.q, &status, err));
        jb_view_read_end(&s.q);
    }
    if (status == JB_OK) {
        p->behind = is_full(&s) ? s.below : 0;
        status = add_invoice(v, text, below, r->moment.seq, &s, p, err);
    }
    if (status == JB_OK) {
        status = keep_all(v, &s, text, r, p, err);
    }
    free(s.found);
    return status;
}

static jb_status
tell_one(struct jb_views *v, const struct jb_event *e, uint32_t wallet, struct jb_text text,
         bool (*each)(void *data, const struct jb_find_row *row), void *data, bool *ret_more,
         struct jb_error *err)
{
    const char *what[JB_EVENT_TEXTS_MAX];
    char id[JB_ID_BYTES_MAX];
    struct jb_find_row row = {
        .event = e, .what = what, .what_n = matches(e, text, what), .wallet = wallet};
    if (wallet != 0) {
        size_t n = 0;
        jb_status status = jb_wallet_id(v->l, wallet, id, &n, err);
        if (status != JB_OK) {
            return status;
        }
        row.wallet_id = (struct jb_text){id, n};
    } else if (e->type == JB_EV_COMMAND_REFUSED) {
        row.wallet_id = e->command_refused.wallet_id;
    }
    *ret_more = each(data, &row);
    return JB_OK;
}

static jb_status
tell(struct jb_views *v, struct page *p, struct jb_text text,
     bool (*each)(void *data, const struct jb_find_row *row), void *data, struct jb_error *err)
{
    jb_status status = JB_OK;
    bool more = true;
    for (size_t i = 0; i < p->kept.events.n && more && status == JB_OK; i++) {
        const struct jb_event *e;
        status = jb_kept_at(&p->kept, i, &e, err);
        if (status == JB_OK) {
            status = tell_one(v, e, p->wallets.at[i], text, each, data, &more, err);
        }
        p->behind = more ? p->behind : p->kept.events.at[i].seq;
    }
    return status;
}

jb_status
jb_find_get(jb_views *v, struct jb_text text, const struct jb_as_of *as_of, const char *cursor,
            uint32_t limit, bool (*each)(void *data, const struct jb_find_row *row), void *data,
            char *next, struct jb_moment *moment, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || each == NULL) {
        return jb_fail_null(err, "jb_find_get");
    }
    if (text.s == NULL || text.n == 0) {
        return jb_fail(err, JB_E_USAGE, "a text is to be found, and none is given");
    }
    const struct jb_page_of of = {.list = JB_PAGE_FIND, .filter = XXH3_64bits(text.s, text.n)};
    struct jb_page_place place = {0};
    struct jb_as_of_point r;
    struct page p = {.behind = 0};
    bool fresh;
    jb_status status = jb_page_begin(v, &of, as_of, cursor, limit, &place, &r, &fresh, err);
    if (status == JB_OK) {
        const jb_seq below = fresh ? r.moment.seq + 1 : place.at;
        status = jb_page_check_below(below, &r, err);
        status = status == JB_OK ? read_page(v, text, below, &r, limit, &p, err) : status;
    }
    status = status == JB_OK ? tell(v, &p, text, each, data, err) : status;
    place.at = p.behind;
    jb_kept_free(&p.kept);
    jb_vec_free(&p.wallets);
    if (status == JB_OK) {
        jb_page_end(v, &of, place.at > 1 ? &place : NULL, &r, next, moment);
    }
    return status;
}

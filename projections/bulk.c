#include "projections/bulk.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/threads.h"

/* The record of a plain consumption, or of an event that is decoded again: then what is less than
 * nothing is the number of its bytes, which stand where `prev` would. Numbers of events count from
 * the piece's first. */
struct record {
    uint32_t seq;
    uint32_t wallet;
    jb_amount amount;
    jb_instant at; /* recorded_at; of other events, the base of their frame */
    jb_seq prev;
};
#define RECORD_HEAD offsetof(struct record, prev)
#define EIGHTS(bytes) (((bytes) + 7) / 8)
static_assert(sizeof(struct record) == 32 && RECORD_HEAD == 24, "a record has no gaps");

static size_t
eights_of(const struct record *r)
{
    return r->amount > 0 ? EIGHTS(sizeof *r) : EIGHTS(RECORD_HEAD + (size_t)-r->amount);
}

static const struct record *
record_at(const uint64_t *at)
{
    return (const struct record *)at;
}

/* So many parts has a piece: what the processor has near by holds one of them. */
#define PARTS 256U

/* Wallets that differ in their lower bits alone are in one part. */
static unsigned
part_shift(uint32_t wallets_n)
{
    unsigned shift = 0;
    while (wallets_n >> shift >= PARTS) {
        shift++;
    }
    return shift;
}

void
jb_bulk_free(struct jb_bulk *b)
{
    jb_vec_free(&b->records);
    jb_vec_free(&b->read);
    jb_vec_free(&b->ends);
    jb_event_space_free(&b->space);
}

static jb_status
no_memory(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM, "no memory for the projections");
}

/* What is gone through in the order of wallets lies all over a piece: with large pages the
 * processor finds it faster. Where there are none, it is as it was. */
static void
in_large_pages(void *at, size_t bytes)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE),
                    begin = ((uintptr_t)at + page - 1) & ~(page - 1);
    if (bytes > 2 * page) {
        (void)!madvise((void *)begin, (bytes - page) & ~(page - 1), MADV_HUGEPAGE);
    }
}

/* Room for the piece, as far as it is known: plain consumptions up to event `to`. */
static bool
make_room(struct jb_bulk *b, jb_seq to)
{
    const jb_seq most = (jb_seq)JB_BULK_EPOCHS << JB_TEXT_EPOCH_BITS;
    const size_t n = (size_t)(to - b->first + 1 < most ? to - b->first + 1 : most);
    const size_t before = b->read.cap;
    if (!jb_vec_reserve(&b->read, n * EIGHTS(sizeof(struct record)))) {
        return false;
    }
    if (b->read.cap > before) {
        in_large_pages(b->read.at, b->read.cap * sizeof *b->read.at);
    }
    return true;
}

/* ---- reading ---- */

/* Room for a record; NULL: no memory. */
static struct record *
add_record(struct jb_bulk *b, uint32_t wallet, jb_seq seq, size_t bytes)
{
    const size_t eights = EIGHTS(bytes), at = b->read.n;
    if (!jb_vec_reserve(&b->read, at + eights)) {
        return NULL;
    }
    b->read.n += eights;
    struct record *r = (struct record *)&b->read.at[at];
    r->seq = (uint32_t)(seq - b->first);
    r->wallet = wallet;
    return r;
}

/* A piece as it is read. */
struct reading {
    struct jb_bulk *b;
    struct jb_fold *f;
    jb_instant from, until; /* of the day that was met last, with its beginning */
    jb_day day;
    struct jb_error *err;
};

static jb_day
day_of(struct reading *r, jb_instant t)
{
    if (t < r->from || t >= r->until) {
        r->day = jb_day_of(t, r->f->utc_offset_s);
        r->from = jb_day_start(r->day, r->f->utc_offset_s);
        r->until = r->from + JB_US_PER_DAY;
    }
    return r->day;
}

/* Returns its bytes; 0: it goes the other way, or there is no memory. */
static size_t
plain_event(struct reading *r, const uint8_t *bytes, size_t n, jb_seq seq,
            const struct jb_event_context *context)
{
    struct jb_event_plain e;
    struct jb_view_global *g = &r->f->g;
    const size_t taken = jb_event_plain(bytes, n, seq, context, &e);
    if (taken == 0 || g->first_timed_seq == 0 || e.recorded_at < g->recorded_at ||
        day_of(r, e.recorded_at) < g->first_open_day || e.wallet > g->wallets_n ||
        jb_fold_text(r->f, seq, e.usage, r->err) != JB_OK) {
        return 0;
    }
    struct record *record = add_record(r->b, e.wallet, seq, sizeof *record);
    if (record == NULL) {
        r->f->texts.n--; /* it goes the other way, and has its text there */
        return 0;
    }
    record->at = e.recorded_at;
    record->prev = e.prev;
    record->amount = e.amount;
    g->recorded_at = e.recorded_at;
    g->seq = seq;
    return taken;
}

/* *ret gets its bytes. */
static jb_status
any_event(struct reading *r, const uint8_t *bytes, size_t n, jb_seq seq,
          const struct jb_event_context *context, size_t *ret)
{
    struct jb_event e;
    struct jb_decode_failure why;
    *ret = jb_event_decode(bytes, n, seq, context, &e, &r->b->space, &why);
    if (*ret == 0) {
        return why.no_memory ? no_memory(r->err) : JB_E_CORRUPT;
    }
    jb_status status = jb_fold_around(r->f, &e, r->err);
    if (status != JB_OK || e.wallet == 0) {
        return status;
    }
    struct record *record = add_record(r->b, e.wallet, seq, RECORD_HEAD + *ret);
    if (record == NULL) {
        return no_memory(r->err);
    }
    record->amount = -(jb_amount)*ret;
    record->at = context->base;
    memcpy((uint8_t *)record + RECORD_HEAD, bytes, *ret);
    return JB_OK;
}

static jb_status
one_frame(struct reading *r, const struct jb_frame *frame, size_t at)
{
    const struct jb_event_context context = {frame->base, r->f->utc_offset_s};
    const jb_seq end = frame->first + frame->count;
    jb_status status = JB_OK;
    for (jb_seq seq = r->f->g.seq + 1; seq < end && status == JB_OK; seq++) {
        size_t n = plain_event(r, frame->events + at, frame->bytes - at, seq, &context);
        if (n == 0) {
            status = any_event(r, frame->events + at, frame->bytes - at, seq, &context, &n);
        }
        at += n;
    }
    return status == JB_OK && at != frame->bytes ? JB_E_CORRUPT : status;
}

static bool
ends(const struct jb_bulk *b, const struct jb_fold *f, jb_seq to)
{
    return f->g.seq >= to || b->read.n * 8 >= JB_BULK_BYTES_MAX ||
           f->g.seq >> JB_TEXT_EPOCH_BITS >= (b->first >> JB_TEXT_EPOCH_BITS) + JB_BULK_EPOCHS;
}

static jb_status
read_frames(jb_cursor *c, struct reading *r, const struct jb_follow *how)
{
    jb_status status = JB_OK;
    while (status == JB_OK && !ends(r->b, r->f, how->to)) {
        struct jb_frame frame;
        size_t at;
        status = jb_cursor_frame(c, &frame, &at, r->err);
        status = status == JB_OK ? one_frame(r, &frame, at) : status;
        if (how->on_progress != NULL && status == JB_OK) {
            how->on_progress(how->data, r->f->g.seq < how->to ? r->f->g.seq : how->to, how->to);
        }
    }
    return status;
}

/* ---- by wallet ---- */

/* Nearly all are of one length. */
static void
copy_record(uint64_t *to, const uint64_t *from)
{
    if (record_at(from)->amount > 0) {
        memcpy(to, from, sizeof(struct record));
    } else {
        memcpy(to, from, eights_of(record_at(from)) * sizeof *from);
    }
}

/* The records in parts by wallet; in order of seq within each. */
static bool
put_in_parts(struct jb_bulk *b, uint32_t wallets_n)
{
    const unsigned shift = part_shift(wallets_n);
    const uint64_t *from = b->read.at, *end = from + b->read.n;
    const size_t before = b->records.cap;
    if (!jb_vec_reserve(&b->records, b->read.n) || !jb_vec_reserve(&b->ends, PARTS)) {
        return false;
    }
    if (b->records.cap > before) {
        in_large_pages(b->records.at, b->records.cap * sizeof *b->records.at);
    }
    size_t *ends = b->ends.at;
    b->ends.n = PARTS;
    memset(ends, 0, PARTS * sizeof *ends);
    for (const uint64_t *at = from; at < end; at += eights_of(record_at(at))) {
        ends[record_at(at)->wallet >> shift] += eights_of(record_at(at));
    }
    for (size_t i = 0, sum = 0; i < PARTS; i++) {
        const size_t here = ends[i];
        ends[i] = sum;
        sum += here;
    }
    for (const uint64_t *at = from; at < end; at += eights_of(record_at(at))) {
        size_t *place = &ends[record_at(at)->wallet >> shift];
        copy_record(b->records.at + *place, at);
        *place += eights_of(record_at(at));
    }
    b->records.n = b->read.n;
    return true;
}

jb_status
jb_bulk_read(jb_ledger *l, struct jb_fold *f, struct jb_bulk *b, const struct jb_follow *how,
             struct jb_error *err)
{
    struct reading r = {.b = b, .f = f, .err = err};
    jb_cursor *c;
    b->first = f->g.seq + 1;
    b->first_open_day = f->g.first_open_day;
    b->read.n = b->ends.n = 0;
    jb_status status =
        make_room(b, how->to) ? jb_cursor_open(l, b->first, &c, err) : no_memory(err);
    if (status != JB_OK) {
        return status;
    }
    status = read_frames(c, &r, how);
    jb_cursor_close(c);
    return status == JB_OK && !put_in_parts(b, f->g.wallets_n) ? no_memory(err) : status;
}

/* ---- folding wallets ---- */

struct putting {
    struct jb_store_pending *to;
    unsigned table;
};

static jb_status
put(void *data, const void *key, size_t key_n, const void *value, size_t value_n,
    struct jb_error *err)
{
    const struct putting *p = data;
    return jb_store_pending_put(p->to, p->table, key, key_n, value, value_n, err);
}

/* The event of a record; e has what a plain consumption says beside its numbers, parts one place.
 */
static jb_status
event_of(const struct jb_bulk *b, struct jb_event_space *space, const struct record *r,
         int32_t utc_offset_s, struct jb_event *plain, struct jb_event *decoded,
         const struct jb_event **ret, struct jb_error *err)
{
    const jb_seq seq = b->first + r->seq;
    if (r->amount < 0) {
        const struct jb_event_context context = {r->at, utc_offset_s};
        struct jb_decode_failure why;
        *ret = decoded;
        return jb_event_decode((const uint8_t *)r + RECORD_HEAD, (size_t)-r->amount, seq, &context,
                               decoded, space, &why) != 0
                   ? JB_OK
                   : no_memory(err); /* it was decoded before */
    }
    plain->seq = seq;
    plain->prev = r->prev;
    plain->recorded_at = plain->occurred_at = r->at;
    plain->posted_on = jb_day_of(r->at, utc_offset_s);
    plain->cash_consumed.amount = r->amount;
    *ret = plain;
    return JB_OK;
}

/* Memory for one part after the other. */
struct folding {
    const struct jb_bulk *b;
    const struct jb_fold *f;
    JB_VEC(const uint64_t *) records; /* in order of wallet, and of seq within each */
    JB_VEC(uint32_t) ends;            /* of the wallets of a part */
    struct jb_fold_wallet w;
    struct jb_event_space space;
    struct jb_store_pending *to; /* what they change in the store goes there */
};

static void
folding_free(struct folding *s)
{
    jb_vec_free(&s->records);
    jb_vec_free(&s->ends);
    jb_fold_wallet_free(&s->w);
    jb_event_space_free(&s->space);
    jb_store_pending_free(s->to);
}

/* The events of one wallet. */
static jb_status
one_wallet(struct folding *s, const uint64_t *const *records, size_t n, struct jb_store_txn *base,
           struct jb_error *err)
{
    struct jb_fold_wallet *w = &s->w;
    struct jb_part part = {.kind = JB_PART_LOT, .ordinal = 1};
    struct jb_event decoded, plain = {.type = JB_EV_CASH_CONSUMED, .version = 1};
    plain.wallet = record_at(records[0])->wallet;
    plain.cash_consumed.parts = (struct jb_parts){&part, 1};
    jb_status status = jb_fold_wallet_load(w, plain.wallet, s->b->first_open_day, base, err);
    for (size_t i = 0; i < n && status == JB_OK; i++) {
        const struct jb_event *e;
        status = event_of(s->b, &s->space, record_at(records[i]), s->f->utc_offset_s, &plain,
                          &decoded, &e, err);
        part.amount = plain.cash_consumed.amount;
        status = status == JB_OK ? jb_fold_wallet_event(s->f, w, base, e, err) : status;
    }
    for (unsigned table = 0; table < JB_VT_N && status == JB_OK; table++) {
        struct putting p = {s->to, table};
        status = jb_fold_wallet_each(w, table, put, &p, err);
    }
    jb_fold_wallet_clear(w);
    return status;
}

/* The records from `at` to `end`, which are a part. */
static bool
sort(struct folding *s, const uint64_t *from, const uint64_t *end, unsigned shift)
{
    const uint32_t mask = (1U << shift) - 1;
    size_t n = 0;
    if (!jb_vec_reserve(&s->ends, (size_t)mask + 1)) {
        return false;
    }
    memset(s->ends.at, 0, ((size_t)mask + 1) * sizeof *s->ends.at);
    for (const uint64_t *at = from; at < end; at += eights_of(record_at(at)), n++) {
        s->ends.at[record_at(at)->wallet & mask]++;
    }
    if (!jb_vec_reserve(&s->records, n)) {
        return false;
    }
    for (uint32_t i = 0, sum = 0; i <= mask; i++) {
        const uint32_t here = s->ends.at[i];
        s->ends.at[i] = sum;
        sum += here;
    }
    for (const uint64_t *at = from; at < end; at += eights_of(record_at(at))) {
        s->records.at[s->ends.at[record_at(at)->wallet & mask]++] = at;
    }
    s->records.n = n;
    return true;
}

static jb_status
one_part(struct folding *s, size_t part, struct jb_store_txn *base, struct jb_error *err)
{
    const unsigned shift = part_shift(s->f->g.wallets_n);
    const size_t begin = part > 0 ? s->b->ends.at[part - 1] : 0, end = s->b->ends.at[part];
    if (begin == end) {
        return JB_OK;
    }
    if (!sort(s, s->b->records.at + begin, s->b->records.at + end, shift)) {
        return no_memory(err);
    }
    jb_status status = JB_OK;
    size_t from = 0;
    for (uint32_t i = 0; i >> shift == 0 && status == JB_OK; i++) {
        const size_t to = s->ends.at[i];
        if (to > from) {
            status = one_wallet(s, s->records.at + from, to - from, base, err);
        }
        from = to;
    }
    return status;
}

/* ---- storing ---- */

/* Who has the transaction writes what threads give that fold wallet after wallet, over what the
 * store had before the piece. */
#define FOLDERS 2
#define EMPTY_MAX (FOLDERS + 2)
struct storing {
    struct jb_bulk *b;
    const struct jb_fold *f;
    struct jb_store_txn *t;
    jb_lang lang;
    bool alone; /* who writes folds, too: there was no other thread */
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool rest_taken;                /* what is in no wallet */
    size_t next;                    /* the first part that nobody has taken */
    unsigned folders;               /* that are not done */
    struct jb_store_pending *given; /* what is to be written next */
    struct jb_store_pending *empty[EMPTY_MAX];
    unsigned empty_n;
    bool over; /* something failed: the first of it is in status and err */
    jb_status status;
    struct jb_error err;
};

/* Parts that are folded one behind the other, so that their rows lie side by side. */
#define JOB_PARTS 8
/* So much is given at a time, and after any part, so much. */
#define GIVEN_BYTES ((size_t)1 << 20)
#define GIVEN_BYTES_MOST ((size_t)8 << 20)

/* With the lock. */
static void
fails(struct storing *s, jb_status status, const struct jb_error *err)
{
    if (status != JB_OK && !s->over) {
        s->over = true;
        s->status = status;
        s->err = *err;
    }
}

/* *to is to be written; it becomes one that is empty. JB_END: nothing is written any more. */
static jb_status
give(struct storing *s, struct jb_store_pending **to, struct jb_error *err)
{
    if (s->alone) {
        return jb_store_carry_out(s->t, *to, err);
    }
    pthread_mutex_lock(&s->lock);
    while (s->given != NULL && !s->over) {
        pthread_cond_wait(&s->moved, &s->lock);
    }
    const bool over = s->over;
    if (!over) {
        s->given = *to;
        *to = s->empty_n > 0 ? s->empty[--s->empty_n] : NULL;
        pthread_cond_broadcast(&s->moved);
    }
    pthread_mutex_unlock(&s->lock);
    if (!over && *to == NULL) {
        *to = jb_store_pending_new();
    }
    return over ? JB_END : *to != NULL ? JB_OK : no_memory(err);
}

/* What is in no wallet. */
static jb_status
fold_rest(struct storing *s, struct folding *own, struct jb_store_txn *base, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (unsigned table = 0; table < JB_VT_N && status == JB_OK; table++) {
        struct putting p = {own->to, table};
        status = jb_fold_each(s->f, base, table, put, &p, err);
    }
    return status == JB_OK ? give(s, &own->to, err) : status;
}

/* The parts from..to-1. */
static jb_status
fold_parts(struct storing *s, struct folding *own, size_t from, size_t to,
           struct jb_store_txn *base, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (size_t i = from; i < to && status == JB_OK; i++) {
        status = one_part(own, i, base, err);
        const size_t enough = i + 1 == to ? GIVEN_BYTES : GIVEN_BYTES_MOST;
        if (status == JB_OK && jb_store_pending_bytes(own->to) >= enough) {
            status = give(s, &own->to, err);
        }
    }
    return status;
}

static bool
take_rest(struct storing *s)
{
    pthread_mutex_lock(&s->lock);
    const bool mine = !s->rest_taken;
    s->rest_taken = true;
    pthread_mutex_unlock(&s->lock);
    return mine;
}

/* *ret is the first of JOB_PARTS. False: none are left. */
static bool
take_parts(struct storing *s, size_t *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = s->next;
    s->next += JOB_PARTS;
    const bool some = *ret < s->b->ends.n && !s->over;
    pthread_mutex_unlock(&s->lock);
    return some;
}

static jb_status
fold_some(struct storing *s, struct folding *own, struct jb_store_txn *base, struct jb_error *err)
{
    jb_status status = take_rest(s) ? fold_rest(s, own, base, err) : JB_OK;
    for (size_t from; status == JB_OK && take_parts(s, &from);) {
        const size_t to = from + JOB_PARTS < s->b->ends.n ? from + JOB_PARTS : s->b->ends.n;
        status = fold_parts(s, own, from, to, base, err);
    }
    return status == JB_OK ? give(s, &own->to, err) : status;
}

/* As much of the piece as others do not take. */
static jb_status
fold(struct storing *s, struct jb_error *err)
{
    struct folding own = {.b = s->b, .f = s->f, .to = jb_store_pending_new()};
    struct jb_store_txn base;
    jb_status status = own.to == NULL ? no_memory(err)
                       : s->t->next   ? jb_store_next_read(s->t->store, &base, err)
                                      : jb_store_read(s->t->store, &base, err);
    if (status == JB_OK) {
        status = fold_some(s, &own, &base, err);
        jb_store_end(&base);
    }
    folding_free(&own);
    return status;
}

static void *
fold_beside(void *data)
{
    struct storing *s = data;
    struct jb_error err;
    pthread_setname_np(pthread_self(), "jangbu-fold");
    JB_SPEAK(s->lang);
    const jb_status status = fold(s, &err);
    pthread_mutex_lock(&s->lock);
    fails(s, status, &err);
    s->folders--;
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* Writes what is given until there is no more. */
static void
write_all(struct storing *s)
{
    pthread_mutex_lock(&s->lock);
    while (!s->over && (s->given != NULL || s->folders > 0)) {
        struct jb_store_pending *now = s->given;
        if (now == NULL) {
            pthread_cond_wait(&s->moved, &s->lock);
            continue;
        }
        struct jb_error err;
        s->given = NULL;
        pthread_cond_broadcast(&s->moved);
        pthread_mutex_unlock(&s->lock);
        const jb_status status = jb_store_carry_out(s->t, now, &err);
        pthread_mutex_lock(&s->lock);
        fails(s, status, &err);
        JB_ASSERT(s->empty_n < EMPTY_MAX);
        s->empty[s->empty_n++] = now;
    }
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->lock);
}

/* Returns how many there are. */
static unsigned
begin_beside(struct storing *s, pthread_t threads[FOLDERS])
{
    unsigned n = 0;
    pthread_mutex_lock(&s->lock);
    while (n < FOLDERS && jb_thread_start(&threads[n], fold_beside, s)) {
        n++;
    }
    s->folders = n;
    s->alone = n == 0;
    pthread_mutex_unlock(&s->lock);
    return n;
}

jb_status
jb_bulk_store(struct jb_bulk *b, const struct jb_fold *f, struct jb_store_txn *t,
              struct jb_error *err)
{
    struct storing s = {.b = b, .f = f, .t = t, .status = JB_OK, .lang = jb_lang_now};
    pthread_t threads[FOLDERS];
    pthread_mutex_init(&s.lock, NULL);
    pthread_cond_init(&s.moved, NULL);
    const unsigned n = begin_beside(&s, threads);
    if (n > 0) {
        write_all(&s);
    } else {
        s.status = fold(&s, &s.err);
    }
    for (unsigned i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
    }
    jb_store_pending_free(s.given);
    while (s.empty_n > 0) {
        jb_store_pending_free(s.empty[--s.empty_n]);
    }
    pthread_cond_destroy(&s.moved);
    pthread_mutex_destroy(&s.lock);
    if (s.status != JB_OK && err != NULL) {
        *err = s.err;
    }
    return s.status;
}

#include "state/wallet_runs.h"

#include <assert.h>

#include "base/error.h"
#include "base/numbers.h"
#include "base/steps.h"
#include "state/state.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Of a page; with its key and its block's head it is one page of the file. */
#define PAGE_BYTES (JB_CHECKS ? 400 : 3960)
#define ENTRY_BYTES_MAX ((size_t)2 * JB_NUMBER_BYTES_MAX)
/* In a step's pages, in place of a length: the page goes. */
#define GOES UINT32_MAX
#define KEY_BYTES 8
#define HEAD_BYTES (KEY_BYTES + 4)

/* Runs are made into one when so many stand side by side, of which none is much larger than the
 * rest: then each row moves about once each time that they have become five to eight times as
 * large. */
#define TOGETHER 8
#define LARGEST_SHARE 5

static jb_status
no_memory(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM, "no memory to store the ledger's state");
}

static jb_status
damaged(const struct jb_store_txn *t, struct jb_error *err)
{
    return jb_store_damaged(t->store, "wallets' rows", err);
}

static void
make_key(uint8_t key[KEY_BYTES], uint32_t id, uint64_t number)
{
    jb_put_be(key, 4, id);
    jb_put_be(key + 4, 4, number);
}

/* ---- which of them count ---- */

static const char list_key[] = "r";
#define LIST_NUMBERS_MAX (3 + 6 * JB_WALLET_RUNS_MAX + 3 * JB_WALLET_MERGES_MAX)

struct list {
    const uint8_t *p;
    size_t left;
    bool bad;
};

static uint64_t
take(struct list *l, uint64_t most)
{
    uint64_t number = 0;
    size_t n = l->bad ? 0 : jb_number_get(l->p, l->left, &number);
    l->bad |= n == 0 || number > most;
    l->p += n;
    l->left -= n;
    return l->bad ? 0 : number;
}

jb_status
jb_wallet_runs_get(struct jb_store_txn *t, struct jb_wallet_runs *ret, struct jb_error *err)
{
    const void *value;
    size_t n;
    *ret = (struct jb_wallet_runs){0};
    jb_status status = jb_store_get(t, JB_TABLE_GLOBALS, list_key, 1, &value, &n, err);
    if (status != JB_OK) {
        return status == JB_E_NOTFOUND ? JB_OK : status;
    }
    struct list l = {value, n, false};
    ret->given = (uint32_t)take(&l, UINT32_MAX);
    ret->n = (unsigned)take(&l, JB_WALLET_RUNS_MAX);
    for (unsigned i = 0; i < ret->n; i++) {
        struct jb_wallet_run *r = &ret->at[i];
        r->id = (uint32_t)take(&l, UINT32_MAX);
        r->into = (uint32_t)take(&l, UINT32_MAX);
        r->rows = (uint32_t)take(&l, UINT32_MAX);
        r->first = (uint32_t)take(&l, UINT32_MAX);
        r->last = (uint32_t)take(&l, UINT32_MAX);
        r->newest = take(&l, UINT64_MAX);
    }
    ret->merges_n = (unsigned)take(&l, JB_WALLET_MERGES_MAX);
    for (unsigned i = 0; i < ret->merges_n; i++) {
        ret->merges[i].into = (uint32_t)take(&l, UINT32_MAX);
        ret->merges[i].rows = (uint32_t)take(&l, UINT32_MAX);
        ret->merges[i].next = take(&l, UINT64_MAX);
    }
    return l.bad || l.left != 0 ? damaged(t, err) : JB_OK;
}

static jb_status
put_list(const struct jb_wallet_runs *r, struct jb_store_txn *t, struct jb_error *err)
{
    uint8_t value[LIST_NUMBERS_MAX * JB_NUMBER_BYTES_MAX], *p = value;
    p += jb_number_put(p, r->given);
    p += jb_number_put(p, r->n);
    for (unsigned i = 0; i < r->n; i++) {
        const struct jb_wallet_run *run = &r->at[i];
        p += jb_number_put(p, run->id);
        p += jb_number_put(p, run->into);
        p += jb_number_put(p, run->rows);
        p += jb_number_put(p, run->first);
        p += jb_number_put(p, run->last);
        p += jb_number_put(p, run->newest);
    }
    p += jb_number_put(p, r->merges_n);
    for (unsigned i = 0; i < r->merges_n; i++) {
        p += jb_number_put(p, r->merges[i].into);
        p += jb_number_put(p, r->merges[i].rows);
        p += jb_number_put(p, r->merges[i].next);
    }
    return jb_store_put(t, JB_TABLE_GLOBALS, list_key, 1, value, (size_t)(p - value), err);
}

static struct jb_wallet_merge *
merge_into(const struct jb_wallet_runs *r, uint32_t into)
{
    for (unsigned i = 0; i < r->merges_n; i++) {
        if (r->merges[i].into == into) {
            return (struct jb_wallet_merge *)(uintptr_t)&r->merges[i];
        }
    }
    return NULL;
}

/* ---- reading ---- */

/* Going through the rows of a run. */
struct cursor {
    struct jb_store_txn *t;
    struct jb_store_row row; /* the page */
    uint32_t id;
    const uint8_t *p, *end; /* of the page: what follows */
    uint32_t number;        /* the wallet; where there is one */
    const uint8_t *record;
    size_t n;
    bool has;
};

/* The next one of the page. *ret_end: there is none. */
static jb_status
step(struct cursor *c, bool *ret_end, struct jb_error *err)
{
    uint64_t delta, n;
    *ret_end = c->p == c->end;
    if (*ret_end) {
        return JB_OK;
    }
    size_t bytes = jb_number_get(c->p, (size_t)(c->end - c->p), &delta);
    c->p += bytes;
    size_t more = bytes == 0 ? 0 : jb_number_get(c->p, (size_t)(c->end - c->p), &n);
    c->p += more;
    if (more == 0 || n > (size_t)(c->end - c->p) || delta > UINT32_MAX - c->number) {
        return damaged(c->t, err);
    }
    c->number += (uint32_t)delta;
    c->record = c->p;
    c->n = n;
    c->p += n;
    return JB_OK;
}

static bool
is_of_run(const struct cursor *c)
{
    return c->row.key_n == KEY_BYTES && jb_get_be(c->row.key, 4) == c->id;
}

/* Before the first of the page that was found, where it is one of the run. */
static void
begin_page(struct cursor *c, jb_status found)
{
    c->has = found == JB_OK && is_of_run(c);
    if (c->has) {
        c->p = c->row.value;
        c->end = c->p + c->row.value_n;
        c->number = (uint32_t)jb_get_be(c->row.key + 4, 4);
    }
}

/* The page that has the wallet, if any has it. */
static jb_status
seek_page(struct cursor *c, uint64_t number, struct jb_error *err)
{
    uint8_t key[KEY_BYTES + 1] = {0};
    make_key(key, c->id, number);
    /* With a zero behind it: what is before that is at most the page that begins with it. */
    jb_status status = jb_store_before(c->t, JB_TABLE_WALLETS, key, sizeof key, &c->row, err);
    begin_page(c, status);
    return status == JB_E_NOTFOUND ? JB_OK : status;
}

/* JB_E_NOTFOUND: the run has none of that number. */
static jb_status
find_in(struct jb_store_txn *t, uint32_t id, uint32_t number, const void **value, size_t *value_n,
        struct jb_error *err)
{
    struct cursor c = {.t = t, .id = id};
    jb_status status = seek_page(&c, number, err);
    bool end = !c.has;
    while (status == JB_OK && !end) {
        status = step(&c, &end, err);
        if (status == JB_OK && !end && c.number >= number) {
            break;
        }
    }
    if (status != JB_OK || end || c.number != number) {
        return status != JB_OK ? status : JB_E_NOTFOUND;
    }
    *value = c.record;
    *value_n = c.n;
    return JB_OK;
}

jb_status
jb_wallet_runs_find(struct jb_store_txn *t, const struct jb_wallet_runs *r, uint32_t number,
                    uint64_t since, uint64_t known, const void **value, size_t *value_n,
                    uint64_t *ret_newest, struct jb_error *err)
{
    const uint64_t rows = jb_steps.rows;
    uint32_t looked_into = 0;
    jb_status status = JB_E_NOTFOUND;
    for (unsigned i = r->n; i-- > 0 && status == JB_E_NOTFOUND;) {
        const struct jb_wallet_run *run = &r->at[i];
        /* The next older one has it as well. */
        const bool older = since != 0 && i > 0 && r->at[i - 1].newest >= since;
        if ((run->newest <= known && older) || number < run->first || number > run->last) {
            continue;
        }
        const struct jb_wallet_merge *m = run->into != 0 ? merge_into(r, run->into) : NULL;
        const bool moved = m != NULL && number < m->next;
        const uint32_t id = moved ? run->into : run->id;
        if (id != looked_into) {
            status = find_in(t, id, number, value, value_n, err);
            looked_into = id;
            jb_steps.runs++;
            *ret_newest = run->newest;
        }
    }
    jb_steps.rows = rows + 1; /* how many runs there are hangs on the clock, too */
    return status;
}

/* ---- making few of many ---- */

static bool
note_page(struct jb_buffer *pages, const uint8_t key[KEY_BYTES], const uint8_t *value, size_t n)
{
    const size_t bytes = n == GOES ? 0 : n;
    if (!jb_vec_grow((void **)&pages->at, &pages->cap, pages->n + HEAD_BYTES + bytes, 1)) {
        return false;
    }
    memcpy(pages->at + pages->n, key, KEY_BYTES);
    jb_put_be(pages->at + pages->n + KEY_BYTES, 4, n);
    if (bytes > 0) {
        memcpy(pages->at + pages->n + HEAD_BYTES, value, bytes);
    }
    pages->n += HEAD_BYTES + bytes;
    return true;
}

/* The next one of the run. A page that it has left goes. */
static jb_status
next_of_run(struct cursor *c, struct jb_buffer *pages, struct jb_error *err)
{
    bool end;
    jb_status status = step(c, &end, err);
    if (status != JB_OK || !end) {
        return status;
    }
    if (!note_page(pages, c->row.key, NULL, GOES)) {
        return no_memory(err);
    }
    status = jb_store_next(c->t, JB_TABLE_WALLETS, &c->row, err);
    begin_page(c, status);
    if (c->has) {
        return step(c, &end, err);
    }
    return status == JB_E_NOTFOUND ? JB_OK : status;
}

/* From the first wallet on that is not below `next`. */
static jb_status
begin_at(struct cursor *c, uint64_t next, struct jb_buffer *pages, struct jb_error *err)
{
    bool end;
    jb_status status = seek_page(c, next, err);
    if (status == JB_OK && !c->has) {
        uint8_t key[KEY_BYTES];
        make_key(key, c->id, next);
        status = jb_store_seek(c->t, JB_TABLE_WALLETS, key, sizeof key, &c->row, err);
        begin_page(c, status);
        status = status == JB_E_NOTFOUND ? JB_OK : status;
    }
    if (c->has && status == JB_OK) {
        status = step(c, &end, err);
    }
    while (status == JB_OK && c->has && c->number < next) {
        status = next_of_run(c, pages, err);
    }
    return status;
}

struct page {
    uint8_t key[KEY_BYTES];
    struct jb_buffer bytes;
    uint32_t last, n;
};

/* How much the row would take. */
static size_t
entry_bytes(size_t n)
{
    return ENTRY_BYTES_MAX + n;
}

static bool
append(struct jb_buffer *page, uint32_t delta, const void *record, size_t n)
{
    if (!jb_vec_grow((void **)&page->at, &page->cap, page->n + entry_bytes(n), 1)) {
        return false;
    }
    page->n += jb_number_put(page->at + page->n, delta);
    page->n += jb_number_put(page->at + page->n, n);
    memcpy(page->at + page->n, record, n);
    page->n += n;
    return true;
}

static bool
end_page(struct page *page, struct jb_buffer *pages)
{
    bool ok = page->n == 0 || note_page(pages, page->key, page->bytes.at, page->bytes.n);
    page->n = 0;
    page->bytes.n = 0;
    return ok;
}

/* The row goes behind the others of the new run. */
static bool
move(struct jb_wallet_merge *m, struct page *page, const struct cursor *c, struct jb_buffer *pages)
{
    if (page->n > 0 && page->bytes.n + entry_bytes(c->n) > PAGE_BYTES && !end_page(page, pages)) {
        return false;
    }
    if (page->n == 0) {
        make_key(page->key, m->into, c->number);
        page->last = c->number;
    }
    bool ok = append(&page->bytes, c->number - page->last, c->record, c->n);
    page->last = c->number;
    page->n++;
    m->rows++;
    return ok;
}

/* The newest of those that stand at the least number; NULL: they are at their end. */
static const struct cursor *
least(const struct cursor *c, unsigned n)
{
    const struct cursor *found = NULL;
    for (unsigned i = n; i-- > 0;) {
        if (c[i].has && (found == NULL || c[i].number < found->number)) {
            found = &c[i];
        }
    }
    return found;
}

/* The new run stands where the others stood. */
static void
replace(struct jb_wallet_runs *r, const struct jb_wallet_merge *m)
{
    unsigned to = 0;
    bool there = false;
    for (unsigned i = 0; i < r->n; i++) {
        const struct jb_wallet_run run = r->at[i];
        if (run.into != m->into) {
            r->at[to++] = run;
        } else if (!there) {
            r->at[to++] =
                (struct jb_wallet_run){m->into, 0, m->rows, run.first, run.last, run.newest};
            there = true;
        } else {
            struct jb_wallet_run *made = &r->at[to - 1];
            made->first = run.first < made->first ? run.first : made->first;
            made->last = run.last > made->last ? run.last : made->last;
            made->newest = run.newest; /* they stand in order */
        }
    }
    r->n = to;
    const unsigned i = (unsigned)(m - r->merges);
    r->merges_n--;
    memmove(&r->merges[i], &r->merges[i + 1], (r->merges_n - i) * sizeof r->merges[0]);
}

static bool
has_room(const struct jb_wallet_step *s)
{
    return s->pages.n < JB_WALLET_STEP_BYTES;
}

/* About so many rows move. */
static jb_status
move_some(struct jb_wallet_merge *m, struct cursor *c, unsigned n, size_t rows,
          struct jb_wallet_step *s, struct jb_error *err)
{
    struct page page = {.n = 0};
    jb_status status = JB_OK;
    const size_t from = s->moved;
    for (const struct cursor *found = least(c, n);
         found != NULL && s->moved - from < rows && has_room(s) && status == JB_OK;
         found = least(c, n)) {
        const uint32_t number = found->number;
        if (!move(m, &page, found, &s->pages)) {
            status = no_memory(err);
        }
        for (unsigned i = 0; i < n && status == JB_OK; i++) {
            if (c[i].has && c[i].number == number) {
                status = next_of_run(&c[i], &s->pages, err);
                s->moved++;
            }
        }
        m->next = (uint64_t)number + 1;
    }
    if (status == JB_OK && !end_page(&page, &s->pages)) {
        status = no_memory(err);
    }
    free(page.bytes.at);
    return status;
}

static jb_status
merge_some(struct jb_store_txn *t, struct jb_wallet_merge *m, size_t rows, struct jb_wallet_step *s,
           struct jb_error *err)
{
    struct cursor cursors[JB_WALLET_RUNS_MAX];
    unsigned n = 0;
    jb_status status = JB_OK;
    for (unsigned i = 0; i < s->runs.n && status == JB_OK; i++) {
        if (s->runs.at[i].into == m->into) {
            cursors[n] = (struct cursor){.t = t, .id = s->runs.at[i].id};
            status = begin_at(&cursors[n++], m->next, &s->pages, err);
        }
    }
    status = status == JB_OK ? move_some(m, cursors, n, rows, s, err) : status;
    if (status == JB_OK && least(cursors, n) == NULL) {
        replace(&s->runs, m);
    }
    return status;
}

/* Those from..to, which stand side by side. */
static void
begin_merge(struct jb_wallet_runs *r, unsigned from, unsigned to)
{
    r->merges[r->merges_n++] = (struct jb_wallet_merge){.into = ++r->given};
    for (unsigned i = from; i < to; i++) {
        r->at[i].into = r->given;
    }
}

/* The newest that are worth it. False: none are. */
static bool
choose(struct jb_wallet_runs *r)
{
    for (unsigned to = r->n; to >= TOGETHER && r->merges_n < JB_WALLET_MERGES_MAX; to--) {
        uint64_t sum = 0, most = 0;
        unsigned from = to;
        while (from > 0 && r->at[from - 1].into == 0) {
            const uint64_t rows = r->at[--from].rows;
            sum += rows;
            most = rows > most ? rows : most;
            if (to - from >= TOGETHER && (sum >= LARGEST_SHARE * most || jb_wallet_runs_many(r))) {
                /* And an older one that is no larger than all of these: else runs would lie side by
                 * side that have the same wallets. */
                while (from > 0 && r->at[from - 1].into == 0 && r->at[from - 1].rows <= sum) {
                    sum += r->at[--from].rows;
                }
                begin_merge(r, from, to);
                return true;
            }
        }
    }
    return false;
}

/* The merge of the newest runs first: it is the smallest. */
static struct jb_wallet_merge *
newest_merge(struct jb_wallet_runs *r, const uint32_t *done, unsigned done_n)
{
    for (unsigned i = r->n; i-- > 0;) {
        unsigned seen = 0;
        while (seen < done_n && done[seen] != r->at[i].into) {
            seen++;
        }
        if (r->at[i].into != 0 && seen == done_n) {
            return merge_into(r, r->at[i].into);
        }
    }
    return NULL;
}

/* A merge that is not the last takes half of what is left at most, or so many rows. */
#define ROWS_LEAST ((size_t)(JB_CHECKS ? 4 : 4096))

static jb_status
make_step(struct jb_store_txn *t, size_t rows, struct jb_wallet_step *s, struct jb_error *err)
{
    uint32_t done[JB_WALLET_MERGES_MAX];
    unsigned n = 0;
    jb_status status = jb_wallet_runs_get(t, &s->runs, err);
    while (status == JB_OK && choose(&s->runs)) {
    }
    for (struct jb_wallet_merge *m = NULL; status == JB_OK && s->moved < rows && has_room(s) &&
                                           n < JB_WALLET_MERGES_MAX &&
                                           (m = newest_merge(&s->runs, done, n)) != NULL;) {
        const size_t left = rows - s->moved, half = left / 2 > ROWS_LEAST ? left / 2 : ROWS_LEAST;
        done[n++] = m->into;
        status = merge_some(t, m, n < s->runs.merges_n ? half : left, s, err);
    }
    return status;
}

jb_status
jb_wallet_step_make(struct jb_store *store, size_t rows, struct jb_wallet_step *ret,
                    struct jb_error *err)
{
    struct jb_store_txn t;
    ret->pages.n = 0;
    ret->moved = 0;
    jb_status status = jb_store_read(store, &t, err);
    if (status == JB_OK) {
        ret->generation = t.meta.generation;
        ret->writes = t.meta.writes;
        status = make_step(&t, rows, ret, err);
    }
    jb_store_end(&t);
    return status;
}

void
jb_wallet_step_free(struct jb_wallet_step *s)
{
    free(s->pages.at);
    s->pages = (struct jb_buffer){0};
}

/* ---- writing ---- */

bool
jb_wallet_step_fits(const struct jb_wallet_step *s, const struct jb_store_txn *t)
{
    return s->generation == t->meta.generation && s->writes == t->meta.writes;
}

jb_status
jb_wallet_step_put(const struct jb_wallet_step *s, struct jb_store_txn *t, struct jb_error *err)
{
    jb_status status = put_list(&s->runs, t, err);
    for (size_t at = 0; at < s->pages.n && status == JB_OK;) {
        const uint8_t *key = s->pages.at + at;
        const uint32_t n = (uint32_t)jb_get_be(key + KEY_BYTES, 4);
        status = n == GOES
                     ? jb_store_del(t, JB_TABLE_WALLETS, key, KEY_BYTES, err)
                     : jb_store_put(t, JB_TABLE_WALLETS, key, KEY_BYTES, key + HEAD_BYTES, n, err);
        at += HEAD_BYTES + (n == GOES ? 0 : n);
    }
    return status;
}

void
jb_wallet_pages_begin(struct jb_wallet_pages *p, struct jb_wallet_runs *r, struct jb_store_txn *t)
{
    *p = (struct jb_wallet_pages){.t = t, .runs = r, .run = {.id = r->given + 1}};
    for (unsigned i = 0; i < r->n; i++) {
        if (r->at[i].last >= p->top) {
            p->top = r->at[i].last;
            p->grows = r->at[i].into == 0 ? &r->at[i] : NULL;
        }
    }
}

static jb_status
put_page(struct jb_wallet_pages *p, struct jb_error *err)
{
    struct jb_wallet_run *run = p->growing ? p->grows : &p->run;
    uint8_t key[KEY_BYTES];
    make_key(key, run->id, p->first);
    run->first = run->rows == 0 ? p->first : run->first;
    run->last = p->last;
    run->rows += p->n;
    p->t->rows += p->n;
    jb_status status =
        jb_store_put(p->t, JB_TABLE_WALLETS, key, sizeof key, p->page.at, p->page.n, err);
    p->page.n = 0;
    p->n = 0;
    return status == JB_OK ? jb_store_next_step(p->t, err) : status;
}

jb_status
jb_wallet_pages_add(struct jb_wallet_pages *p, uint32_t number, const void *record, size_t n,
                    struct jb_error *err)
{
    JB_ASSERT(number > p->last);
    const bool grows = p->grows != NULL && number > p->top;
    if (p->n > 0 && (grows != p->growing || p->page.n + entry_bytes(n) > PAGE_BYTES)) {
        jb_status status = put_page(p, err);
        if (status != JB_OK) {
            return status;
        }
    }
    p->growing = grows;
    if (p->n == 0) {
        p->first = p->last = number;
    }
    if (!append(&p->page, number - p->last, record, n)) {
        return no_memory(err);
    }
    p->last = number;
    p->n++;
    return JB_OK;
}

jb_status
jb_wallet_pages_end(struct jb_wallet_pages *p, jb_status failed, struct jb_error *err)
{
    struct jb_wallet_runs *r = p->runs;
    jb_status status = failed;
    if (status == JB_OK && p->n > 0) {
        status = put_page(p, err);
    }
    if (status == JB_OK && p->run.rows > 0 && r->n == JB_WALLET_RUNS_MAX) {
        status = no_memory(err); /* the disk was full for long: some are made into one first */
    }
    if (status == JB_OK && p->run.rows > 0) {
        r->given = p->run.id;
        p->run.newest = p->t->meta.writes + 1;
        r->at[r->n++] = p->run;
    }
    status = status == JB_OK ? put_list(r, p->t, err) : status;
    free(p->page.at);
    p->page = (struct jb_buffer){0};
    return status;
}

/* ---- looking at all of it ---- */

/* How many rows each run has that should have as many as it says. */
struct counted {
    uint32_t id;
    uint64_t rows;
};

static void
count(struct counted *counts, unsigned n, uint32_t id, uint64_t rows, uint64_t *strange)
{
    for (unsigned i = 0; i < n; i++) {
        if (counts[i].id == id) {
            counts[i].rows -= rows;
            return;
        }
    }
    *strange += rows;
}

/* The rows of the page, which may be of a run that does not count. */
static jb_status
count_page(struct cursor *c, uint32_t most, uint64_t *ret_rows, uint64_t *strange,
           struct jb_error *err)
{
    bool end = false;
    jb_status status = JB_OK;
    *ret_rows = 0;
    c->id = c->row.key_n == KEY_BYTES ? (uint32_t)jb_get_be(c->row.key, 4) : 0;
    begin_page(c, JB_OK);
    while (c->has && status == JB_OK) {
        status = step(c, &end, err);
        if (status == JB_OK && end) {
            return JB_OK;
        }
        ++*ret_rows;
        *strange += c->number == 0 || c->number > most;
    }
    *strange += !c->has;
    return status;
}

jb_status
jb_wallet_runs_strange(struct jb_store_txn *t, const struct jb_wallet_runs *r, uint32_t most,
                       uint64_t *ret, struct jb_error *err)
{
    struct counted counts[JB_WALLET_RUNS_MAX + JB_WALLET_MERGES_MAX];
    struct cursor c = {.t = t};
    unsigned n = 0;
    for (unsigned i = 0; i < r->n; i++) {
        counts[n++] = (struct counted){r->at[i].id, r->at[i].rows};
    }
    for (unsigned i = 0; i < r->merges_n; i++) {
        counts[n++] = (struct counted){r->merges[i].into, r->merges[i].rows};
    }
    *ret = 0;
    jb_status status = jb_store_seek(t, JB_TABLE_WALLETS, NULL, 0, &c.row, err);
    while (status == JB_OK) {
        uint64_t rows;
        status = count_page(&c, most, &rows, ret, err);
        count(counts, n, c.id, rows, ret);
        status = status == JB_OK ? jb_store_next(t, JB_TABLE_WALLETS, &c.row, err) : status;
    }
    for (unsigned i = 0; i < n; i++) {
        /* What has moved out of a run is what cannot be told. */
        const bool moves = i < r->n && r->at[i].into != 0;
        *ret += counts[i].rows != 0 && !moves;
    }
    return status == JB_E_NOTFOUND ? JB_OK : status;
}

/* What of a run counts: rows that have moved into a merge's stand there. */
static uint64_t
begins_at(const struct jb_wallet_runs *r, const struct jb_wallet_run *run)
{
    const struct jb_wallet_merge *m = run->into != 0 ? merge_into(r, run->into) : NULL;
    return m != NULL ? m->next : 0;
}

/* Each wallet's newest row, in order. */
static jb_status
digest_wallets(struct jb_store_txn *t, const struct jb_wallet_runs *r, XXH3_state_t *state,
               struct jb_error *err)
{
    struct cursor c[JB_WALLET_RUNS_MAX + JB_WALLET_MERGES_MAX];
    struct jb_buffer left = {0};
    unsigned n = 0;
    jb_status status = JB_OK;
    for (unsigned i = 0; i < r->n && status == JB_OK; i++) {
        const struct jb_wallet_run *run = &r->at[i];
        /* What runs are made into stands where the first of them does: older than what follows. */
        if (run->into != 0 && (i == 0 || r->at[i - 1].into != run->into)) {
            c[n] = (struct cursor){.t = t, .id = run->into};
            status = begin_at(&c[n++], 0, &left, err);
        }
        if (status == JB_OK) {
            c[n] = (struct cursor){.t = t, .id = run->id};
            status = begin_at(&c[n++], begins_at(r, run), &left, err);
        }
    }
    for (const struct cursor *found = least(c, n); found != NULL && status == JB_OK;
         found = least(c, n)) {
        const uint32_t number = found->number;
        XXH3_128bits_update(state, found->record, found->n);
        for (unsigned i = 0; i < n && status == JB_OK; i++) {
            status = c[i].has && c[i].number == number ? next_of_run(&c[i], &left, err) : JB_OK;
        }
        left.n = 0;
    }
    free(left.at);
    return status;
}

jb_status
jb_wallet_runs_digest(struct jb_store_txn *t, uint8_t ret[16], struct jb_error *err)
{
    struct jb_wallet_runs r;
    uint8_t others[16];
    const void *globals;
    size_t n;
    jb_status status =
        jb_store_digest(t, 1U << JB_TABLE_WALLETS | 1U << JB_TABLE_GLOBALS, others, err);
    status = status == JB_OK ? jb_wallet_runs_get(t, &r, err) : status;
    status =
        status == JB_OK ? jb_store_get(t, JB_TABLE_GLOBALS, "g", 1, &globals, &n, err) : status;
    if (status != JB_OK) {
        return status;
    }
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    XXH3_128bits_update(&state, others, sizeof others);
    XXH3_128bits_update(&state, globals, n);
    status = digest_wallets(t, &r, &state, err);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
    memcpy(ret, canonical.digest, 16);
    return status;
}

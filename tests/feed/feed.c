/*
 * The feed against what the other calls say, from outside: every event once and in order, its
 * balance that of jb_balance_get as of its number, whichever page it stands in and wherever the
 * feed was taken up; no page ends in a group; of one wallet its own events.
 *
 *   feed LEDGER         all of that on a ledger
 *   feed --live         a follower beside writers, on a ledger of its own
 *   feed --histories    cursors of other ledgers and of a log that was put back
 *   feed --measure N W  what an event of it costs, in a ledger of N events of W wallets
 */
#include <jangbu/replay.h>

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "../library.h"

/* What a row said. */
struct row {
    jb_seq seq;
    uint32_t type;
    uint32_t wallet_number;
    char wallet[JB_ID_BYTES_MAX + 1];
    jb_amount effect;
    struct jb_balance balance; /* all 0: none */
    bool late;
    char cursor[JB_CURSOR_TEXT_BYTES];
};

struct rows {
    struct row *at;
    size_t n, cap;
    size_t most; /* each ends the page behind so many; 0: never */
};

static bool
each_row(void *data, const struct jb_feed_row *r)
{
    struct rows *rows = data;
    if (rows->n == rows->cap) {
        rows->cap = rows->cap == 0 ? 64 : 2 * rows->cap;
        rows->at = realloc(rows->at, rows->cap * sizeof *rows->at);
        must(rows->at != NULL, "memory");
    }
    struct row *row = &rows->at[rows->n++];
    memset(row, 0, sizeof *row);
    row->seq = r->event->seq;
    row->type = r->event->type;
    row->wallet_number = r->event->wallet;
    must((r->wallet.s != NULL) == (r->event->wallet != 0), "an event of a wallet has its id");
    must((r->balance != NULL) == (r->event->wallet != 0), "and a balance");
    if (r->wallet.s != NULL) {
        memcpy(row->wallet, r->wallet.s, r->wallet.n);
        row->balance = *r->balance;
    }
    row->effect = r->effect;
    row->late = r->late;
    snprintf(row->cursor, sizeof row->cursor, "%s", r->cursor);
    return rows->most == 0 || rows->n < rows->most;
}

static struct jb_feed_page
page_of(jb_views *v, const struct jb_feed_query *q, struct rows *rows)
{
    struct jb_feed_page page = JB_SIZED(struct jb_feed_page);
    rows->n = 0;
    good(jb_feed_get(v, q, each_row, rows, &page, &err), "a page of the feed");
    return page;
}

static struct jb_feed_query
query_after(jb_seq after, uint32_t limit)
{
    return (struct jb_feed_query){
        .size = sizeof(struct jb_feed_query), .after = after, .limit = limit};
}

static bool
same_balance(const struct jb_balance *a, const struct jb_balance *b)
{
    return a->status == b->status && a->paid == b->paid && a->free == b->free &&
           a->free_dormant == b->free_dormant && a->total == b->total &&
           a->refundable == b->refundable && a->refund_pending == b->refund_pending &&
           a->refund_in_transit == b->refund_in_transit && a->debt == b->debt &&
           a->version == b->version;
}

static void
same(const struct row *a, const struct row *b, const char *what)
{
    const bool ok = a->seq == b->seq && a->type == b->type &&
                    a->wallet_number == b->wallet_number && strcmp(a->wallet, b->wallet) == 0 &&
                    a->effect == b->effect && same_balance(&a->balance, &b->balance) &&
                    a->late == b->late && strcmp(a->cursor, b->cursor) == 0;
    if (!ok) {
        fprintf(stderr, "event %llu and %llu\n", (unsigned long long)a->seq,
                (unsigned long long)b->seq);
    }
    must(ok, what);
}

/* ---- what the log and the other calls have ---- */

struct truth {
    jb_ledger *l;
    jb_views *v;
    struct rows rows;  /* rows.at[i] is event i + 1, without its cursor */
    jb_seq *group_end; /* the last event of its group, 0: it is in none */
    jb_seq *group_begin;
};

static void
expect(struct truth *t, const struct jb_event *e, int32_t offset)
{
    struct row *row = &t->rows.at[e->seq - 1];
    memset(row, 0, sizeof *row);
    row->seq = e->seq;
    row->type = e->type;
    row->wallet_number = e->wallet;
    row->effect = jb_event_effect(e);
    for (uint32_t i = 0; (e->flags & JB_EVF_GROUP) != 0 && i < e->group_events; i++) {
        t->group_end[e->seq - 1 - i] = e->seq;
        t->group_begin[e->seq - 1 - i] = e->seq - e->group_events + 1;
    }
    if (e->wallet != 0) {
        size_t n;
        struct jb_wallet_balance b = JB_SIZED(struct jb_wallet_balance);
        const struct jb_as_of as_of = {.kind = JB_AS_OF_SEQ, .seq = e->seq};
        good(jb_wallet_id(t->l, e->wallet, row->wallet, &n, &err), "the id of a wallet");
        good(jb_balance_get(t->v, jb_text_of(row->wallet), &as_of, &b, &err), "a balance");
        row->balance = b.balance;
        row->late = e->posted_on > jb_day_of(e->occurred_at, offset);
    }
}

static void
learn(struct truth *t)
{
    jb_cursor *c;
    const struct jb_event *e;
    struct jb_ledger_info info = JB_SIZED(struct jb_ledger_info);
    struct jb_head head = JB_SIZED(struct jb_head);
    good(jb_info_get(t->l, &info, &err), "the ledger's offset");
    good(jb_head_get(t->l, &head, &err), "the head");
    t->rows.at = calloc(head.seq, sizeof *t->rows.at);
    t->group_end = calloc(head.seq, sizeof *t->group_end);
    t->group_begin = calloc(head.seq, sizeof *t->group_begin);
    must(t->rows.at != NULL && t->group_end != NULL && t->group_begin != NULL, "memory");
    t->rows.n = head.seq;
    good(jb_cursor_open(t->l, 1, &c, &err), "a cursor");
    while (jb_cursor_next(c, &e, &err) == JB_OK) {
        expect(t, e, info.utc_offset_s);
    }
    jb_cursor_close(c);
}

/* ---- comparing ---- */

/* The rows are those behind `after`; they get their cursors, or have the same again. */
static void
compare(struct truth *t, const struct rows *rows, jb_seq after)
{
    for (size_t i = 0; i < rows->n; i++) {
        must(after + i < t->rows.n, "no event that the log does not have");
        struct row *row = &t->rows.at[after + i];
        if (row->cursor[0] == '\0') {
            memcpy(row->cursor, rows->at[i].cursor, sizeof row->cursor);
        }
        same(&rows->at[i], row, "a row is what the other calls say, with the cursor that it had");
    }
}

static bool
in_group(const struct truth *t, jb_seq seq)
{
    return seq != 0 && t->group_end[seq - 1] > seq;
}

static void
check_end(const struct truth *t, const struct rows *rows, jb_seq after, uint32_t limit,
          const struct jb_feed_page *page)
{
    must(page->through == after + rows->n, "a page goes up to its last row");
    must(page->head == t->rows.n && page->more == (page->through < page->head), "and knows more");
    must(rows->n > 0 || !page->more, "no page is empty while there is more");
    must(!in_group(t, page->through), "no page ends in a group");
    must(rows->n <= limit || t->group_begin[after] <= after + 1 ||
             t->group_begin[after] == t->group_begin[page->through - 1],
         "a page is longer than its limit for one group alone");
    must(rows->n <= limit || t->group_end[after] == page->through, "and ends with it");
}

static void
check_pages(struct truth *t, jb_views *v, uint32_t limit)
{
    struct rows rows = {.n = 0};
    struct jb_feed_page page = {.more = true};
    char cursor[JB_CURSOR_TEXT_BYTES] = "";
    while (page.more) {
        const jb_seq after = page.through;
        struct jb_feed_query q = query_after(after, limit);
        if (limit % 2 == 0) { /* by cursors */
            q.after = 0;
            q.cursor = cursor;
        }
        page = page_of(v, &q, &rows);
        compare(t, &rows, after);
        check_end(t, &rows, after, limit, &page);
        memcpy(cursor, page.cursor, sizeof cursor);
        must(rows.n == 0 || strcmp(cursor, rows.at[rows.n - 1].cursor) == 0,
             "the page's cursor is its last row's");
    }
    free(rows.at);
}

/* Taken up behind every number, in an order that jumps about: by number, by the row's cursor, and
 * with each ending the page. */
static void
check_resumed(struct truth *t, jb_views *v)
{
    struct rows rows = {.n = 0};
    for (jb_seq i = 0; i <= t->rows.n; i++) {
        const jb_seq after = i * 7919 % (t->rows.n + 1);
        struct jb_feed_query q = query_after(after, 1 + (uint32_t)(i % 4));
        struct jb_feed_page page = page_of(v, &q, &rows);
        compare(t, &rows, after);
        check_end(t, &rows, after, q.limit, &page);
        if (after > 0) {
            q = query_after(0, 5);
            q.cursor = t->rows.at[after - 1].cursor;
            rows.most = 2;
            page = page_of(v, &q, &rows);
            rows.most = 0;
            compare(t, &rows, after);
            must(page.through == after + rows.n && rows.n <= 2, "each ended the page");
        }
    }
    free(rows.at);
}

static void
check_wallet(struct truth *t, jb_views *v, uint32_t number, uint32_t limit)
{
    char id[JB_ID_BYTES_MAX + 1] = "";
    size_t n;
    struct rows rows = {.n = 0};
    struct jb_feed_page page = {.more = true};
    good(jb_wallet_id(t->l, number, id, &n, &err), "the id of a wallet");
    jb_seq at = 0; /* what was told goes up to there */
    while (page.more) {
        struct jb_feed_query q = query_after(page.through, limit);
        q.wallet = (struct jb_text){id, n};
        page = page_of(v, &q, &rows);
        for (size_t i = 0; i < rows.n; i++) {
            do {
                at++;
            } while (at <= t->rows.n && t->rows.at[at - 1].wallet_number != number);
            must(at <= t->rows.n, "no event of another wallet");
            same(&rows.at[i], &t->rows.at[at - 1], "a row of a wallet is that of the log");
        }
        for (jb_seq seq = at + 1; rows.n > 0 && in_group(t, at) && seq <= t->group_end[at - 1];
             seq++) {
            must(t->rows.at[seq - 1].wallet_number != number,
                 "no page of a wallet ends in a group that has more of it");
        }
    }
    while (++at <= t->rows.n) {
        must(t->rows.at[at - 1].wallet_number != number, "all events of a wallet are told");
    }
    must(page.through == t->rows.n, "and then all is looked at");
    free(rows.at);
}

static void
check_ledger(const char *dir)
{
    const uint32_t limits[] = {10000, 1, 2, 3, 7, 64, 100};
    struct truth t = {.rows = {.n = 0}};
    jb_views *other;
    struct jb_ledger_stat stat = JB_SIZED(struct jb_ledger_stat);
    good(jb_open(dir, NULL, &t.l, &err), "opening");
    good(jb_views_open(t.l, &t.v, &err), "the projections");
    learn(&t);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        check_pages(&t, t.v, limits[i]);
        good(jb_views_open(t.l, &other, &err), "the projections once more");
        check_pages(&t, other, limits[i]);
        other = jb_views_close(other);
    }
    check_resumed(&t, t.v);
    good(jb_ledger_stat_get(t.l, &stat, &err), "the number of wallets");
    for (uint32_t w = 1; w <= stat.wallets + stat.wallets_deleted; w++) {
        size_t n;
        char id[JB_ID_BYTES_MAX + 1];
        if (jb_wallet_id(t.l, w, id, &n, &err) == JB_OK) {
            check_wallet(&t, t.v, w, 1 + w % 5);
        }
    }
    size_t groups = 0, wallets = 0;
    for (size_t i = 0; i < t.rows.n; i++) {
        groups += t.group_end[i] == i + 1;
        wallets += t.rows.at[i].wallet_number != 0;
    }
    printf("%zu events, %zu of wallets, %zu groups\n", t.rows.n, wallets, groups);
    jb_views_close(t.v);
    jb_close(t.l);
    free(t.rows.at);
    free(t.group_end);
    free(t.group_begin);
}

/* ---- beside writers ---- */

enum { WALLETS = 40, WRITERS = 3, ROUNDS = 150, MEMBERS = 3 };

static jb_ledger *shared;

static void
submit(jb_ledger *l, const struct jb_command *c, size_t n)
{
    struct jb_error why;
    jb_answers *answers = jb_answers_new();
    const jb_status status = jb_submit(l, c, n, NULL, answers, NULL, &why);
    if (status != JB_OK) {
        fprintf(stderr, "%s\n", why.text);
    }
    must(status == JB_OK, "a submission");
    jb_answers_free(answers);
}

static void *
write_some(void *data)
{
    const unsigned number = *(const unsigned *)data;
    for (unsigned i = 0; i < ROUNDS; i++) {
        char wallet[MEMBERS][24], id[MEMBERS][40];
        struct jb_command c[MEMBERS], group;
        for (unsigned k = 0; k < MEMBERS; k++) {
            snprintf(wallet[k], sizeof wallet[k], "W%u", (number * 7 + i * 3 + k) % WALLETS);
            snprintf(id[k], sizeof id[k], "I-%u-%u-%u", number, i, k);
            jb_command_begin(&c[k], i % 4 == 0 ? JB_OP_CHARGE : JB_OP_CONSUME);
            jb_set_wallet(&c[k], jb_text_of(wallet[k]));
            (i % 4 == 0 ? jb_set_charge : jb_set_usage)(&c[k], jb_text_of(id[k]));
            jb_set_amount(&c[k], i % 4 == 0 ? 10000 : 10);
        }
        jb_command_begin(&group, JB_OP_ATOMIC);
        jb_set_commands(&group, c, MEMBERS);
        i % 2 == 0 ? submit(shared, &group, 1) : submit(shared, c, MEMBERS);
    }
    return NULL;
}

static void
make_wallets(jb_ledger *l)
{
    for (unsigned i = 0; i < WALLETS; i++) {
        char id[24];
        struct jb_command c;
        snprintf(id, sizeof id, "W%u", i);
        jb_command_begin(&c, JB_OP_WALLET_CREATE);
        jb_set_wallet(&c, jb_text_of(id));
        jb_set_kind(&c, JB_KIND_PERSONAL);
        jb_set_name(&c, jb_text_of("name"));
        submit(l, &c, 1);
    }
}

struct following {
    _Atomic(jb_seq) seq;
    jb_amount sums[WALLETS + 1];
    jb_amount totals[WALLETS + 1];
};

static bool
follow_row(void *data, const struct jb_feed_row *r)
{
    struct following *f = data;
    must(r->event->seq == f->seq + 1, "no hole, and nothing twice");
    f->seq = r->event->seq;
    if (r->balance != NULL) {
        const uint32_t w = r->event->wallet;
        f->sums[w] += r->effect;
        f->totals[w] = r->balance->total;
        must(f->sums[w] == r->balance->total, "the effects add up to the balance after each");
    }
    return true;
}

static void *
follow(void *data)
{
    jb_views *v;
    struct jb_error why;
    struct following *f = data;
    must(jb_views_open(shared, &v, &why) == JB_OK, "the follower's projections");
    for (;;) {
        struct jb_feed_page page = JB_SIZED(struct jb_feed_page);
        const struct jb_feed_query q = query_after(f->seq, 50);
        must(jb_feed_get(v, &q, follow_row, f, &page, &why) == JB_OK, "the follower's page");
        must(page.through == f->seq, "and where it ends");
        if (!page.more && jb_wait(shared, f->seq, INT64_MAX, NULL, &why) != JB_OK) {
            break;
        }
    }
    jb_views_close(v);
    return NULL;
}

static void
check_live(void)
{
    char dir[64], path[80];
    make_quick_scratch(dir, "feed");
    snprintf(path, sizeof path, "%s/l", dir);
    good(jb_init(path, NULL, &err), "a ledger");
    good(jb_open(path, NULL, &shared, &err), "opening it");
    make_wallets(shared);
    static struct following f[2];
    pthread_t followers[2], writers[WRITERS];
    unsigned numbers[WRITERS];
    for (unsigned i = 0; i < 2; i++) {
        must(pthread_create(&followers[i], NULL, follow, &f[i]) == 0, "a thread");
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        must(pthread_create(&writers[i], NULL, write_some, &numbers[i]) == 0, "a thread");
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(writers[i], NULL);
    }
    struct jb_head head = JB_SIZED(struct jb_head);
    good(jb_head_get(shared, &head, &err), "the head");
    for (unsigned i = 0; i < 2; i++) {
        while (atomic_load(&f[i].seq) < head.seq) {
            usleep(1000);
        }
    }
    jb_wait_end(shared);
    jb_views *v;
    good(jb_views_open(shared, &v, &err), "the projections");
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(followers[i], NULL);
        must(f[i].seq == head.seq, "a follower comes to the end");
    }
    for (unsigned i = 0; i < WALLETS; i++) {
        char id[24];
        struct jb_wallet_balance b = JB_SIZED(struct jb_wallet_balance);
        snprintf(id, sizeof id, "W%u", i);
        good(jb_balance_get(v, jb_text_of(id), NULL, &b, &err), "a balance");
        must(b.balance.total == f[0].totals[b.number] && b.balance.total == f[1].sums[b.number],
             "the sum of effects is the balance");
    }
    printf("%llu events followed\n", (unsigned long long)head.seq);
    jb_views_close(v);
    jb_close(shared);
    remove_scratch(dir);
}

/* ---- other histories ---- */

static void
expect_status(jb_views *v, const struct jb_feed_query *q, jb_status expected, const char *what)
{
    struct rows rows = {.n = 0};
    const jb_status status = jb_feed_get(v, q, each_row, &rows, NULL, &err);
    if (status != expected) {
        fprintf(stderr, "%s: status %d, not %d: %s\n", what, (int)status, (int)expected, err.text);
    }
    must(status == expected && rows.n == 0, what);
    free(rows.at);
}

static void
open_both(const char *path, jb_ledger **l, jb_views **v)
{
    good(jb_open(path, NULL, l, &err), "opening");
    good(jb_views_open(*l, v, &err), "the projections");
}

static void
check_histories(void)
{
    char dir[64], path[3][80];
    jb_ledger *l;
    jb_views *v;
    struct rows rows = {.n = 0};
    make_quick_scratch(dir, "feed");
    for (unsigned i = 0; i < 3; i++) {
        snprintf(path[i], sizeof path[i], "%s/l%u", dir, i);
    }
    good(jb_init(path[0], NULL, &err), "a ledger");
    good(jb_init(path[1], NULL, &err), "another one");
    open_both(path[0], &l, &v);
    good(jb_backup(l, path[2], NULL, NULL, &err), "a backup");
    make_wallets(l);
    struct jb_feed_query q = query_after(0, 10000);
    struct jb_feed_page page = page_of(v, &q, &rows);
    char cursor[JB_CURSOR_TEXT_BYTES], made_up[JB_CURSOR_TEXT_BYTES];
    memcpy(cursor, page.cursor, sizeof cursor);
    q = query_after(page.head + 1, 1);
    expect_status(v, &q, JB_E_NOTFOUND, "a number behind the end");
    q = query_after(page.head, 1);
    expect_status(v, &q, JB_OK, "the end itself");
    q.cursor = cursor;
    expect_status(v, &q, JB_E_USAGE, "a number and a cursor");
    q = query_after(0, 0);
    expect_status(v, &q, JB_E_USAGE, "no rows");
    q.limit = 10001;
    expect_status(v, &q, JB_E_USAGE, "too many rows");
    q = query_after(0, 1);
    q.wallet = jb_text_of("nobody");
    expect_status(v, &q, JB_E_NOTFOUND, "no such wallet");
    q = query_after(0, 1);
    for (size_t i = 0; i <= strlen(cursor); i++) { /* any digit that is another one, and its end */
        memcpy(made_up, cursor, sizeof made_up);
        made_up[i] = made_up[i] == '\0' ? '0' : made_up[i] == '1' ? '2' : '1';
        q.cursor = made_up;
        expect_status(v, &q, JB_E_USAGE, "a cursor that somebody made up");
    }
    jb_views_close(v);
    jb_close(l);
    open_both(path[1], &l, &v);
    make_wallets(l);
    q.cursor = cursor;
    expect_status(v, &q, JB_E_USAGE, "a cursor of another ledger");
    jb_views_close(v);
    jb_close(l);
    open_both(path[2], &l, &v);
    expect_status(v, &q, JB_E_NOTFOUND, "a cursor behind the end of a log that was put back");
    make_wallets(l);
    make_wallets(l); /* refused: the log is as long, and longer */
    expect_status(v, &q, JB_E_NOTFOUND, "a cursor of another history");
    jb_views_close(v);
    jb_close(l);
    free(rows.at);
    remove_scratch(dir);
}

/* ---- what it costs ---- */

#define BATCH 8192U

static void
fill(jb_ledger *l, unsigned long made, unsigned long events, unsigned long wallets)
{
    static struct jb_command c[BATCH];
    static char texts[BATCH][2][24];
    while (made < events) {
        unsigned n = 0;
        for (; n < BATCH && made < events; n++, made++) {
            const bool consume = made >= 2 * wallets;
            snprintf(texts[n][0], sizeof texts[n][0], "W%llu",
                     consume ? (unsigned long long)pick(wallets) : made / 2);
            snprintf(texts[n][1], sizeof texts[n][1], "I%lu", made);
            jb_command_begin(&c[n], consume         ? JB_OP_CONSUME
                                    : made % 2 == 0 ? JB_OP_WALLET_CREATE
                                                    : JB_OP_CHARGE);
            jb_set_wallet(&c[n], jb_text_of(texts[n][0]));
            if (!consume && made % 2 == 0) {
                jb_set_kind(&c[n], JB_KIND_PERSONAL);
                jb_set_name(&c[n], jb_text_of("name"));
                continue;
            }
            (consume ? jb_set_usage : jb_set_charge)(&c[n], jb_text_of(texts[n][1]));
            jb_set_amount(&c[n], consume ? 1 : 1000000);
        }
        submit(l, c, n);
    }
}

static double
seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool
count(void *data, const struct jb_feed_row *r)
{
    (void)r;
    ++*(unsigned long *)data;
    return true;
}

/* CPU of so many events behind `after`, in pages. */
static void
measure(jb_views *v, const char *what, jb_seq after, unsigned long events, uint32_t limit)
{
    unsigned long n = 0, pages = 0;
    struct jb_feed_page page = JB_SIZED(struct jb_feed_page);
    const double begin = seconds();
    page.through = after;
    do {
        const struct jb_feed_query q = query_after(page.through, limit);
        good(jb_feed_get(v, &q, count, &n, &page, &err), "a page");
        pages++;
    } while (page.more && n < events);
    const double taken = seconds() - begin;
    printf("%-52s %9lu events, %6lu pages: %8.2f us an event, %9.1f us a page\n", what, n, pages,
           taken * 1e6 / (double)n, taken * 1e6 / (double)pages);
}

/* A follower at the head, which takes what was written in each turn; ahead: another query has
 * brought the projections there before it. */
static void
measure_following(jb_ledger *l, jb_views *v, unsigned long made, unsigned long wallets,
                  unsigned turn, bool ahead)
{
    double spent = 0;
    unsigned long n = 0;
    struct jb_head head = JB_SIZED(struct jb_head);
    struct jb_feed_page page = JB_SIZED(struct jb_feed_page);
    good(jb_head_get(l, &head, &err), "the head");
    page.through = head.seq;
    for (unsigned i = 0; i < 100; i++) {
        fill(l, made + i * turn, made + (i + 1) * turn, wallets);
        if (ahead) {
            good(jb_views_sync(v, false, &err), "another query");
        }
        const double begin = seconds();
        const struct jb_feed_query q = query_after(page.through, 10000);
        good(jb_feed_get(v, &q, count, &n, &page, &err), "a page");
        spent += seconds() - begin;
    }
    must(n == 100UL * turn, "all that was written");
    printf("at the head, %4u events a page%-21s %9lu events: %8.2f us an event\n", turn,
           ahead ? ", others have asked" : "", n, spent * 1e6 / (double)n);
}

static void
measure_all(unsigned long events, unsigned long wallets)
{
    char dir[64], path[80];
    jb_ledger *l;
    jb_views *v, *other;
    struct jb_head head = JB_SIZED(struct jb_head);
    make_quick_scratch(dir, "feed");
    snprintf(path, sizeof path, "%s/l", dir);
    good(jb_init(path, NULL, &err), "a ledger");
    open_both(path, &l, &v);
    fill(l, 0, events, wallets);
    good(jb_head_get(l, &head, &err), "the head");
    const double begin = seconds();
    good(jb_views_sync(v, true, &err), "storing");
    printf("%lu events of %lu wallets; the projections took %.2f us an event\n", events, wallets,
           (seconds() - begin) * 1e6 / (double)events);
    measure(v, "from the middle, the first page", head.seq / 2, 1000, 1000);
    measure(v, "from the middle, on to the end", head.seq / 2 + 1000, ULONG_MAX, 1000);
    good(jb_views_open(l, &other, &err), "the projections once more");
    measure(other, "from the first event on", 0, ULONG_MAX, 1000);
    other = jb_views_close(other);
    measure_following(l, v, events, wallets, 1000, false);
    measure_following(l, v, events + 100000, wallets, 1000, true);
    measure_following(l, v, events + 200000, wallets, 1, false);
    jb_views_close(v);
    jb_close(l);
    remove_scratch(dir);
}

int
main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--measure") == 0) {
        measure_all(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
        return 0;
    }
    must(argc == 2, "usage: feed LEDGER | --live | --histories | --measure EVENTS WALLETS");
    if (strcmp(argv[1], "--live") == 0) {
        check_live();
    } else if (strcmp(argv[1], "--histories") == 0) {
        check_histories();
    } else {
        check_ledger(argv[1]);
    }
    return 0;
}

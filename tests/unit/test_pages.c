/*
 * Lists in pages: whatever their size, the pages of a list make up the same list; it stays as of
 * one moment while others write; a cursor is good for its own list only. What the rows say is
 * compared with a fold of the events that knows nothing of the library's.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <jangbu/projections.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "ledger/reader.h"
#include "projections/rows.h"

#include "../check.h"

#define WALLETS 3
#define IDS_MAX 400

static char dir[] = "/dev/shm/jangbu-pages-XXXXXX";
static jb_ledger *l;
static jb_views *v;
static jb_answers *answers;
static jb_instant clock_at;
static unsigned next_id;

static const char *const wallets[WALLETS + 1] = {"W0", "W1", "W2", "W3"};

/* ---- a ledger with something of everything ---- */

static jb_outcome
submit(struct jb_command *c)
{
    struct jb_submit_options o = {.size = sizeof o, .clock = JB_CLOCK_AT};
    struct jb_error err = {0};
    jb_set_clock(c, clock_at);
    must(jb_submit(l, c, 1, &o, answers, NULL, &err) == JB_OK, err.text);
    return jb_answers_at(answers, 0)->outcome;
}

static void
make_wallet(const char *id)
{
    struct jb_command c;
    jb_command_begin(&c, JB_OP_WALLET_CREATE);
    jb_set_wallet(&c, jb_text_of(id));
    jb_set_kind(&c, JB_KIND_BUSINESS);
    jb_set_name(&c, jb_text_of("n"));
    must(submit(&c) == JB_DONE, "no wallet");
}

/* A command of a random op; many are refused. */
static void
random_command(void)
{
    static const struct {
        jb_op op;
        char id; /* which kind of id, '-': none */
    } ops[] = {
        {JB_OP_CHARGE, 'c'},          {JB_OP_CHARGE, 'c'},         {JB_OP_CONSUME, 'u'},
        {JB_OP_CONSUME, 'u'},         {JB_OP_CONSUME, 'u'},        {JB_OP_CONSUME_REVERSE, 'u'},
        {JB_OP_CHARGE_REVERSE, 'c'},  {JB_OP_FREE_GRANT, 'g'},     {JB_OP_FREE_ACTIVATE, 'g'},
        {JB_OP_FREE_ACTIVATE, 'g'},   {JB_OP_FREE_REVOKE, 'g'},    {JB_OP_REFUND_REQUEST, 'r'},
        {JB_OP_REFUND_APPROVE, 'r'},  {JB_OP_REFUND_APPROVE, 'r'}, {JB_OP_REFUND_FAIL, 'r'},
        {JB_OP_REFUND_COMPLETE, 'r'}, {JB_OP_REFUND_CANCEL, 'r'},  {JB_OP_DEBT_REPAY, '-'},
    };
    const size_t which = pick(sizeof ops / sizeof ops[0]);
    const jb_op op = ops[which].op;
    char id[24], key[24];
    struct jb_command c;
    bool makes = op == JB_OP_CHARGE || op == JB_OP_FREE_GRANT || op == JB_OP_REFUND_REQUEST;
    snprintf(id, sizeof id, "%c%u", ops[which].id,
             makes ? next_id++ % IDS_MAX : (unsigned)pick(60));
    snprintf(key, sizeof key, "k%u", next_id++);
    jb_command_begin(&c, op);
    jb_set_wallet(&c, jb_text_of(wallets[pick(WALLETS)]));
    jb_set_key(&c, jb_text_of(key));
    struct jb_text t = jb_text_of(id);
    if (ops[which].id == 'c') {
        jb_set_charge(&c, t);
    } else if (ops[which].id == 'u') {
        jb_set_usage(&c, t);
    } else if (ops[which].id == 'g') {
        jb_set_grant(&c, t);
    } else if (ops[which].id == 'r') {
        jb_set_refund(&c, t);
    }
    if (op == JB_OP_CHARGE || op == JB_OP_DEBT_REPAY) {
        jb_set_amount(&c, 100 + (jb_amount)pick(500));
        if (op == JB_OP_CHARGE) {
            jb_set_method(&c, JB_METHOD_ADMIN_CASH);
        }
    } else if (op == JB_OP_CONSUME || op == JB_OP_CONSUME_REVERSE || op == JB_OP_CHARGE_REVERSE ||
               op == JB_OP_FREE_GRANT || op == JB_OP_REFUND_REQUEST) {
        jb_set_amount(&c, 1 + (jb_amount)pick(200));
    }
    if (op == JB_OP_CONSUME && pick(4) == 0) {
        jb_set_overdraft(&c, true);
    }
    if (op == JB_OP_FREE_GRANT) {
        jb_set_expires_on(&c, jb_day_of(clock_at, 32400) + (jb_day)pick(4));
    }
    (void)submit(&c);
    clock_at += (jb_instant)pick(4) * 600 * JB_US_PER_SECOND;
}

static jb_seq
head(void)
{
    struct jb_head h = JB_SIZED(struct jb_head);
    must(jb_head_get(l, &h, NULL) == JB_OK, "no head");
    return h.seq;
}

static void
open_ledger(void)
{
    struct jb_error err = {0};
    must(jb_open(dir, NULL, &l, &err) == JB_OK && jb_views_open(l, &v, &err) == JB_OK, err.text);
}

static int
set_up(void **state)
{
    (void)state;
    make_scratch(dir);
    must(jb_init(dir, NULL, NULL) == JB_OK, "init");
    answers = jb_answers_new();
    must(answers != NULL, "no memory");
    must(jb_instant_parse("2026-10-01T12:00:00+09:00", 25, &clock_at), "an instant");
    open_ledger();
    for (unsigned i = 0; i < WALLETS; i++) {
        make_wallet(wallets[i]);
    }
    for (unsigned i = 0; i < 750; i++) {
        random_command();
    }
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    jb_views_close(v);
    jb_close(l);
    jb_answers_free(answers);
    remove_scratch(dir);
    return 0;
}

/* ---- the lists ---- */

enum kind {
    WALLET_LIST,
    LOTS,
    GRANTS,
    REFUNDS,
    EVENTS,
    REFUSED,
    HISTORY,
    FIND,
    WALLETS_FOUND,
    HISTORY_FOUND
};

struct list {
    enum kind kind;
    const char *wallet;
    jb_which which;
    jb_history_kind history;
    struct jb_events_query query;
    const char *text; /* of FIND */
    struct jb_wallets_query wallets;
    struct jb_history_query found;
};

struct text {
    char *at;
    size_t n, cap;
    unsigned rows;
    unsigned until; /* rows after which each has enough; 0: never */
};

static bool add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool
add(struct text *t, const char *format, ...)
{
    va_list args;
    if (t->cap < t->n + 400) {
        t->cap = 2 * t->cap + 400;
        t->at = realloc(t->at, t->cap);
        must(t->at != NULL, "no memory");
    }
    va_start(args, format);
    t->n += (size_t)vsnprintf(t->at + t->n, 400, format, args);
    va_end(args);
    t->rows++;
    return t->until == 0 || t->rows < t->until;
}

static bool
each_wallet(void *data, const struct jb_wallet_balance *b)
{
    return add(data, "%u %s %lld %lld %lld %lld %lld %u %llu\n", b->number, b->wallet,
               (long long)b->balance.paid, (long long)b->balance.free,
               (long long)b->balance.free_dormant, (long long)b->balance.refund_pending,
               (long long)b->balance.refund_in_transit, b->balance.status,
               (unsigned long long)b->balance.version);
}

static bool
each_lot(void *data, const struct jb_lot_row *r)
{
    return add(data, "%llu %u %lld %lld %lld %lld\n", (unsigned long long)r->event->seq, r->number,
               (long long)r->amount, (long long)r->left, (long long)r->reversed,
               (long long)r->refunded);
}

static bool
each_grant(void *data, const struct jb_grant_row *r)
{
    return add(data, "%llu %u %d %lld %lld %d %d\n", (unsigned long long)r->event->seq, r->number,
               (int)r->state, (long long)r->amount, (long long)r->left, r->expires_on, r->due);
}

static bool
each_refund(void *data, const struct jb_refund_row *r)
{
    return add(data, "%llu %u %d %lld\n", (unsigned long long)r->event->seq, r->number,
               (int)r->state, (long long)r->amount);
}

/* No event of a list stands behind it. */
static jb_seq newest_listed = UINT64_MAX;

static bool
each_event(void *data, const struct jb_event *e)
{
    must(e->seq <= newest_listed, "an event behind the list's moment");
    return add(data, "%llu %u\n", (unsigned long long)e->seq, e->type);
}

static bool
each_history(void *data, const struct jb_history_row *r)
{
    must(r->event->seq <= newest_listed, "an event behind the list's moment");
    return add(data, "%llu %lld %lld\n", (unsigned long long)r->event->seq, (long long)r->effect,
               (long long)r->balance);
}

static bool
each_found(void *data, const struct jb_find_row *r)
{
    char what[200] = "";
    must(r->event->seq <= newest_listed, "an event behind the list's moment");
    for (uint32_t i = 0; i < r->what_n; i++) {
        snprintf(what + strlen(what), sizeof what - strlen(what), " %s", r->what[i]);
    }
    return add(data, "%llu %u %.*s%s\n", (unsigned long long)r->event->seq, r->wallet,
               (int)r->wallet_id.n, r->wallet_id.s != NULL ? r->wallet_id.s : "", what);
}

static bool
each_wallet_found(void *data, const struct jb_wallet_row *w)
{
    must(w->kind == JB_KIND_BUSINESS && w->name != 0 && w->master == 0, "what a wallet is");
    return each_wallet(data, w->balance);
}

static jb_status
get(const struct list *list, const struct jb_as_of *as_of, const char *cursor, uint32_t limit,
    struct text *t, char *next, struct jb_moment *m, struct jb_error *err)
{
    const struct jb_text w = jb_text_of(list->wallet);
    struct jb_events_query q = list->query;
    struct jb_wallets_query wq = list->wallets;
    struct jb_history_query hq = list->found;
    q.size = sizeof q;
    q.wallet = w;
    wq.size = sizeof wq;
    hq.size = sizeof hq;
    hq.wallet = w;
    switch (list->kind) {
    case WALLET_LIST:
        return jb_wallets_get(v, as_of, cursor, limit, each_wallet, t, next, m, err);
    case LOTS:
        return jb_lots_get(v, w, list->which, as_of, cursor, limit, each_lot, t, next, m, err);
    case GRANTS:
        return jb_grants_get(v, w, list->which, as_of, cursor, limit, each_grant, t, next, m, err);
    case REFUNDS:
        return jb_refunds_get(v, w, list->which, as_of, cursor, limit, each_refund, t, next, m,
                              err);
    case EVENTS:
        return jb_events_get(v, &q, as_of, cursor, limit, each_event, t, next, m, err);
    case REFUSED:
        return jb_refused_get(v, w, as_of, cursor, limit, each_event, t, next, m, err);
    case HISTORY:
        return jb_history_get(v, w, list->history, as_of, cursor, limit, each_history, t, next, m,
                              err);
    case FIND:
        return jb_find_get(v, jb_text_of(list->text), as_of, cursor, limit, each_found, t, next, m,
                           err);
    case WALLETS_FOUND:
        return jb_wallets_find(v, &wq, as_of, cursor, limit, each_wallet_found, t, next, m, err);
    case HISTORY_FOUND:
        return jb_history_find(v, &hq, as_of, cursor, limit, each_history, t, next, m, err);
    }
    return JB_E_USAGE;
}

static bool
has_wallet(const struct list *list)
{
    return list->kind != WALLET_LIST && list->kind != FIND && list->kind != WALLETS_FOUND;
}

/* All pages of a list, one after the other. between: is called between two of them. */
static struct text
whole(const struct list *list, const struct jb_as_of *as_of, uint32_t limit, unsigned until,
      void (*between)(void), struct jb_moment *ret_moment)
{
    struct text t = {0};
    struct jb_error err = {0};
    char next[JB_CURSOR_TEXT_BYTES] = "";
    struct jb_moment m, first = {0};
    for (unsigned pages = 0; pages == 0 || next[0] != '\0'; pages++) {
        unsigned before = t.rows;
        t.until = until != 0 ? t.rows + until : 0;
        must(get(list, pages == 0 ? as_of : NULL, next, limit, &t, next, &m, &err) == JB_OK,
             err.text);
        must(t.rows - before <= limit, "a page has more rows than were asked for");
        first = pages == 0 ? m : first;
        must(m.seq == first.seq && m.at == first.at, "the moment of a list moved");
        if (between != NULL) {
            between();
        }
    }
    if (ret_moment != NULL) {
        *ret_moment = first;
    }
    add(&t, "."); /* so that there is a text */
    return t;
}

static const uint32_t rare[] = {JB_EV_FREE_REVOKED, JB_EV_WALLET_CREATED, JB_EV_DAY_CLOSED};
static const uint32_t common[] = {JB_EV_CASH_CONSUMED, JB_EV_CHARGE_SETTLED};
static jb_instant early, late;
static const jb_amount little = 50, much = 150, nothing = 0;

#define LISTS_MAX 64
static struct list lists[LISTS_MAX];
static size_t lists_n;

static void
push(struct list list)
{
    must(lists_n < LISTS_MAX, "too many lists");
    lists[lists_n++] = list;
}

static void
make_lists(void)
{
    lists_n = 0;
    early = clock_at - 9 * JB_US_PER_DAY;
    late = clock_at - 2 * JB_US_PER_DAY;
    push((struct list){.kind = WALLET_LIST});
    push((struct list){.kind = FIND, .text = "u5"});
    push((struct list){.kind = FIND, .text = "c1"});
    push((struct list){.kind = FIND, .text = "W2"});
    push((struct list){.kind = WALLETS_FOUND});
    push((struct list){.kind = WALLETS_FOUND, .wallets = {.total_min = &nothing}});
    push((struct list){.kind = WALLETS_FOUND, .wallets = {.name = {"n", 1}, .kinds = 4}});
    push((struct list){.kind = WALLETS_FOUND, .wallets = {.statuses = 2, .used_since = &early}});
    for (int order = 0; order < 2; order++) {
        const jb_order o = (jb_order)order;
        push((struct list){
            .kind = HISTORY_FOUND, .wallet = "W1", .found = {.order = o, .amount_min = &little}});
        push((struct list){.kind = HISTORY_FOUND,
                           .wallet = "W1",
                           .found = {.order = o,
                                     .types = common,
                                     .types_n = 2,
                                     .amount_min = &little,
                                     .amount_max = &much}});
        push((struct list){.kind = HISTORY_FOUND,
                           .wallet = "W0",
                           .found = {.order = o, .since = &early, .until = &late}});
        push((struct list){
            .kind = HISTORY_FOUND,
            .wallet = "W0",
            .found = {.order = o, .kind = JB_HISTORY_CONSUMPTION, .first = 100, .last = 600}});
    }
    for (int which = 0; which < 2; which++) {
        push((struct list){LOTS, .wallet = "W1", .which = (jb_which)which});
        push((struct list){GRANTS, .wallet = "W1", .which = (jb_which)which});
        push((struct list){REFUNDS, .wallet = "W1", .which = (jb_which)which});
        for (int of_wallet = 0; of_wallet < 2; of_wallet++) {
            const char *w = of_wallet ? "W0" : NULL;
            struct jb_events_query q = {.order = (jb_order)which};
            push((struct list){EVENTS, .wallet = w, .query = q});
            q.types = rare;
            q.types_n = 3;
            push((struct list){EVENTS, .wallet = w, .query = q});
            q.types = common;
            q.types_n = 2;
            q.first = 30;
            q.last = 500;
            push((struct list){EVENTS, .wallet = w, .query = q});
            q = (struct jb_events_query){.order = (jb_order)which, .since = &early, .until = &late};
            push((struct list){EVENTS, .wallet = w, .query = q});
        }
    }
    push((struct list){REFUSED, .wallet = "W2"});
    push((struct list){HISTORY, .wallet = "W2"});
    push((struct list){HISTORY, .wallet = "W2", .history = JB_HISTORY_REFUND});
}

/* ---- tests ---- */

static void
the_same_whatever_the_size(void **state)
{
    (void)state;
    make_lists();
    struct jb_as_of then = {.kind = JB_AS_OF_SEQ, .seq = head() * 2 / 3};
    struct jb_as_of day = {.kind = JB_AS_OF_DAY, .day = jb_day_of(clock_at, 32400) - 3};
    struct jb_as_of time = {.kind = JB_AS_OF_TIME, .time = clock_at - 2 * JB_US_PER_DAY};
    const struct jb_as_of *moments[] = {NULL, &then, &day, &time};
    static const uint32_t sizes[] = {1, 2, 7, 10000};
    for (size_t i = 0; i < lists_n; i++) {
        for (size_t m = 0; m < 4; m++) {
            struct text right = whole(&lists[i], moments[m], 1000, 0, NULL, NULL);
            for (size_t s = 0; s < 4; s++) {
                struct text t = whole(&lists[i], moments[m], sizes[s], 0, NULL, NULL);
                assert_string_equal(t.at, right.at);
                free(t.at);
            }
            struct text t = whole(&lists[i], moments[m], 1000, 3, NULL, NULL);
            assert_string_equal(t.at, right.at); /* each has enough after three rows */
            free(t.at);
            free(right.at);
        }
    }
}

static void
go_on(void)
{
    for (int i = 0; i < 2; i++) {
        random_command();
    }
    static unsigned count;
    if (++count % 40 == 0) { /* from the stores, too */
        struct jb_error err;
        must(jb_views_sync(v, true, &err) == JB_OK, err.text);
        jb_views_close(v);
        jb_close(l);
        open_ledger();
    }
}

static void
of_one_moment_while_others_write(void **state)
{
    (void)state;
    make_lists();
    for (size_t i = 0; i < lists_n; i++) {
        struct jb_moment m;
        struct text right = whole(&lists[i], NULL, 1000, 0, NULL, NULL);
        struct text t = whole(&lists[i], NULL, 3, 0, go_on, &m);
        assert_string_equal(t.at, right.at);
        struct jb_as_of then = {.kind = JB_AS_OF_SEQ, .seq = m.seq};
        free(t.at);
        if (lists[i].kind != WALLET_LIST && lists[i].kind != WALLETS_FOUND &&
            lists[i].kind != GRANTS) { /* without deadlines */
            t = whole(&lists[i], &then, 5, 0, go_on, NULL);
            assert_string_equal(t.at, right.at);
            free(t.at);
        }
        free(right.at);
    }
}

static int
backwards(const char *a, const char *b)
{
    /* The lines of b, last one first. */
    size_t end = strlen(b);
    must(end > 0 && b[end - 1] == '.', "no text");
    end--;
    while (end > 0) {
        size_t begin = end - 1;
        while (begin > 0 && b[begin - 1] != '\n') {
            begin--;
        }
        if (strncmp(a, b + begin, end - begin) != 0) {
            return 1;
        }
        a += end - begin;
        end = begin;
    }
    return strcmp(a, ".");
}

static void
directions_are_reverses(void **state)
{
    (void)state;
    make_lists();
    for (size_t i = 0; i < lists_n; i++) {
        if (lists[i].kind == EVENTS || lists[i].kind == HISTORY_FOUND) {
            struct list other = lists[i];
            jb_order *order = other.kind == EVENTS ? &other.query.order : &other.found.order;
            *order = *order == JB_OLDEST_FIRST ? JB_NEWEST_FIRST : JB_OLDEST_FIRST;
            struct text a = whole(&lists[i], NULL, 11, 0, NULL, NULL);
            struct text b = whole(&other, NULL, 7, 0, NULL, NULL);
            assert_int_equal(backwards(a.at, b.at), 0);
            assert_true(a.rows > 1);
            free(a.at);
            free(b.at);
        }
    }
}

static void
a_cursor_is_of_its_list(void **state)
{
    (void)state;
    char cursors[LISTS_MAX][JB_CURSOR_TEXT_BYTES], next[JB_CURSOR_TEXT_BYTES];
    struct jb_error err;
    struct text t = {0};
    make_lists();
    for (size_t i = 0; i < lists_n; i++) {
        must(get(&lists[i], NULL, NULL, 1, &t, cursors[i], NULL, &err) == JB_OK, err.text);
    }
    for (size_t i = 0; i < lists_n; i++) {
        for (size_t k = 0; k < lists_n && cursors[i][0] != '\0'; k++) {
            jb_status status = get(&lists[k], NULL, cursors[i], 1, &t, next, NULL, &err);
            assert_int_equal(status, i == k ? JB_OK : JB_E_USAGE);
        }
        struct list other = lists[i];
        other.wallet = other.wallet != NULL && strcmp(other.wallet, "W0") == 0 ? "W1" : "W0";
        if (cursors[i][0] != '\0' && has_wallet(&other)) {
            assert_int_equal(get(&other, NULL, cursors[i], 1, &t, next, NULL, &err), JB_E_USAGE);
        }
        size_t n = strlen(cursors[i]);
        for (size_t at = 0; at < n; at++) {
            char altered[JB_CURSOR_TEXT_BYTES];
            strcpy(altered, cursors[i]);
            altered[at] = altered[at] == '0' ? '1' : '0';
            assert_int_equal(get(&lists[i], NULL, altered, 1, &t, next, NULL, &err), JB_E_USAGE);
            altered[at] = '\0';
            assert_int_equal(get(&lists[i], NULL, altered, 1, &t, next, NULL, &err),
                             at == 0 ? JB_OK : JB_E_USAGE);
        }
    }
    static const uint32_t limits[] = {0, JB_PAGE_ROWS_MAX + 1, UINT32_MAX};
    for (size_t i = 0; i < lists_n; i++) {
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(get(&lists[i], NULL, NULL, limits[k], &t, next, NULL, &err),
                             JB_E_USAGE);
        }
    }
    free(t.at);
}

static void
of_another_ledger(void **state)
{
    (void)state;
    char cursors[LISTS_MAX][JB_CURSOR_TEXT_BYTES], next[JB_CURSOR_TEXT_BYTES];
    char other_dir[] = "/dev/shm/jangbu-pages-XXXXXX";
    struct jb_error err;
    struct text t = {0};
    jb_ledger *mine = l;
    jb_views *my_views = v;
    make_lists();
    for (size_t i = 0; i < lists_n; i++) {
        must(get(&lists[i], NULL, NULL, 1, &t, cursors[i], NULL, &err) == JB_OK, err.text);
    }
    make_scratch(other_dir);
    must(jb_init(other_dir, NULL, NULL) == JB_OK, "init");
    must(jb_open(other_dir, NULL, &l, &err) == JB_OK && jb_views_open(l, &v, &err) == JB_OK,
         err.text);
    for (unsigned i = 0; i < WALLETS; i++) {
        make_wallet(wallets[i]);
    }
    for (size_t i = 0; i < lists_n; i++) {
        if (cursors[i][0] != '\0') {
            assert_int_equal(get(&lists[i], NULL, cursors[i], 1, &t, next, NULL, &err), JB_E_USAGE);
        }
    }
    jb_views_close(v);
    jb_close(l);
    remove_scratch(other_dir);
    l = mine;
    v = my_views;
    free(t.at);
}

static void
put(uint8_t *p, unsigned bytes, uint64_t value)
{
    for (unsigned i = bytes; i-- > 0; value >>= 8) {
        p[i] = (uint8_t)value;
    }
}

/* A number that a cursor could have, or one at an edge. */
static uint64_t
odd_number(uint64_t usual)
{
    const uint64_t odd[] = {
        usual,          usual + 1,      0, 1, UINT32_MAX, INT64_MAX, (uint64_t)1 << 63, UINT64_MAX,
        UINT64_MAX - 1, pick(usual + 9)};
    return odd[pick(sizeof odd / sizeof odd[0])];
}

/* A check is no secret: whoever makes up a cursor gets rows or a refusal, and nothing else. */
static void
cursors_made_up(void **state)
{
    (void)state;
    struct jb_ledger_info info = JB_SIZED(struct jb_ledger_info);
    struct jb_error err;
    struct text t = {0};
    uint32_t number;
    unsigned answered = 0;
    must(jb_info_get(l, &info, &err) == JB_OK &&
             jb_wallet_number(l, jb_text_of("W1"), &number, &err) == JB_OK,
         err.text);
    static const uint8_t numbers[] = {
        [WALLET_LIST] = 3, [LOTS] = 4,    [GRANTS] = 5,  [REFUNDS] = 6,
        [EVENTS] = 7,      [REFUSED] = 2, [HISTORY] = 1, [FIND] = 8};
    for (unsigned i = 0; i < SHARE(28000); i++) {
        const enum kind kinds[] = {WALLET_LIST, LOTS, GRANTS, REFUNDS, HISTORY, FIND, REFUSED};
        const enum kind kind = kinds[i % 7];
        uint8_t bytes[16 + 4 + 4 + 8 + 45 + 8] = {0};
        char cursor[JB_CURSOR_TEXT_BYTES], next[JB_CURSOR_TEXT_BYTES] = "";
        memcpy(bytes, info.ledger_id, 16);
        put(bytes + 16, 4, numbers[kind]);
        put(bytes + 20, 4, kind == WALLET_LIST || kind == FIND || kind == REFUSED ? 0 : number);
        put(bytes + 24, 8,
            kind == FIND      ? XXH3_64bits("u5", 2)
            : kind == REFUSED ? XXH3_64bits("W1", 2)
                              : 0);
        /* Half of them in the midst of the log: much lies behind. */
        const uint64_t moment = i % 2 == 0 ? 1 + pick(head()) : odd_number(head());
        uint8_t chain[16] = {0};
        (void)jb_chain_of(l, moment, chain, NULL); /* whoever has the log has that, too */
        bytes[32] = 1;
        put(bytes + 33, 8, pick(3) == 0 ? moment + 2 + pick(9) : odd_number(3));
        put(bytes + 41, 8, odd_number(100));
        put(bytes + 49, 8, moment);
        put(bytes + 57, 8, odd_number((uint64_t)clock_at));
        put(bytes + 65, 4, pick(3) != 0 ? 0 : odd_number(20000) ^ 0x80000000U);
        memcpy(bytes + 69, chain, 8);
        put(bytes + 77, 8, XXH3_64bits(bytes, 77));
        for (size_t k = 0; k < 53; k++) {
            snprintf(cursor + 2 * k, 3, "%02x", bytes[32 + k]);
        }
        struct list list = {.kind = kind, .text = "u5", .wallet = "W1"};
        list.wallet = has_wallet(&list) ? list.wallet : NULL;
        newest_listed = moment;
        jb_status status = get(&list, NULL, cursor, 3, &t, next, NULL, &err);
        assert_true(status == JB_OK || status == JB_E_USAGE || status == JB_E_NOTFOUND);
        answered += status == JB_OK;
        t.n = 0;
    }
    newest_listed = UINT64_MAX;
    assert_true(answered > 500);
    free(t.at);
}

static jb_status
first_and_next(const char *of, const char *cursor, char *next, struct jb_error *err)
{
    jb_ledger *other = NULL;
    jb_views *views = NULL;
    struct jb_open_options o = {.size = sizeof o, .accept_rollback = 1};
    struct text t = {0};
    must(jb_open(of, &o, &other, err) == JB_OK && jb_views_open(other, &views, err) == JB_OK,
         err->text);
    jb_status status = jb_wallets_get(views, NULL, cursor, 1, each_wallet, &t, next, NULL, err);
    free(t.at);
    jb_views_close(views);
    jb_close(other);
    return status;
}

/* A log that was put back and went on otherwise is another one, though its numbers are the same. */
static void
of_another_history(void **state)
{
    (void)state;
    char work[64] = "/tmp/jangbu-pages-XXXXXX", one[96], two[96], next[JB_CURSOR_TEXT_BYTES];
    struct jb_error err;
    make_scratch(work);
    snprintf(one, sizeof one, "%s/one", work);
    snprintf(two, sizeof two, "%s/two", work);
    must(jb_backup(l, one, NULL, NULL, &err) == JB_OK &&
             jb_backup(l, two, NULL, NULL, &err) == JB_OK,
         err.text);
    const char *const ways[2] = {one, two};
    for (int i = 0; i < 2; i++) {
        jb_ledger *other;
        jb_answers *set = jb_answers_new();
        struct jb_command c;
        must(jb_open(ways[i], NULL, &other, &err) == JB_OK, err.text);
        jb_command_begin(&c, JB_OP_WALLET_CREATE);
        jb_set_wallet(&c, jb_text_of(i == 0 ? "X" : "Y"));
        jb_set_kind(&c, JB_KIND_BUSINESS);
        jb_set_name(&c, jb_text_of("n"));
        jb_set_clock(&c, clock_at);
        const struct jb_submit_options at = {.size = sizeof at, .clock = JB_CLOCK_AT};
        must(jb_submit(other, &c, 1, &at, set, NULL, &err) == JB_OK &&
                 jb_answers_at(set, 0)->outcome == JB_DONE,
             err.text);
        jb_answers_free(set);
        jb_close(other);
    }
    assert_int_equal(first_and_next(one, NULL, next, &err), JB_OK);
    assert_int_not_equal(next[0], '\0');
    char again[JB_CURSOR_TEXT_BYTES];
    strcpy(again, next);
    assert_int_equal(first_and_next(one, again, again, &err), JB_OK);
    assert_int_equal(first_and_next(two, next, next, &err), JB_E_NOTFOUND);
    assert_non_null(strstr(err.text, "another history"));
    remove_scratch(work);
}

static void
questions_that_are_none(void **state)
{
    (void)state;
    struct jb_error err;
    struct text t = {0};
    char next[JB_CURSOR_TEXT_BYTES];
    const uint32_t unknown[] = {JB_EV_TYPES};
    const jb_instant never = JB_INSTANT_MAX + 1;
    struct jb_events_query queries[] = {
        {.types = common},      {.types_n = 1},    {.types = unknown, .types_n = 1},
        {.order = (jb_order)2}, {.since = &never}, {.until = &never}};
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct list list = {.kind = EVENTS, .query = queries[i]};
        assert_int_equal(get(&list, NULL, NULL, 1, &t, next, NULL, &err), JB_E_USAGE);
    }
    struct list list = {.kind = LOTS, .wallet = "W1", .which = (jb_which)2};
    assert_int_equal(get(&list, NULL, NULL, 1, &t, next, NULL, &err), JB_E_USAGE);
    struct jb_as_of first = {.kind = JB_AS_OF_SEQ, .seq = 1};
    for (int kind = LOTS; kind <= HISTORY; kind++) {
        list = (struct list){.kind = (enum kind)kind, .wallet = "nobody"};
        jb_status right = kind == REFUSED ? JB_OK : JB_E_NOTFOUND;
        assert_int_equal(get(&list, NULL, NULL, 1, &t, next, NULL, &err), right);
        list.wallet = "W1";
        assert_int_equal(get(&list, &first, NULL, 1, &t, next, NULL, &err), right);
    }
    list = (struct list){.kind = WALLET_LIST};
    t.rows = 0;
    assert_int_equal(get(&list, &first, NULL, 1, &t, next, NULL, &err), JB_OK);
    assert_true(t.rows == 0 && next[0] == '\0');
    free(t.at);
}

/* ---- what is found is what a look at every event finds ---- */

/* The texts of an event that these commands give. */
static unsigned
texts_of(const struct jb_event *e, struct jb_text out[4])
{
    unsigned n = 0;
    struct jb_text all[4] = {(e->flags & JB_EVF_KEY) != 0 ? e->key : (struct jb_text){NULL, 0},
                             jb_event_own_id(e)};
    if (e->type == JB_EV_COMMAND_REFUSED) {
        all[1] = e->command_refused.id;
    } else if (e->type == JB_EV_WALLET_CREATED) {
        all[1] = e->wallet_created.id;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (all[i].s != NULL && all[i].n > 0) {
            out[n++] = all[i];
        }
    }
    return n;
}

static bool
has_text(const struct jb_event *e, const char *text)
{
    struct jb_text all[4];
    bool has = false;
    for (unsigned i = 0, n = texts_of(e, all); i < n; i++) {
        has |= all[i].n == strlen(text) && memcmp(all[i].s, text, all[i].n) == 0;
    }
    return has;
}

static bool
each_found_seq(void *data, const struct jb_find_row *r)
{
    return add(data, "%llu\n", (unsigned long long)r->event->seq);
}

static void
must_find(const char *text, uint32_t limit)
{
    jb_cursor *c;
    struct jb_error err;
    const struct jb_event *e;
    struct text right = {0}, t = {0};
    char next[JB_CURSOR_TEXT_BYTES] = "";
    must(jb_cursor_open(l, 1, &c, &err) == JB_OK, err.text);
    for (jb_seq seq = head(); seq > 0; seq--) {
        must(jb_cursor_at(c, seq, &e, &err) == JB_OK, err.text);
        if (has_text(e, text)) {
            add(&right, "%llu\n", (unsigned long long)seq);
        }
    }
    jb_cursor_close(c);
    do {
        must(jb_find_get(v, jb_text_of(text), NULL, next, limit, each_found_seq, &t, next, NULL,
                         &err) == JB_OK,
             err.text);
    } while (next[0] != '\0');
    add(&right, ".");
    add(&t, ".");
    assert_string_equal(t.at, right.at);
    free(right.at);
    free(t.at);
}

static void
use(const char *usage, const char *key)
{
    struct jb_command c;
    jb_command_begin(&c, JB_OP_CONSUME);
    jb_set_wallet(&c, jb_text_of("W1"));
    jb_set_key(&c, jb_text_of(key));
    jb_set_usage(&c, jb_text_of(usage));
    jb_set_amount(&c, 1);
    jb_set_overdraft(&c, true);
    must(submit(&c) == JB_DONE, "not used");
}

/* One usage as often as two chunks of a bucket hold, and more. */
static void
use_often(const char *usage, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        char key[24];
        snprintf(key, sizeof key, "often%u", next_id++);
        use(usage, key);
    }
}

static uint64_t
bucket_of(const char *text)
{
    return jb_text_hash(jb_text_of(text)) >> JB_TEXT_REST_BITS;
}

/* A usage under a key that is of the same bucket of the table of texts. */
static void
use_with_neighbour(const char *usage, char key[24])
{
    unsigned i = 0;
    do {
        snprintf(key, 24, "neighbour%u", i++);
    } while (bucket_of(key) != bucket_of(usage));
    use(usage, key);
}

static void
found_is_what_is_there(void **state)
{
    (void)state;
    struct jb_error err;
    char neighbour[24];
    use_with_neighbour("with-neighbour", neighbour);
    use_often("often", 700);
    for (int stored = 0; stored < 3; stored++) {
        char text[24];
        for (unsigned i = 0; i < SHARE(120); i++) {
            snprintf(text, sizeof text, "%c%u", "cugrk"[i % 5], i % 5 == 4 ? i * 7 : i);
            must_find(text, 1 + i % 9);
        }
        must_find("often", 3);
        must_find("often", 1000);
        must_find("W0", 100);
        must_find("with-neighbour", 100);
        must_find(neighbour, 100);
        must_find("nothing that there is", 100);
        if (stored == 0) {
            must(jb_views_sync(v, true, &err) == JB_OK, err.text);
        } else if (stored == 1) {
            use_often("often", 300); /* some of it stored, some in memory */
        }
    }
    must(jb_views_sync(v, true, &err) == JB_OK, err.text);
    must_find("often", 7);
    assert_int_equal(
        jb_find_get(v, jb_text_of(""), NULL, NULL, 1, each_found, NULL, NULL, NULL, &err),
        JB_E_USAGE);
}

static bool
each_total(void *data, const struct jb_wallet_row *w)
{
    const jb_amount *bounds = data;
    must(w->balance->balance.total >= bounds[0] && w->balance->balance.total <= bounds[1],
         "a wallet outside the bounds");
    return true;
}

static bool
count_wallet(void *data, const struct jb_wallet_row *w)
{
    (void)w;
    ++*(unsigned *)data;
    return true;
}

static unsigned
wallets_of(struct jb_wallets_query q)
{
    unsigned n = 0;
    struct jb_error err;
    q.size = sizeof q;
    must(jb_wallets_find(v, &q, NULL, NULL, 100, count_wallet, &n, NULL, NULL, &err) == JB_OK,
         err.text);
    return n;
}

static void
wallets_by_what_they_are(void **state)
{
    (void)state;
    struct jb_error err;
    const jb_amount bounds[2] = {-200, 5000};
    const jb_instant first = JB_INSTANT_MIN, last = JB_INSTANT_MAX;
    struct jb_wallets_query q = {
        .size = sizeof q, .total_min = &bounds[0], .total_max = &bounds[1]};
    jb_amount given[2] = {bounds[0], bounds[1]};
    must(jb_wallets_find(v, &q, NULL, NULL, 9, each_total, given, NULL, NULL, &err) == JB_OK,
         err.text);
    assert_int_equal(wallets_of((struct jb_wallets_query){0}), WALLETS);
    assert_int_equal(wallets_of((struct jb_wallets_query){.kinds = 1U << JB_KIND_BUSINESS}),
                     WALLETS);
    assert_int_equal(wallets_of((struct jb_wallets_query){.kinds = 1U << JB_KIND_PERSONAL}), 0);
    assert_int_equal(wallets_of((struct jb_wallets_query){.name = {"n", 1}}), WALLETS);
    assert_int_equal(wallets_of((struct jb_wallets_query){.name = {"nn", 2}}), 0);
    assert_int_equal(wallets_of((struct jb_wallets_query){.master = {"nobody", 6}}), 0);
    assert_int_equal(wallets_of((struct jb_wallets_query){.used_since = &first}), WALLETS);
    assert_int_equal(wallets_of((struct jb_wallets_query){.used_before = &first}), 0);
    assert_int_equal(wallets_of((struct jb_wallets_query){.used_since = &last}), 0);
    assert_int_equal(wallets_of((struct jb_wallets_query){.used_before = &last}), WALLETS);
    assert_int_equal(wallets_of((struct jb_wallets_query){.statuses = 1U << JB_WALLET_DELETED}), 0);
    for (uint32_t i = 0; i < 32; i++) {
        const struct jb_wallets_query of_status = {.size = sizeof q, .statuses = 1U << i};
        const struct jb_wallets_query of_kind = {.size = sizeof q, .kinds = 1U << i};
        unsigned n = 0;
        const bool is_status = i >= JB_WALLET_ACTIVE && i <= JB_WALLET_DELETED;
        const bool is_kind = i >= JB_KIND_PERSONAL && i <= JB_KIND_OVERSEAS;
        assert_int_equal(
            jb_wallets_find(v, &of_status, NULL, NULL, 9, count_wallet, &n, NULL, NULL, &err),
            is_status ? JB_OK : JB_E_USAGE);
        assert_int_equal(
            jb_wallets_find(v, &of_kind, NULL, NULL, 9, count_wallet, &n, NULL, NULL, &err),
            is_kind ? JB_OK : JB_E_USAGE);
    }
}

static bool
any_history(void *data, const struct jb_history_row *row)
{
    (void)data;
    (void)row;
    return true;
}

/* A text without s is none, whatever its n; what is reserved is 0; the earlier of two moments is
 * not the later one, though nothing came between them. */
static void
queries_that_are_half_set(void **state)
{
    (void)state;
    struct jb_error err;
    struct jb_change *change;
    char next[JB_CURSOR_TEXT_BYTES];
    unsigned n = 0;
    struct jb_wallets_query plain = {.size = sizeof plain}, half = plain;
    half.name.n = half.master.n = 40;
    assert_int_equal(wallets_of(half), WALLETS);
    must(jb_wallets_find(v, &half, NULL, NULL, 1, count_wallet, &n, next, NULL, &err) == JB_OK,
         err.text);
    must(jb_wallets_find(v, &plain, NULL, next, 1, count_wallet, &n, next, NULL, &err) == JB_OK,
         err.text);
    struct jb_history_query h = {.size = sizeof h, .wallet = jb_text_of("W1"), .reserved = 1};
    assert_int_equal(jb_history_find(v, &h, NULL, NULL, 1, any_history, NULL, NULL, NULL, &err),
                     JB_E_USAGE);
    const struct jb_as_of first = {.kind = JB_AS_OF_SEQ, .seq = 3};
    struct jb_change_query c = {
        .size = sizeof c, .wallet = jb_text_of("W1"), .kind = JB_CHANGE_MOMENTS, .since = &first};
    must(jb_change_get(v, &c, NULL, &change, &err) == JB_OK, err.text);
    jb_change_free(change);
    c.reserved = 1;
    assert_int_equal(jb_change_get(v, &c, NULL, &change, &err), JB_E_USAGE);
    c.reserved = 0;
    struct jb_head head = JB_SIZED(struct jb_head);
    must(jb_head_get(l, &head, &err) == JB_OK, err.text);
    const struct jb_as_of later = {.kind = JB_AS_OF_TIME, .time = head.recorded_at - 1};
    struct jb_as_of last = {.kind = JB_AS_OF_SEQ};
    struct jb_moment at;
    must(jb_moment_resolve(v, &later, &at, &err) == JB_OK, err.text);
    last.seq = at.seq;
    must(jb_moment_resolve(v, &last, &at, &err) == JB_OK, err.text);
    assert_true(at.at < later.time);
    c.since = &later;
    assert_int_equal(jb_change_get(v, &c, &last, &change, &err), JB_E_USAGE);
}

/* ---- the figures, by a fold of their own ---- */

struct held {
    jb_seq seq;
    jb_amount amount, left, reversed, refunded;
    uint32_t state;
    jb_day expires_on;
    struct jb_part legs[200];
    uint32_t legs_n;
};
static struct held lots[IDS_MAX * 3], grants[IDS_MAX * 3], refunds[IDS_MAX * 3];
static uint32_t lots_n, grants_n, refunds_n;

static void
move_parts(const struct jb_event *e, int sign)
{
    struct jb_parts parts = jb_event_parts(e);
    for (uint32_t i = 0; i < parts.n; i++) {
        const struct jb_part *p = &parts.at[i];
        if (p->kind == JB_PART_LOT) {
            lots[p->ordinal].left += sign * p->amount;
        } else if (p->kind == JB_PART_GRANT) {
            grants[p->ordinal].left += sign * p->amount;
        }
    }
}

static void
refunded(const struct held *r, int sign)
{
    for (uint32_t i = 0; i < r->legs_n; i++) {
        lots[r->legs[i].ordinal].refunded += sign * r->legs[i].amount;
    }
}

static void
fold_refund(const struct jb_event *e)
{
    struct held *r = &refunds[jb_event_ordinal(e)];
    if (e->type == JB_EV_REFUND_REQUESTED) {
        refunds_n = e->refund_requested.refund_no;
        *r = (struct held){
            .seq = e->seq, .amount = e->refund_requested.amount, .state = JB_REFUND_REQUESTED};
    } else if (e->type == JB_EV_REFUND_APPROVED) {
        r->state = JB_REFUND_APPROVED;
        must(e->refund_approved.parts.n <= 200, "too many legs");
        r->legs_n = e->refund_approved.parts.n;
        memcpy(r->legs, e->refund_approved.parts.at, r->legs_n * sizeof *r->legs);
        refunded(r, 1);
        move_parts(e, -1);
    } else if (e->type == JB_EV_REFUND_FAILED) {
        r->state = JB_REFUND_FAILED;
        if (e->refund_failed.parts.n > 0) {
            refunded(r, -1);
            move_parts(e, 1);
        }
    } else {
        r->state = e->type == JB_EV_REFUND_COMPLETED   ? JB_REFUND_COMPLETED
                   : e->type == JB_EV_REFUND_CANCELLED ? JB_REFUND_CANCELLED
                                                       : JB_REFUND_REJECTED;
    }
}

static void
fold_grant(const struct jb_event *e)
{
    struct held *g = &grants[jb_event_ordinal(e)];
    if (e->type == JB_EV_FREE_GRANTED) {
        grants_n = e->free_granted.grant_no;
        *g = (struct held){.seq = e->seq,
                           .amount = e->free_granted.amount,
                           .left = e->free_granted.amount,
                           .state = JB_GRANT_DORMANT,
                           .expires_on = e->free_granted.expires_on};
    } else if (e->type == JB_EV_FREE_ACTIVATED) {
        g->state = JB_GRANT_IN_USE;
    } else {
        g->left = 0;
        g->state = e->type == JB_EV_FREE_REVOKED   ? JB_GRANT_REVOKED
                   : e->type == JB_EV_FREE_EXPIRED ? JB_GRANT_EXPIRED
                                                   : JB_GRANT_FORFEITED;
    }
}

static void
fold_one(const struct jb_event *e)
{
    if (e->type == JB_EV_CHARGE_SETTLED) {
        lots_n = e->charge_settled.lot;
        lots[lots_n] =
            (struct held){.seq = e->seq,
                          .amount = e->charge_settled.amount,
                          .left = e->charge_settled.amount - e->charge_settled.applied_to_debt};
    } else if (e->type == JB_EV_DEBT_REPAID) {
        lots_n = e->debt_repaid.lot;
        lots[lots_n] = (struct held){.seq = e->seq, .amount = e->debt_repaid.amount};
    } else if (e->type == JB_EV_CHARGE_REVERSED) {
        lots[e->charge_reversed.lot].reversed += e->charge_reversed.amount;
        move_parts(e, -1);
    } else if (e->type == JB_EV_CASH_CONSUMED) {
        move_parts(e, -1);
    } else if (e->type == JB_EV_CONSUMPTION_REVERSED) {
        move_parts(e, 1);
    } else if (e->type >= JB_EV_FREE_GRANTED && e->type <= JB_EV_FREE_FORFEITED) {
        fold_grant(e);
    } else if (e->type >= JB_EV_REFUND_REQUESTED && e->type <= JB_EV_REFUND_FAILED) {
        fold_refund(e);
    }
}

static void
expect_rows(enum kind kind, jb_which which, const struct held *held, uint32_t n, jb_day today,
            const struct jb_as_of *then)
{
    struct text right = {0};
    for (uint32_t i = 1; i <= n; i++) {
        const struct held *h = &held[i];
        bool unfinished =
            (h->state == JB_GRANT_DORMANT || h->state == JB_GRANT_IN_USE) && h->left > 0;
        bool open = kind == LOTS     ? h->left > 0
                    : kind == GRANTS ? unfinished && h->expires_on >= today
                                     : h->state <= JB_REFUND_APPROVED;
        if (which == JB_WHICH_OPEN && !open) {
            continue;
        }
        if (kind == LOTS) {
            add(&right, "%llu %u %lld %lld %lld %lld\n", (unsigned long long)h->seq, i,
                (long long)h->amount, (long long)h->left, (long long)h->reversed,
                (long long)h->refunded);
        } else if (kind == GRANTS) {
            bool used_up = h->state == JB_GRANT_IN_USE && h->left == 0;
            add(&right, "%llu %u %d %lld %lld %d %d\n", (unsigned long long)h->seq, i,
                used_up ? JB_GRANT_USED_UP : (int)h->state, (long long)h->amount,
                (long long)h->left, h->expires_on, unfinished && h->expires_on < today);
        } else {
            add(&right, "%llu %u %d %lld\n", (unsigned long long)h->seq, i, (int)h->state,
                (long long)h->amount);
        }
    }
    add(&right, ".");
    struct list list = {.kind = kind, .wallet = "W1", .which = which};
    struct text t = whole(&list, then, 20 + (uint32_t)pick(200), 0, NULL, NULL);
    assert_string_equal(t.at, right.at);
    free(t.at);
    free(right.at);
}

static void
the_figures_of_any_event(void **state)
{
    (void)state;
    jb_cursor *c;
    const struct jb_event *e;
    struct jb_error err;
    uint32_t number;
    unsigned compared = 0, failed = 0;
    must(jb_wallet_number(l, jb_text_of("W1"), &number, &err) == JB_OK, err.text);
    must(jb_cursor_open(l, 1, &c, &err) == JB_OK, err.text);
    while (jb_cursor_next(c, &e, &err) == JB_OK) {
        if (e->wallet != number) {
            continue;
        }
        jb_seq seq = e->seq;
        jb_day today = jb_day_of(e->recorded_at, 32400);
        failed += e->type == JB_EV_REFUND_FAILED && e->refund_failed.parts.n > 0;
        fold_one(e);
        if (pick(SANITIZED ? 80 : 20) != 0) {
            continue;
        }
        struct jb_as_of then = {.kind = JB_AS_OF_SEQ, .seq = seq};
        for (int which = 0; which < 2; which++) {
            expect_rows(LOTS, (jb_which)which, lots, lots_n, today, &then);
            expect_rows(GRANTS, (jb_which)which, grants, grants_n, today, &then);
            expect_rows(REFUNDS, (jb_which)which, refunds, refunds_n, today, &then);
        }
        compared++;
    }
    jb_cursor_close(c);
    assert_true(compared > 20 && failed > 2);
}

/* Open lots add up to the paid cash, open grants to the free cash, as of any event. */
static bool
sum_lots(void *data, const struct jb_lot_row *r)
{
    *(jb_amount *)data += r->left;
    return true;
}

static bool
sum_grants(void *data, const struct jb_grant_row *r)
{
    *(jb_amount *)data += r->left;
    return true;
}

static bool
check_sums(void *data, const struct jb_wallet_balance *b)
{
    const struct jb_as_of *then = data;
    struct jb_error err;
    jb_amount paid = 0, cash = 0;
    struct jb_text w = jb_text_of(b->wallet);
    char next[JB_CURSOR_TEXT_BYTES];
    must(jb_lots_get(v, w, JB_WHICH_OPEN, then, NULL, 10000, sum_lots, &paid, next, NULL, &err) ==
                 JB_OK &&
             jb_grants_get(v, w, JB_WHICH_OPEN, then, NULL, 10000, sum_grants, &cash, next, NULL,
                           &err) == JB_OK,
         err.text);
    assert_int_equal(paid, b->balance.paid > 0 ? b->balance.paid : 0);
    assert_int_equal(cash, b->balance.free + b->balance.free_dormant);
    return true;
}

static void
open_ones_add_up_to_the_balance(void **state)
{
    (void)state;
    struct jb_error err;
    for (jb_seq seq = 1; seq <= head(); seq += 1 + pick(SANITIZED ? 800 : 200)) {
        struct jb_as_of then = {.kind = JB_AS_OF_SEQ, .seq = seq};
        must(jb_balance_each(v, &then, check_sums, &then, &err) == JB_OK, err.text);
    }
}

/* `each` may write: all rows are of the moment before. */
static bool
write_within(void *data, const struct jb_wallet_balance *b)
{
    random_command();
    return each_wallet(data, b);
}

static bool
write_within_day(void *data, const struct jb_cash_status *of, const struct jb_cash_row *row)
{
    random_command();
    return add(data, "%s %lld\n", of->wallet, (long long)row->closing_total);
}

static bool
a_day(void *data, const struct jb_cash_status *of, const struct jb_cash_row *row)
{
    return add(data, "%s %lld\n", of->wallet, (long long)row->closing_total);
}

static void
no_snapshot_during_each(void **state)
{
    (void)state;
    struct jb_error err;
    struct text a = {0}, b = {0};
    must(jb_balance_each(v, NULL, each_wallet, &a, &err) == JB_OK, err.text);
    must(jb_balance_each(v, NULL, write_within, &b, &err) == JB_OK, err.text);
    assert_string_equal(a.at, b.at);
    struct jb_ledger_stat st = JB_SIZED(struct jb_ledger_stat);
    must(jb_ledger_stat_get(l, &st, &err) == JB_OK, err.text);
    a.n = b.n = 0;
    must(jb_cash_day_each(v, st.closed_through, NULL, a_day, &a, &err) == JB_OK, err.text);
    must(jb_cash_day_each(v, st.closed_through, NULL, write_within_day, &b, &err) == JB_OK,
         err.text);
    assert_string_equal(a.at, b.at);
    free(a.at);
    free(b.at);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_whatever_the_size),
        cmocka_unit_test(of_one_moment_while_others_write),
        cmocka_unit_test(directions_are_reverses),
        cmocka_unit_test(a_cursor_is_of_its_list),
        cmocka_unit_test(of_another_ledger),
        cmocka_unit_test(cursors_made_up),
        cmocka_unit_test(of_another_history),
        cmocka_unit_test(found_is_what_is_there),
        cmocka_unit_test(wallets_by_what_they_are),
        cmocka_unit_test(queries_that_are_half_set),
        cmocka_unit_test(questions_that_are_none),
        cmocka_unit_test(the_figures_of_any_event),
        cmocka_unit_test(open_ones_add_up_to_the_balance),
        cmocka_unit_test(no_snapshot_during_each),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

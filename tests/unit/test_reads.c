/*
 * What each page asks of a wallet, and each of the ten questions, costs the same however much has
 * happened to it: steps (base/steps.h) are counted for a wallet of some thousand events and for one
 * with four times as many, and no clock is looked at. What is asked for stands at the wallet's
 * beginning, or before what moved nothing: in front of it lies all that must not be gone through.
 * The rows of a tax invoice are as many as they are: while they are read, others are answered.
 */
#include <jangbu/json.h>
#include <jangbu/ledger.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../check.h"
#include "base/steps.h"
#include "projections/causes.h"

#define DAYS 3U

static const char *const queries[] = {
    "{\"ask\":\"answer\",\"wallet\":\"B\",\"question\":1}",
    "{\"ask\":\"answer\",\"wallet\":\"B\",\"question\":2}",
    "{\"ask\":\"answer\",\"wallet\":\"B\",\"question\":3}",
    "{\"ask\":\"answer\",\"wallet\":\"B\",\"question\":4}",
    "{\"ask\":\"answer\",\"wallet\":\"B\",\"question\":5}",
    "{\"ask\":\"answer\",\"wallet\":\"B\",\"question\":6}",
    "{\"ask\":\"answer\",\"wallet\":\"B\",\"question\":7}",
    "{\"ask\":\"answer\",\"wallet\":\"B\",\"question\":8}",
    "{\"ask\":\"answer\",\"wallet\":\"B\",\"question\":9}",
    "{\"ask\":\"answer\",\"wallet\":\"B\",\"question\":10}",
    "{\"ask\":\"balance\",\"wallet\":\"B\"}",
    "{\"ask\":\"who\",\"wallet\":\"B\"}",
    "{\"ask\":\"can_delete\",\"wallet\":\"B\"}",
    "{\"ask\":\"biz\",\"wallet\":\"B\"}",
    "{\"ask\":\"explain\",\"wallet\":\"B\"}",
    "{\"ask\":\"explain\",\"wallet\":\"B\",\"from_day\":\"2026-08-01\",\"to_day\":\"2026-09-02\"}",
    "{\"ask\":\"explain\",\"wallet\":\"B\",\"since\":20}",
    "{\"ask\":\"explain\",\"wallet\":\"B\",\"day\":\"2026-08-01\"}",
    "{\"ask\":\"cash_status\",\"wallet\":\"B\"}",
    "{\"ask\":\"history\",\"wallet\":\"B\"}",
    "{\"ask\":\"history\",\"wallet\":\"B\",\"type\":\"charge\"}",
    "{\"ask\":\"history\",\"wallet\":\"B\",\"type\":\"consumption\"}",
    "{\"ask\":\"history\",\"wallet\":\"B\",\"type\":\"return\"}",
    "{\"ask\":\"history\",\"wallet\":\"B\",\"type\":\"refund\"}",
    "{\"ask\":\"history\",\"wallet\":\"B\",\"type\":\"refund\",\"oldest_first\":true}",
    "{\"ask\":\"history\",\"wallet\":\"B\",\"types\":[\"settlement_changed\"]}",
    "{\"ask\":\"events\",\"wallet\":\"B\",\"types\":[\"wallet_created\"],\"newest_first\":true}",
    "{\"ask\":\"events\",\"wallet\":\"B\",\"types\":[\"wallet_created\",\"wallet_suspended\"]}",
    "{\"ask\":\"events\",\"wallet\":\"B\",\"types\":[\"wallet_deleted\"],\"newest_first\":true}",
    "{\"ask\":\"charges\",\"wallet\":\"B\"}",
    "{\"ask\":\"lots\",\"wallet\":\"B\",\"open\":true}",
    "{\"ask\":\"grants\",\"wallet\":\"B\"}",
    "{\"ask\":\"refunds\",\"wallet\":\"B\"}",
    "{\"ask\":\"refused\",\"wallet\":\"B\"}",
    "{\"ask\":\"receipts\",\"wallet\":\"B\"}",
    "{\"ask\":\"invoices\",\"wallet\":\"B\"}",
    "{\"ask\":\"invoice\",\"invoice\":1}",
    "{\"ask\":\"find\",\"text\":\"T-1\"}",
    "{\"ask\":\"channel\",\"channel\":\"c\"}",
    "{\"ask\":\"wallets\",\"name\":\"workshop\"}",
    "{\"ask\":\"refunds\"}",
    "{\"ask\":\"due\",\"outside\":true}",
    "{\"ask\":\"expiring\",\"wallet\":\"B\"}",
    "{\"ask\":\"stat\"}",
};
#define QUERIES (sizeof queries / sizeof queries[0])

struct ledger {
    char dir[64], path[80];
    jb_json *j;
    char *lines;
    size_t n, cap;
};

static void JB_PRINTF(2, 3) say(struct ledger *l, const char *form, ...)
{
    char line[400];
    va_list args;
    va_start(args, form);
    const int n = vsnprintf(line, sizeof line, form, args);
    va_end(args);
    must(n > 0 && (size_t)n < sizeof line, "a line is too long");
    while (l->cap < l->n + (size_t)n) {
        l->cap = l->cap == 0 ? 4096 : 2 * l->cap;
        l->lines = realloc(l->lines, l->cap);
        must(l->lines != NULL, "no memory");
    }
    memcpy(l->lines + l->n, line, (size_t)n);
    l->n += (size_t)n;
}

static void
apply(struct ledger *l)
{
    const char *text;
    const jb_status status = jb_json_apply(l->j, l->lines, l->n, "{\"clock\":\"at\"}", &text, NULL);
    const char *wrong = strstr(text, "\"ok\":false");
    must(status == JB_OK && wrong == NULL, wrong != NULL ? wrong : text);
    jb_json_text_free(text);
    l->n = 0;
}

static void
open_it(struct ledger *l, const char *options)
{
    const char *text = "";
    const jb_status status = jb_json_open(l->path, options, &l->j, &text);
    must(status == JB_OK, text);
    jb_json_text_free(text);
}

/* What the questions are about: of August. */
static void
begin(struct ledger *l)
{
    static const char *const ops[] = {
        "\"op\":\"wallet.create\",\"wallet\":\"B\",\"kind\":\"BUSINESS\",\"name\":\"workshop\","
        "\"master\":\"m\"",
        "\"op\":\"channel.create\",\"channel\":\"c\",\"person\":\"m\",\"channel_kind\":"
        "\"BUSINESS\"",
        "\"op\":\"channel.connect\",\"wallet\":\"B\",\"channel\":\"c\"",
        "\"op\":\"biz.request\",\"wallet\":\"B\",\"biz\":\"1234567890\",\"biz_name\":\"workshop\","
        "\"representative\":\"m\",\"address\":\"a\"",
        "\"op\":\"member.invite\",\"wallet\":\"B\",\"person\":\"k\",\"actor\":{\"id\":\"m\"}",
        "\"op\":\"wallet.settlement\",\"wallet\":\"B\",\"settlement\":\"POSTPAID\",\"limit\":5000",
        "\"op\":\"charge\",\"wallet\":\"B\",\"charge\":\"C\",\"amount\":90000000,"
        "\"method\":\"CREDIT_CARD\",\"pg\":\"tosspayments\",\"txn_ref\":\"T-1\"",
        "\"op\":\"free.grant\",\"wallet\":\"B\",\"grant\":\"G\",\"amount\":3000,"
        "\"expires_on\":\"2099-12-31\"",
        "\"op\":\"refund.request\",\"wallet\":\"B\",\"refund\":\"R\",\"amount\":500",
        "\"op\":\"consume\",\"wallet\":\"B\",\"usage\":\"V\",\"amount\":2000",
        "\"op\":\"consume.reverse\",\"wallet\":\"B\",\"usage\":\"V\",\"amount\":100"};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        say(l, "{%s,\"at\":\"2026-08-01T09:00:00+09:00\"}\n", ops[i]);
    }
    apply(l);
}

/* n uses on each of some days of September, in whose first hour August was invoiced; then on one
 * day n that move no money. */
static void
fill(struct ledger *l, unsigned n)
{
    say(l, "{\"op\":\"invoice.issue\",\"wallet\":\"B\",\"month\":\"2026-08\","
           "\"at\":\"2026-09-01T00:30:00+09:00\"}\n");
    for (unsigned day = 1; day <= DAYS; day++) {
        for (unsigned i = 0; i < n; i++) {
            say(l,
                "{\"op\":\"consume\",\"wallet\":\"B\",\"usage\":\"U%u-%u\",\"amount\":3,"
                "\"at\":\"2026-09-%02uT12:00:00+09:00\"}\n",
                day, i, day);
        }
    }
    for (unsigned i = 0; i < n; i++) {
        say(l,
            "{\"op\":\"invoice.email\",\"wallet\":\"B\",\"email\":\"%u@b\","
            "\"at\":\"2026-09-%02uT18:00:00+09:00\"}\n",
            i % 2, DAYS);
    }
    apply(l);
}

static void
approve(struct ledger *l)
{
    const char *text = "";
    static const char ask[] =
        "{\"ask\":\"events\",\"wallet\":\"B\",\"types\":[\"biz_requested\"],\"limit\":1}";
    const jb_status status = jb_json_ask(l->j, ask, sizeof ask - 1, &text, NULL);
    must(status == JB_OK, text);
    const char *seq = strstr(text, "\"seq\":");
    must(seq != NULL, text);
    say(l,
        "{\"op\":\"biz.approve\",\"wallet\":\"B\",\"seq\":%.*s,"
        "\"at\":\"2026-08-01T09:00:00+09:00\"}\n",
        (int)strspn(seq + 6, "0123456789"), seq + 6);
    jb_json_text_free(text);
    apply(l);
}

/* ---- an invoice of many rows ---- */

static struct jb_steps *reading; /* of the thread that reads it */
static atomic_bool over;
static atomic_ulong from, to; /* between them it reads rows, as its steps have it */
static atomic_ulong between;  /* what others asked, and were answered, then */

static bool
is_between(void)
{
    const uint64_t at = __atomic_load_n(&reading->events, __ATOMIC_RELAXED);
    return at > from && at < to;
}

/* Asked and answered while the same rows are read. */
static void *
ask_who(void *l)
{
    struct jb_error err;
    while (!over) {
        struct jb_who who = JB_SIZED(struct jb_who);
        const uint64_t these = from;
        const bool asked = is_between();
        must(jb_who_get(l, jb_text_of("B"), NULL, NULL, &who, &err) == JB_OK, err.text);
        between += asked && is_between() && these == from;
    }
    return NULL;
}

static bool
each_row(void *data, const struct jb_invoice_row *row)
{
    (void)row;
    ++*(unsigned *)data;
    return true;
}

/* September, which is invoiced now. Were others kept waiting, nobody would be answered while it
 * has read some of the rows and not all. */
static void
invoice_beside_others(struct ledger *l, unsigned rows)
{
    jb_ledger *handle;
    struct jb_error err;
    pthread_t other;
    unsigned seen = 0;
    const time_t until = time(NULL) + 120;
    say(l, "{\"op\":\"invoice.issue\",\"wallet\":\"B\",\"month\":\"2026-09\","
           "\"at\":\"2026-10-01T00:30:00+09:00\"}\n");
    apply(l);
    must(jb_open(l->path, NULL, &handle, &err) == JB_OK, err.text);
    reading = &jb_steps;
    must(pthread_create(&other, NULL, ask_who, handle) == 0, "no thread");
    do {
        struct jb_invoice i = JB_SIZED(struct jb_invoice);
        seen = 0;
        from = jb_steps.events + rows / 10;
        to = jb_steps.events + rows - rows / 10;
        must(jb_invoice_get(handle, 2, 0, each_row, &seen, &i, &err) == JB_OK, err.text);
        must(time(NULL) < until, "nobody is answered while an invoice is read");
    } while (between == 0);
    must(seen == rows, "it has all its rows");
    over = true;
    pthread_join(other, NULL);
    jb_close(handle);
}

/* The steps that the answer took. */
static uint64_t
ask(struct ledger *l, const char *query)
{
    const char *text = "";
    jb_steps = (struct jb_steps){0};
    const jb_status status = jb_json_ask(l->j, query, strlen(query), &text, NULL);
    must(status == JB_OK, text);
    jb_json_text_free(text);
    return jb_steps.rows + jb_steps.events + jb_steps.folded + jb_steps.moved;
}

/* Where a type is asked for of which there are many, and an amount that none has: looking further
 * costs no more than without the type. */
static void
look_for_an_amount(struct ledger *l)
{
    static const char *const lists[] = {"\"events\"", "\"events\",\"newest_first\":true",
                                        "\"history\"", "\"history\",\"oldest_first\":true"};
    for (unsigned i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        uint64_t steps[2];
        for (unsigned typed = 0; typed < 2; typed++) {
            char query[200];
            snprintf(query, sizeof query,
                     "{\"ask\":%s,\"wallet\":\"B\",\"amount_min\":1000000000%s}", lists[i],
                     typed != 0 ? ",\"types\":[\"cash_consumed\"]" : "");
            steps[typed] = ask(l, query);
        }
        must(steps[0] > 0 && steps[1] <= steps[0], lists[i]);
    }
}

/* Stored, opened again, and followed to the end of the log: then each is asked once. */
static void
count(unsigned n, bool beside, uint64_t steps[QUERIES])
{
    struct ledger l = {.dir = ""};
    make_quick_scratch(l.dir, "reads");
    snprintf(l.path, sizeof l.path, "%s/l", l.dir);
    open_it(&l, "{\"init\":{}}");
    begin(&l);
    approve(&l);
    fill(&l, n);
    jb_json_close(l.j);
    open_it(&l, NULL);
    ask(&l, queries[0]);
    for (size_t i = 0; i < QUERIES; i++) {
        steps[i] = ask(&l, queries[i]);
    }
    look_for_an_amount(&l);
    if (beside) {
        invoice_beside_others(&l, DAYS * n);
    }
    jb_json_close(l.j);
    free(l.lines);
    remove_scratch(l.dir);
}

int
main(void)
{
    uint64_t few[QUERIES], many[QUERIES];
    bool grows = false;
    jb_causes_walk_max = 200; /* so that a small wallet is a large one */
    count(1500, false, few);
    count(6000, true, many);
    for (size_t i = 0; i < QUERIES; i++) {
        const bool here = many[i] > few[i] + few[i] / 4 + 300;
        grows |= here;
        printf("%6llu %6llu%s  %s\n", (unsigned long long)few[i], (unsigned long long)many[i],
               here ? " !" : "", queries[i]);
    }
    must(!grows, "what is marked by ! grows with what happened to the wallet");
    return 0;
}

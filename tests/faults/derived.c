/*
 * Derived files (state.mdb, views.mdb) of a small ledger are damaged in every way that one fault
 * has: a bit flipped, a page zeroed, replaced by another one or by its own older copy, the file
 * cut; and in every page at once. Then, in a process of its own, everything is asked that a ledger
 * can be asked, all keyed commands are given again and new ones are given: the answers, the figures
 * and the log must be those of a ledger whose files are whole, and the process must end by itself.
 *
 * Damaged while a process has it open, it may end that process, inside of LMDB: until then it must
 * answer right, and who comes next must find everything.
 *
 * usage: derived [--all] [--bytes N] [--half H] [--seed S] [--file NAME] [--from BIT] [--minutes M]
 *   --all       every bit; else one bit in every N-th byte that is in use (default 23)
 *   --half      0 or 1: single pages are those with an even number, or the others
 *   --from      of --all with --file: goes on behind so many bits, and without the pages
 *   --minutes   of --all: ends after that time, and says how far it came
 */
#include <jangbu/replay.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../check.h"

#define PAGE 4096
#define SESSIONS 14
#define COMMANDS_MAX 160
#define NEW_COMMANDS 15
#define FILES 6
#define WALLETS 5

static const char *const names[FILES] = {"state.mdb",  "views.mdb", "log.mdb",
                                         "people.mdb", "secret",    "HEAD"};
struct content {
    uint8_t *at;
    size_t n;
};

static char scratch[32] = "/tmp/derived-XXXXXX";
static char pristine[64], copy[64];
static struct content now[FILES], older[SESSIONS][2];
static struct jb_command list[COMMANDS_MAX + NEW_COMMANDS];
static size_t commands_n;
static unsigned seed = 1;

static unsigned
chance(unsigned n)
{
    seed = seed * 1103515245U + 12345U;
    return (seed >> 8) % n;
}

/* ---- commands ---- */

static struct jb_text
text(const char *form, unsigned i, unsigned j)
{
    char *s = malloc(40);
    must(s != NULL, "no memory");
    int n = snprintf(s, 40, form, i, j);
    return (struct jb_text){s, (size_t)n};
}

static struct jb_command *
add(jb_op op, unsigned wallet, uint64_t has, unsigned hour)
{
    struct jb_command *c = &list[commands_n];
    *c = (struct jb_command){.size = sizeof *c,
                             .op = op,
                             .has = has | JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_CLOCK) |
                                    JB_HAS(JB_CF_KEY),
                             .wallet = text("wallet-%u", wallet, 0),
                             .key = text("key-%u-of-%u", (unsigned)commands_n, (unsigned)op)};
    must(jb_instant_parse("2026-03-02T09:00:00+09:00", 25, &c->clock), "no instant");
    c->clock += (jb_instant)hour * 3600 * JB_US_PER_SECOND;
    commands_n++;
    return c;
}

static void
add_round(unsigned r)
{
    unsigned w = r % WALLETS, hour = 5 * r;
    struct jb_command *c = add(JB_OP_CHARGE, w, JB_HAS(JB_CF_CHARGE) | JB_HAS(JB_CF_AMOUNT), hour);
    c->id = text("charge-%u", r, 0);
    c->amount = 5000 + r;
    c = add(JB_OP_FREE_GRANT, w,
            JB_HAS(JB_CF_GRANT) | JB_HAS(JB_CF_AMOUNT) | JB_HAS(JB_CF_EXPIRES_ON), hour);
    c->id = text("grant-%u", r, 0);
    c->amount = 300;
    must(jb_day_parse("2026-03-05", 10, &c->expires_on), "no day");
    c->expires_on += (jb_day)(r / 3);
    c = add(JB_OP_FREE_ACTIVATE, w, JB_HAS(JB_CF_GRANT), hour);
    c->id = text("grant-%u", r, 0);
    for (unsigned i = 0; i < 2; i++) {
        c = add(JB_OP_CONSUME, w, JB_HAS(JB_CF_USAGE) | JB_HAS(JB_CF_AMOUNT), hour + i);
        c->id = text("usage-%u-%u", r, i);
        c->amount = 200 + r;
    }
    if (r % 2 == 1) {
        c = add(JB_OP_CONSUME_REVERSE, w, JB_HAS(JB_CF_USAGE) | JB_HAS(JB_CF_AMOUNT), hour + 2);
        c->id = text("usage-%u-%u", r, 0);
        c->amount = 50;
        c = add(JB_OP_REFUND_REQUEST, w, JB_HAS(JB_CF_REFUND) | JB_HAS(JB_CF_AMOUNT), hour + 2);
        c->id = text("refund-%u", r, 0);
        c->amount = 700;
    } else {
        c = add(JB_OP_CONSUME, w, JB_HAS(JB_CF_USAGE) | JB_HAS(JB_CF_AMOUNT), hour + 2);
        c->id = text("too-much-%u", r, 0);
        c->amount = 90000000;
    }
}

/* Of a channel, which the command names instead of a wallet, or beside it. */
static struct jb_command *
add_channel(jb_op op, unsigned wallet, unsigned channel, uint64_t has, unsigned hour)
{
    struct jb_command *c = add(op, wallet, has | JB_HAS(JB_CF_CHANNEL), hour);
    c->channel = text("channel-%u", channel, 0);
    if ((jb_op_get(op)->required & JB_HAS(JB_CF_WALLET)) == 0) {
        c->has &= ~JB_HAS(JB_CF_WALLET);
        c->wallet = (struct jb_text){NULL, 0};
    }
    return c;
}

/* A channel, its connection, and a member: what stands around a wallet. */
static void
add_people(unsigned w)
{
    struct jb_command *c = add_channel(JB_OP_CHANNEL_CREATE, w, w,
                                       JB_HAS(JB_CF_PERSON) | JB_HAS(JB_CF_CHANNEL_KIND), 0);
    c->person = text("master-%u", w, 0);
    c->channel_kind = JB_CHANNEL_BUSINESS;
    add_channel(JB_OP_CHANNEL_CONNECT, w, w, 0, 0);
    c = add(JB_OP_MEMBER_INVITE, w, JB_HAS(JB_CF_PERSON), 0);
    c->person = text("member-%u", w, 0);
    c = add(JB_OP_MEMBER_ACCEPT, w, JB_HAS(JB_CF_PERSON), 0);
    c->person = text("member-%u", w, 0);
}

static void
make_commands(void)
{
    for (unsigned w = 0; w < WALLETS; w++) {
        struct jb_command *c =
            add(JB_OP_WALLET_CREATE, w, JB_HAS(JB_CF_KIND) | JB_HAS(JB_CF_NAME), 0);
        c->kind = JB_KIND_BUSINESS;
        c->name = text("name %u", w, 0);
    }
    for (unsigned w = 0; w < WALLETS; w++) {
        add_people(w);
    }
    for (unsigned r = 0; r < 20; r++) {
        add_round(r);
    }
}

/* What only the state knows: ids that are taken, what is left, what was returned, what is closed.
 */
static void
make_new_commands(void)
{
    size_t first = commands_n;
    for (unsigned i = 0; i < 3; i++) {
        struct jb_command *c =
            add(JB_OP_CONSUME_REVERSE, 1 + i, JB_HAS(JB_CF_USAGE) | JB_HAS(JB_CF_AMOUNT), 110);
        c->id = text("usage-%u-0", 1 + i, 0);
        c->amount = 200;
        c = add(JB_OP_CHARGE, i, JB_HAS(JB_CF_CHARGE) | JB_HAS(JB_CF_AMOUNT), 110);
        c->id = text("charge-%u", i, 0); /* taken */
        c->amount = 5000;
        c = add(JB_OP_REFUND_APPROVE, 1 + i, JB_HAS(JB_CF_REFUND), 110);
        c->id = text("refund-%u", 1 + 2 * i, 0);
        c = add(JB_OP_CONSUME, i, JB_HAS(JB_CF_USAGE) | JB_HAS(JB_CF_AMOUNT), 120);
        c->id = text("usage-new-%u", i, 0);
        c->amount = 4321;
    }
    struct jb_command *c =
        add_channel(JB_OP_CONSUME, 2, 2, JB_HAS(JB_CF_USAGE) | JB_HAS(JB_CF_AMOUNT), 121);
    c->id = text("usage-of-a-channel", 0, 0);
    c->amount = 5;
    add_channel(JB_OP_CHANNEL_CONNECT, 3, 2, 0, 121); /* another wallet has it */
    c = add(JB_OP_MEMBER_INVITE, 1, JB_HAS(JB_CF_PERSON), 121);
    c->person = text("member-%u", 1, 0); /* a member already */
    must(commands_n - first == NEW_COMMANDS, "the number of new commands");
}

/* ---- what a process sees ---- */

static uint64_t seen; /* a sum of everything that was answered */

static void
note(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < n; i++) {
        seen = (seen ^ p[i]) * UINT64_C(0x100000001b3);
    }
}

static void
note_number(int64_t n)
{
    note(&n, sizeof n);
}

static bool
note_balance(void *data, const struct jb_wallet_balance *b)
{
    (void)data;
    note(b->wallet, strlen(b->wallet));
    note_number(b->balance.paid);
    note_number(b->balance.free);
    note_number(b->balance.free_dormant);
    note_number(b->balance.refundable);
    note_number(b->balance.refund_pending);
    note_number((int64_t)b->balance.version);
    return true;
}

static bool
note_row(void *data, const struct jb_cash_row *row)
{
    (void)data;
    note_number(row->day);
    note_number(row->charged);
    note_number(row->consumed_paid);
    note_number(row->consumed_free);
    note_number(row->closing_total);
    note_number(row->closing_free);
    return true;
}

static bool
note_history(void *data, const struct jb_history_row *row)
{
    (void)data;
    note_number((int64_t)row->event->seq);
    note_number(row->effect);
    note_number(row->balance);
    return true;
}

static bool
note_lot(void *data, const struct jb_lot_row *row)
{
    (void)data;
    note_number(row->number);
    note_number(row->left);
    note_number(row->reversed + row->refunded);
    return true;
}

static bool
note_grant(void *data, const struct jb_grant_row *row)
{
    (void)data;
    note_number(row->state);
    note_number(row->left);
    return true;
}

static bool
note_refund(void *data, const struct jb_refund_row *row)
{
    (void)data;
    note_number(row->state);
    note_number(row->amount);
    return true;
}

static bool
note_event(void *data, const struct jb_event *e)
{
    (void)data;
    note_number((int64_t)e->seq);
    return true;
}

static int
ask_lists(jb_views *v, struct jb_text id, const struct jb_as_of *as_of)
{
    struct jb_error err;
    struct jb_events_query q = {.size = sizeof q, .wallet = id};
    bool ok = jb_lots_get(v, id, JB_WHICH_ALL, as_of, NULL, 1000, note_lot, NULL, NULL, NULL,
                          &err) == JB_OK &&
              jb_grants_get(v, id, JB_WHICH_ALL, as_of, NULL, 1000, note_grant, NULL, NULL, NULL,
                            &err) == JB_OK &&
              jb_refunds_get(v, id, JB_WHICH_OPEN, as_of, NULL, 1000, note_refund, NULL, NULL, NULL,
                             &err) == JB_OK &&
              jb_events_get(v, &q, as_of, NULL, 1000, note_event, NULL, NULL, NULL, &err) == JB_OK;
    return ok ? 0 : 16;
}

static int
ask_wallet(jb_views *v, unsigned wallet, const struct jb_as_of *as_of)
{
    struct jb_error err;
    struct jb_text id = text("wallet-%u", wallet, 0);
    struct jb_cash_status cash = JB_SIZED(struct jb_cash_status);
    struct jb_explanation *x;
    struct jb_moment m;
    char next[JB_CURSOR_TEXT_BYTES];
    for (int view = 0; view < 2; view++) {
        if (jb_cash_status_get(v, id, (jb_cash_view)view, as_of, JB_NO_DAY, JB_NO_DAY, note_row,
                               NULL, &cash, &err) != JB_OK) {
            return 11;
        }
    }
    if (jb_history_get(v, id, (jb_history_kind)0, as_of, NULL, 1000, note_history, NULL, next, &m,
                       &err) != JB_OK) {
        return 12;
    }
    if (jb_explain(v, id, as_of, &x, &err) != JB_OK) {
        return 13;
    }
    note_number(x->total_now);
    note_number(x->cash_status_total);
    note_number(x->rest);
    jb_explanation_free(x);
    return ask_lists(v, id, as_of);
}

static int
ask(jb_ledger *l)
{
    jb_views *v;
    struct jb_error err;
    if (jb_views_open(l, &v, &err) != JB_OK) {
        return 14;
    }
    struct jb_as_of past = {.kind = JB_AS_OF_SEQ, .seq = 70};
    const struct jb_as_of *when[2] = {NULL, &past};
    int code = 0;
    for (int i = 0; i < 2 && code == 0; i++) {
        code = jb_balance_each(v, when[i], note_balance, NULL, &err) == JB_OK ? 0 : 15;
        for (unsigned w = 0; w < WALLETS && code == 0; w++) {
            code = ask_wallet(v, w, when[i]);
        }
    }
    jb_views_close(v);
    return code;
}

static int
give(jb_ledger *l, size_t from, size_t to)
{
    struct jb_submit_options o = {.size = sizeof o, .clock = JB_CLOCK_AT};
    struct jb_error err;
    jb_answers *answers = jb_answers_new();
    size_t done = 0;
    if (jb_submit(l, list + from, to - from, &o, answers, &done, &err) != JB_OK) {
        jb_answers_free(answers);
        return 16;
    }
    for (size_t i = 0; i < to - from; i++) {
        const struct jb_answer *a = jb_answers_at(answers, i);
        note_number(a->outcome);
        note_number(a->code);
        note_number((int64_t)a->seq);
        note(jb_answer_message(a), strlen(jb_answer_message(a)));
    }
    jb_answers_free(answers);
    return 0;
}

/* What stands in the log. Not its chain: where a commit ends hangs on how long deciding took. */
static int
note_log(jb_ledger *l)
{
    struct jb_error err;
    jb_cursor *c;
    const struct jb_event *e;
    if (jb_cursor_open(l, 1, &c, &err) != JB_OK) {
        return 18;
    }
    jb_status status;
    while ((status = jb_cursor_next(c, &e, &err)) == JB_OK) {
        note_number((int64_t)e->seq);
        note_number(e->type);
        note_number(e->wallet);
        note_number((int64_t)e->prev);
        note_number(e->recorded_at);
        note_number(e->posted_on);
        note(e->key.s != NULL ? e->key.s : "", e->key.s != NULL ? e->key.n : 0);
    }
    jb_cursor_close(c);
    return status == JB_END ? 0 : 18;
}

/* Everything, first for reading only. */
static int
one_life(const char *dir, bool audit, int *ret_verdict)
{
    jb_ledger *l;
    struct jb_error err;
    for (int write = 0; write < 2; write++) {
        struct jb_open_options o = {.size = sizeof o, .read_only = write == 0};
        if (jb_open(dir, &o, &l, &err) != JB_OK) {
            return 17;
        }
        int code = ask(l);
        if (code == 0 && write == 1) {
            code = give(l, 0, commands_n);
            code = code == 0 ? ask(l) : code;
            code = code == 0 ? note_log(l) : code;
        }
        jb_close(l);
        if (code != 0) {
            return code;
        }
    }
    struct jb_audit_report *r;
    if (audit) {
        if (jb_audit(dir, NULL, &r, &err) != JB_OK) {
            return 19;
        }
        *ret_verdict = (int)r->verdict;
        jb_audit_report_free(r);
    }
    return 0;
}

struct told {
    int code;
    int verdict; /* of the audit; -1: none was made */
    uint64_t seen;
};

/* In a process of its own: LMDB could end it, and nothing may stay in memory. */
static bool
live(int (*life)(const char *, bool, int *), const char *dir, bool audit, struct told *ret)
{
    int fds[2], status;
    must(pipe(fds) == 0, "no pipe");
    pid_t pid = fork();
    if (pid == 0) {
        struct told t = {.verdict = -1};
        alarm(60);
        t.code = life(dir, audit, &t.verdict);
        t.seen = seen;
        _exit(write(fds[1], &t, sizeof t) == (ssize_t)sizeof t ? 0 : 1);
    }
    close(fds[1]);
    bool said = read(fds[0], ret, sizeof *ret) == (ssize_t)sizeof *ret;
    close(fds[0]);
    must(waitpid(pid, &status, 0) == pid, "no child");
    return said && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- files ---- */

static struct content
load(const char *dir, const char *name)
{
    char path[128];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_RDONLY);
    must(fd >= 0 && fstat(fd, &st) == 0, path);
    struct content c = {malloc((size_t)st.st_size + 1), (size_t)st.st_size};
    must(c.at != NULL && read(fd, c.at, c.n) == (ssize_t)c.n, "cannot read a file");
    close(fd);
    return c;
}

static void
store(const char *name, const uint8_t *at, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", copy, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0 && write(fd, at, n) == (ssize_t)n, "cannot write a file");
    close(fd);
}

/* The copy as it was, with one file as given. LMDB's lock files stay: nobody has them open. */
static void
put_back(int which, const uint8_t *at, size_t n)
{
    static const char *const users[2] = {"state.mdb-users", "views.mdb-users"};
    for (int i = 0; i < FILES; i++) {
        store(names[i], i == which ? at : now[i].at, i == which ? n : now[i].n);
    }
    for (int i = 0; i < 2; i++) {
        store(users[i], (const uint8_t *)"", 0);
    }
}

static void
make_ledger(void)
{
    struct jb_error err;
    jb_ledger *l;
    must(jb_init(pristine, NULL, &err) == JB_OK, "no ledger");
    for (int s = 0; s < SESSIONS; s++) {
        jb_views *v = NULL;
        must(jb_open(pristine, NULL, &l, &err) == JB_OK && jb_views_open(l, &v, &err) == JB_OK,
             "cannot open");
        size_t from = commands_n * (size_t)s / SESSIONS,
               to = commands_n * (size_t)(s + 1) / SESSIONS;
        must(give(l, from, to) == 0 && jb_views_sync(v, true, &err) == JB_OK, "cannot write");
        jb_views_close(v);
        jb_close(l);
        for (int i = 0; i < 2; i++) {
            older[s][i] = load(pristine, names[i]);
        }
    }
}

/* ---- faults ---- */

static struct told expected;
static unsigned tried, failed, ended;

static void
try_one(int which, const uint8_t *at, size_t n, const char *what, size_t a, size_t b)
{
    struct told t = {0};
    put_back(which, at, n);
    bool whole = live(one_life, copy, tried % 8 == 0, &t);
    tried++;
    if (whole && t.code == 0 && t.seen == expected.seen && t.verdict <= JB_VERIFIED) {
        return;
    }
    failed++;
    ended += !whole;
    if (failed <= 20) {
        printf("failed: %s, %s %zu %zu: %s (%d)\n", names[which], what, a, b,
               !whole                    ? "the process ended"
               : t.code != 0             ? "an error"
               : t.seen != expected.seen ? "another answer"
                                         : "the audit finds something",
               t.code);
        fflush(stdout);
    }
}

static bool
in_use(const struct content *c, size_t byte)
{
    size_t from = byte < 8 ? 0 : byte - 8, to = byte + 8 < c->n ? byte + 8 : c->n;
    for (size_t i = from; i < to; i++) {
        if (c->at[i] != 0) {
            return true;
        }
    }
    return false;
}

static void
flip_bit(int which, uint8_t *changed, size_t byte, unsigned bit)
{
    changed[byte] ^= (uint8_t)(1U << bit);
    try_one(which, changed, now[which].n, "byte, bit", byte, bit);
    changed[byte] ^= (uint8_t)(1U << bit);
}

static void
flip_some(int which, size_t step)
{
    const struct content *c = &now[which];
    uint8_t *changed = malloc(c->n);
    must(changed != NULL, "no memory");
    memcpy(changed, c->at, c->n);
    for (size_t byte = chance((unsigned)step); byte < c->n; byte += step) {
        if (in_use(c, byte)) {
            flip_bit(which, changed, byte, chance(8));
        }
    }
    free(changed);
}

/* Each bit once, in an order that jumps about: what a run did that was ended early is a sample of
 * the whole. It takes hours: *from is where it goes on, and where it was ended. False: ended. */
static bool
flip_all(int which, size_t *from, time_t until)
{
    const size_t jump = 7919 * 104729; /* no file has a multiple of these pages, or of these bits */
    const struct content *c = &now[which];
    const size_t bits = c->n * 8;
    uint8_t *changed = malloc(c->n);
    must(changed != NULL && bits % 7919 != 0 && bits % 104729 != 0, "no memory, or no such file");
    memcpy(changed, c->at, c->n);
    for (; *from < bits && time(NULL) < until; ++*from) {
        size_t place = *from * jump % bits;
        flip_bit(which, changed, place / 8, place % 8);
    }
    free(changed);
    printf("%s: %zu of %zu bits\n", names[which], *from, bits);
    return *from == bits;
}

/* half: -1 for all pages. */
static void
change_pages(int which, int half)
{
    const struct content *c = &now[which];
    uint8_t *changed = malloc(c->n);
    must(changed != NULL, "no memory");
    size_t pages = c->n / PAGE;
    for (size_t p = half > 0 ? 1 : 0; p < pages; p += half < 0 ? 1 : 2) {
        memcpy(changed, c->at, c->n);
        memset(changed + p * PAGE, 0, PAGE);
        try_one(which, changed, c->n, "zeroed page", p, 0);
        for (size_t k = 0; k < 3; k++) {
            size_t other = (p + 1 + chance((unsigned)pages - 1)) % pages;
            memcpy(changed, c->at, c->n);
            memcpy(changed + p * PAGE, c->at + other * PAGE, PAGE);
            try_one(which, changed, c->n, "page replaced by page", p, other);
            memcpy(changed + other * PAGE, c->at + p * PAGE, PAGE);
            try_one(which, changed, c->n, "pages swapped", p, other);
        }
        for (int s = 0; s < SESSIONS - 1; s++) {
            const struct content *old = &older[s][which];
            if ((p + 1) * PAGE <= old->n &&
                memcmp(old->at + p * PAGE, c->at + p * PAGE, PAGE) != 0) {
                memcpy(changed, c->at, c->n);
                memcpy(changed + p * PAGE, old->at + p * PAGE, PAGE);
                try_one(which, changed, c->n, "page, its copy of session", p, (size_t)s);
            }
        }
        try_one(which, c->at, p * PAGE, "cut to pages", p, 0);
    }
    for (int s = 0; s < SESSIONS - 1; s++) {
        try_one(which, older[s][which].at, older[s][which].n, "the whole file of session",
                (size_t)s, 0);
    }
    free(changed);
}

/* ---- every page at once ---- */

#define SOME_BYTES 600
enum how { RANDOM_BYTES, RANDOM_PAGES, RANDOM_HEADS, A_FEW, ZEROS, ONES, SAME_BYTES, HOWS };

static void
fill_random(uint8_t *at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        at[i] = (uint8_t)chance(256);
    }
}

static void
damage_page(uint8_t *page, enum how how)
{
    switch (how) {
    case RANDOM_BYTES:
        fill_random(page + 16, SOME_BYTES);
        break;
    case RANDOM_PAGES:
        fill_random(page, PAGE);
        break;
    case RANDOM_HEADS:
        fill_random(page + 8, 24);
        break;
    case A_FEW:
        for (int i = 0; i < 4; i++) {
            page[chance(i % 2 == 0 ? 64 : PAGE)] = (uint8_t)chance(256);
        }
        break;
    case SAME_BYTES:
        memset(page, 0xa5, SOME_BYTES);
        break;
    case ZEROS:
    case ONES:
    case HOWS:
        memset(page, how == ZEROS ? 0 : 0xff, PAGE);
        break;
    }
}

/* The file as it is, with every page from the first on damaged. */
static uint8_t *
damaged_from(const struct content *c, size_t first, enum how how)
{
    uint8_t *changed = malloc(c->n);
    must(changed != NULL, "no memory");
    memcpy(changed, c->at, c->n);
    for (size_t p = first; p < c->n / PAGE; p++) {
        damage_page(changed + p * PAGE, how);
    }
    return changed;
}

#define ROUNDS 4

/* Behind the two pages that say where the trees begin, and with the second of them or both. Also
 * the short file of the first session: what its pages point at is likely to be behind its end. */
static void
damage_at_rest(int which)
{
    for (size_t i = 0; i < ROUNDS * (size_t)HOWS; i++) {
        const struct content *c = i / HOWS % 2 == 0 ? &older[0][which] : &now[which];
        const size_t first = i / HOWS < 2 ? 2 : i % 2;
        uint8_t *changed = damaged_from(c, first, (enum how)(i % HOWS));
        try_one(which, changed, c->n, "every page from, how", first, i % HOWS);
        free(changed);
    }
}

/* ---- while a process has it open ---- */

/* How it is damaged; less than HOWS: its pages; HOWS: not at all. */
#define CUT (HOWS + 1)
static int damaged_file;
static int damaged_how;

static void
damage_now(void)
{
    char path[128];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", copy, names[damaged_file]);
    int fd = open(path, O_RDWR);
    must(fd >= 0 && fstat(fd, &st) == 0, path);
    struct content c = load(copy, names[damaged_file]);
    if (damaged_how == CUT) {
        must(ftruncate(fd, 2 * PAGE) == 0, path);
    } else if (damaged_how < HOWS) {
        uint8_t *changed = damaged_from(&c, 2, (enum how)damaged_how);
        must(pwrite(fd, changed, c.n, 0) == (ssize_t)c.n, path);
        free(changed);
    }
    free(c.at);
    close(fd);
}

static int
go_on_damaged(jb_ledger *l, jb_views *v)
{
    struct jb_error err;
    int code = ask(l);
    damage_now();
    const size_t half = commands_n - NEW_COMMANDS / 2;
    code = code == 0 ? give(l, 0, half) : code;
    code = code == 0 ? ask(l) : code;
    code = code == 0 ? give(l, half, commands_n) : code;
    code = code == 0 ? ask(l) : code;
    return jb_views_sync(v, true, &err) == JB_OK || damaged_how != HOWS ? code : 20;
}

static int
life_damaged(const char *dir, bool audit, int *ret_verdict)
{
    jb_ledger *l;
    jb_views *v;
    struct jb_error err;
    (void)audit;
    (void)ret_verdict;
    if (jb_open(dir, NULL, &l, &err) != JB_OK || jb_views_open(l, &v, &err) != JB_OK) {
        return 17;
    }
    int code = go_on_damaged(l, v);
    jb_views_close(v);
    jb_close(l);
    return code;
}

static unsigned running, running_ended;

/* ret: what the process answered, and what is answered when all of it is over. */
static bool
run_damaged(int which, int how, struct told ret[2])
{
    struct told between = {0};
    put_back(-1, NULL, 0);
    damaged_file = which;
    damaged_how = how;
    running++;
    bool whole = live(life_damaged, copy, false, &ret[0]);
    running_ended += !whole;
    if (!whole) {
        ret[0].code = -1;
    }
    /* What was not done yet is done by the first, and found by the second. */
    return live(one_life, copy, false, &between) && between.code == 0 &&
           live(one_life, copy, true, &ret[1]) && ret[1].code == 0 && ret[1].verdict <= JB_VERIFIED;
}

static void
damage_running(int which)
{
    struct told sound[2], t[2];
    must(run_damaged(which, HOWS, sound) && sound[0].code == 0, "a whole ledger fails");
    for (int how = 0; how <= CUT; how++) {
        memset(t, 0, sizeof t);
        bool after = run_damaged(which, how, t) && t[1].seen == sound[1].seen;
        bool meanwhile = t[0].code == -1 || (t[0].code == 0 && t[0].seen == sound[0].seen);
        if (!after || !meanwhile) {
            failed++;
            printf("failed: %s, damaged while it is open, how %d: %s (%d)\n", names[which], how,
                   !after           ? "who comes next does not find everything"
                   : t[0].code != 0 ? "an error"
                                    : "another answer",
                   t[0].code);
        }
    }
}

int
main(int argc, char **argv)
{
    bool all = false;
    size_t step = 23, from = 0;
    int half = -1;
    time_t until = INT64_MAX;
    const char *only = NULL;
    for (int i = 1; i < argc; i++) {
        all |= strcmp(argv[i], "--all") == 0;
        if (i + 1 < argc && strcmp(argv[i], "--bytes") == 0) {
            step = (size_t)strtoul(argv[i + 1], NULL, 10);
        }
        if (i + 1 < argc && strcmp(argv[i], "--half") == 0) {
            half = (int)strtol(argv[i + 1], NULL, 10);
        }
        if (i + 1 < argc && strcmp(argv[i], "--seed") == 0) {
            seed = (unsigned)strtoul(argv[i + 1], NULL, 10);
        }
        if (i + 1 < argc && strcmp(argv[i], "--file") == 0) {
            only = argv[i + 1];
        }
        if (i + 1 < argc && strcmp(argv[i], "--from") == 0) {
            from = (size_t)strtoul(argv[i + 1], NULL, 10);
        }
        if (i + 1 < argc && strcmp(argv[i], "--minutes") == 0) {
            until = time(NULL) + 60 * (time_t)strtol(argv[i + 1], NULL, 10);
        }
    }
    must(freopen("/dev/null", "w", stderr) != NULL, "no /dev/null"); /* LMDB's last words */
    if (access("/dev/shm", W_OK) == 0) {
        strcpy(scratch, "/dev/shm/derived-XXXXXX"); /* nothing here is about syncs */
    }
    make_scratch(scratch);
    snprintf(pristine, sizeof pristine, "%s/pristine", scratch);
    snprintf(copy, sizeof copy, "%s/copy", scratch);
    make_commands();
    make_ledger();
    make_new_commands();
    must(mkdir(copy, 0700) == 0, "no directory");
    for (int i = 0; i < FILES; i++) {
        now[i] = load(pristine, names[i]);
    }
    seen = 0;
    put_back(-1, NULL, 0);
    must(live(one_life, copy, true, &expected) && expected.code == 0 &&
             expected.verdict == JB_VERIFIED,
         "a whole ledger fails");
    for (int which = 0; which < 2; which++) {
        if (only != NULL && strcmp(only, names[which]) != 0) {
            continue;
        }
        if (from == 0) {
            damage_at_rest(which);
            damage_running(which);
            change_pages(which, half);
        }
        if (!all) {
            flip_some(which, step);
        } else if (!flip_all(which, &from, until)) {
            break;
        }
        from = 0;
    }
    printf("derived files damaged %u times (seed %u): %u failed, %u of them ended the process\n",
           tried, seed, failed, ended);
    printf("and %u times while a process had them open, which ended it %u times\n", running,
           running_ended);
    remove_scratch(scratch);
    return failed > 0;
}

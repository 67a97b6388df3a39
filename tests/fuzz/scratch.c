#include "scratch.h"

#include <jangbu/projections.h>
#include <jangbu/replay.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "storage/lmdb_env.h"

static char dir[64];

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static void
remove_all(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
end(void)
{
    remove_all(dir);
}

const char *
scratch_dir(void)
{
    if (dir[0] == '\0') {
        snprintf(dir, sizeof dir, "%s/jangbu-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        JB_ASSERT(mkdtemp(dir) != NULL);
        atexit(end);
    }
    return dir;
}

char *
scratch_path(const char *name, char *path)
{
    snprintf(path, SCRATCH_PATH_BYTES, "%s/%s", scratch_dir(), name);
    return path;
}

static const char *
base(void)
{
    static char path[SCRATCH_PATH_BYTES];
    if (path[0] == '\0') {
        struct jb_error err;
        if (jb_init(scratch_path("base", path), NULL, &err) != JB_OK) {
            fprintf(stderr, "%s\n", err.text);
            abort();
        }
    }
    return path;
}

struct jb_log *
scratch_log(struct jb_log_identity *ret)
{
    static struct jb_log *log;
    static struct jb_log_identity identity;
    if (log == NULL) {
        JB_ASSERT(jb_log_open(base(), true, false, 0, &log, NULL) == JB_OK);
        JB_ASSERT(jb_log_identity(log, &identity, NULL) == JB_OK);
    }
    *ret = identity;
    return log;
}

static void
copy_file(const char *from_dir, const char *to_dir, const char *name)
{
    char from[SCRATCH_PATH_BYTES + 32], to[SCRATCH_PATH_BYTES + 32];
    static uint8_t bytes[1 << 18];
    snprintf(from, sizeof from, "%s/%s", from_dir, name);
    snprintf(to, sizeof to, "%s/%s", to_dir, name);
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0 && errno == ENOENT) {
        return;
    }
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t n = in >= 0 && out >= 0 ? read(in, bytes, sizeof bytes) : -1;
    JB_ASSERT(n >= 0 && write(out, bytes, (size_t)n) == n);
    close(in);
    close(out);
}

const char *
scratch_copy(const char *of, const char *name)
{
    static char path[SCRATCH_PATH_BYTES];
    scratch_path(name, path);
    remove_all(path);
    JB_ASSERT(mkdir(path, 0700) == 0);
    copy_file(of, path, "log.mdb");
    copy_file(of, path, "people.mdb");
    copy_file(of, path, "secret");
    return path;
}

const char *
scratch_ledger(const struct jb_log_batch *batch)
{
    struct jb_log *log;
    struct jb_log_head head = {.seq = batch->first - 1};
    enum jb_log_result result;
    struct jb_log_reader *reader;
    struct jb_error err;
    const char *path = scratch_copy(base(), "l");
    jb_status status = jb_log_open(path, false, false, 0, &log, &err);
    JB_ASSERT(status == JB_OK);
    status = jb_log_reader_open(log, &reader, &err);
    JB_ASSERT(status == JB_OK);
    status = jb_log_reader_renew(reader, &head, &err);
    JB_ASSERT(status == JB_OK);
    jb_log_reader_close(reader);
    status = jb_log_append(log, batch, &head, &result, &err);
    JB_ASSERT(status == JB_OK && result == JB_LOG_COMMITTED);
    jb_log_close(log);
    return path;
}

/* ---- asking ---- */

static struct jb_text
text(const char *s)
{
    return (struct jb_text){s, strlen(s)};
}

static bool
a_balance(void *data, const struct jb_wallet_balance *b)
{
    (void)b;
    return ++*(unsigned *)data < 8;
}

static bool
a_row(void *data, const struct jb_cash_row *row)
{
    (void)data, (void)row;
    return true;
}

static bool
a_history_row(void *data, const struct jb_history_row *row)
{
    (void)data, (void)row;
    return true;
}

static bool
a_day_row(void *data, const struct jb_cash_status *w, const struct jb_cash_row *row)
{
    (void)data, (void)w, (void)row;
    return true;
}

static bool
a_lot(void *data, const struct jb_lot_row *row)
{
    (void)data;
    return row->number < 20;
}

static bool
a_grant(void *data, const struct jb_grant_row *row)
{
    (void)data;
    return row->number < 20;
}

static bool
a_refund(void *data, const struct jb_refund_row *row)
{
    (void)data;
    return row->number < 20;
}

static bool
an_event(void *data, const struct jb_event *e)
{
    unsigned *seen = data;
    return jb_event_amount(e) >= 0 && ++*seen < 20;
}

static void
ask_lists(jb_views *v, const char *id, const struct jb_as_of *as_of)
{
    struct jb_error err;
    char next[JB_CURSOR_TEXT_BYTES] = "";
    for (int i = 0; i < 2; i++) {
        unsigned seen = 0;
        struct jb_events_query q = {.size = sizeof q, .wallet = text(id), .order = (jb_order)i};
        (void)!jb_lots_get(v, text(id), (jb_which)i, as_of, NULL, 20, a_lot, NULL, next, NULL,
                           &err);
        (void)!jb_grants_get(v, text(id), (jb_which)i, as_of, NULL, 20, a_grant, NULL, next, NULL,
                             &err);
        (void)!jb_refunds_get(v, text(id), (jb_which)i, as_of, NULL, 20, a_refund, NULL, next, NULL,
                              &err);
        (void)!jb_events_get(v, &q, as_of, NULL, 20, an_event, &seen, next, NULL, &err);
    }
}

static void
ask_wallet(jb_views *v, const char *id, const struct jb_as_of *as_of)
{
    struct jb_error err;
    struct jb_wallet_balance b = JB_SIZED(struct jb_wallet_balance);
    struct jb_cash_status cash = JB_SIZED(struct jb_cash_status);
    struct jb_explanation *why;
    char next[JB_CURSOR_TEXT_BYTES];
    (void)!jb_balance_get(v, text(id), as_of, &b, &err);
    (void)!jb_cash_status_get(v, text(id), JB_VIEW_POSTED, as_of, JB_NO_DAY, JB_NO_DAY, a_row, NULL,
                              &cash, &err);
    (void)!jb_cash_status_get(v, text(id), JB_VIEW_KNOWN, as_of, JB_NO_DAY, JB_NO_DAY, a_row, NULL,
                              &cash, &err);
    (void)!jb_history_get(v, text(id), JB_HISTORY_ALL, as_of, NULL, 20, a_history_row, NULL, next,
                          NULL, &err);
    if (jb_explain(v, text(id), as_of, &why, &err) == JB_OK) {
        jb_explanation_free(why);
    }
}

static void
ask_events(jb_ledger *l)
{
    struct jb_error err;
    jb_cursor *c;
    const struct jb_event *e;
    char id[JB_ID_BYTES_MAX], name[JB_PERSON_TEXT_BYTES];
    size_t n;
    if (jb_cursor_open(l, 1, &c, &err) != JB_OK) {
        return;
    }
    while (jb_cursor_next(c, &e, &err) == JB_OK) {
        uint64_t note = e->note;
        (void)!jb_event_id(l, e, id, &n, &err);
        (void)!jb_person_text(l, note, name, &n, &err);
    }
    jb_cursor_close(c);
}

static void
ask(jb_ledger *l)
{
    struct jb_error err;
    struct jb_ledger_stat st = JB_SIZED(struct jb_ledger_stat);
    (void)!jb_ledger_stat_get(l, &st, &err);
    ask_events(l);
    jb_views *v;
    if (jb_views_open(l, &v, &err) != JB_OK) {
        return;
    }
    unsigned seen = 0;
    (void)!jb_balance_each(v, NULL, a_balance, &seen, &err);
    const struct jb_as_of before = {.kind = JB_AS_OF_SEQ, .seq = st.events / 2 + 1};
    for (char id[] = "A"; id[0] < 'D'; id[0]++) {
        ask_wallet(v, id, NULL);
        ask_wallet(v, id, &before);
        ask_lists(v, id, NULL);
        ask_lists(v, id, &before);
    }
    (void)!jb_cash_day_each(v, st.closed_through, NULL, a_day_row, NULL, &err);
    jb_views_close(v);
}

bool
scratch_ask(const char *path)
{
    struct jb_error err = {0};
    struct jb_audit_report *report;
    bool verified = false;
    if (jb_audit(path, NULL, &report, &err) == JB_OK) {
        verified = report->verdict == JB_VERIFIED;
        jb_audit_report_free(report);
    }
    jb_ledger *l;
    if (jb_open(path, NULL, &l, &err) == JB_OK) {
        ask(l);
        jb_close(l);
        struct jb_rebuild_result again = JB_SIZED(struct jb_rebuild_result);
        jb_status status = jb_rebuild(path, NULL, &again, &err);
        JB_ASSERT(!verified || (status == JB_OK && (!again.had_state || again.same_state) &&
                                (!again.had_views || again.same_views)));
    } else {
        JB_ASSERT(!verified);
    }
    return verified;
}

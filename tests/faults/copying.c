/*
 * A backup while the log's map grows, in one process: the copy reads a map that nobody may take
 * away under it. And more handles than LMDB has places for readers.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <jangbu/ledger.h>

#include "../check.h"

#define WALLETS 2000
#define BATCHES 40
#define HANDLES 1100

static jb_ledger *ledger;
static atomic_bool over;

static void
limit(__rlimit_resource_t what, rlim_t least)
{
    struct rlimit r;
    must(getrlimit(what, &r) == 0, "no limits");
    r.rlim_cur = least < r.rlim_max ? least : r.rlim_max;
    must(setrlimit(what, &r) == 0, "cannot set a limit");
}

static void *
write_on(void *data)
{
    static struct jb_command list[WALLETS];
    static char ids[WALLETS][64];
    struct jb_error err;
    jb_answers *answers = jb_answers_new();
    unsigned long busy = 0;
    for (long batch = 0; batch < BATCHES; batch++) {
        for (int i = 0; i < WALLETS; i++) {
            snprintf(ids[i], sizeof ids[i], "%060ld", batch * WALLETS + i);
            list[i] = (struct jb_command){.size = sizeof list[i],
                                          .op = JB_OP_WALLET_CREATE,
                                          .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_KIND) |
                                                 JB_HAS(JB_CF_NAME),
                                          .wallet = {ids[i], 60},
                                          .kind = 1,
                                          .name = {"name", 4}};
        }
        jb_status status = jb_submit(ledger, list, WALLETS, NULL, answers, NULL, &err);
        busy += status == JB_E_BUSY; /* the copy was in the way for too long */
        must(status == JB_OK || status == JB_E_BUSY, err.text);
    }
    jb_answers_free(answers);
    over = true;
    *(unsigned long *)data = busy;
    return NULL;
}

static void
copy_while_it_grows(const char *scratch)
{
    char dest[96];
    struct jb_error err;
    pthread_t thread;
    unsigned long busy = 0, copies = 0;
    must(pthread_create(&thread, NULL, write_on, &busy) == 0, "no thread");
    while (!over) {
        snprintf(dest, sizeof dest, "%s/copy-%lu", scratch, copies++);
        must(jb_backup(ledger, dest, NULL, NULL, &err) == JB_OK, err.text);
        jb_ledger *copy;
        struct jb_open_options o = {.size = sizeof o, .read_only = true};
        must(jb_open(dest, &o, &copy, &err) == JB_OK, err.text);
        jb_close(copy);
    }
    pthread_join(thread, NULL);
    printf("%lu copies while the map grew, %lu times busy\n", copies, busy);
    must(copies > 2 && busy < BATCHES / 2, "the test shows nothing");
}

static void
many_handles(const char *dir)
{
    static jb_ledger *list[HANDLES];
    struct jb_error err;
    struct jb_open_options o = {.size = sizeof o, .read_only = true};
    limit(RLIMIT_NOFILE, 8192);
    int n = 0;
    while (n < HANDLES && jb_open(dir, &o, &list[n], &err) == JB_OK) {
        n++;
    }
    must(n == HANDLES, err.text);
    for (int i = 0; i < HANDLES; i++) {
        struct jb_head head = JB_SIZED(struct jb_head);
        must(jb_head_get(list[i], &head, &err) == JB_OK, err.text);
    }
    /* Snapshots that are held at once are what takes places, and the sentence counts them. */
    static jb_cursor *cursors[HANDLES];
    const struct jb_event *e;
    jb_status status = JB_OK;
    for (n = 0; n < HANDLES && status == JB_OK; n++) {
        status = jb_cursor_open(list[n], 1, &cursors[n], &err);
        status = status == JB_OK ? jb_cursor_next(cursors[n], &e, &err) : status;
    }
    must(status == JB_E_BUSY && strstr(err.text, "1024 snapshots of about 1 process") != NULL,
         err.text);
    for (int i = 0; i < n; i++) {
        jb_cursor_rest(cursors[i]);
    }
    must(jb_cursor_next(cursors[0], &e, &err) == JB_OK, "cursors that rest are in nobody's way");
    for (int i = 0; i < HANDLES; i++) {
        jb_cursor_close(cursors[i]);
        jb_close(list[i]);
    }
}

int
main(void)
{
    char scratch[] = "/tmp/jangbu-copying-XXXXXX", dir[64];
    make_scratch(scratch);
    snprintf(dir, sizeof dir, "%s/L", scratch);
    struct jb_error err;
    struct jb_open_options o = {.size = sizeof o};
    must(jb_init(dir, NULL, &err) == JB_OK, "no ledger");
    limit(RLIMIT_AS, 80U << 20);
    must(jb_open(dir, &o, &ledger, &err) == JB_OK, err.text);
    limit(RLIMIT_AS, RLIM_INFINITY);
    copy_while_it_grows(scratch);
    jb_close(ledger);
    many_handles(dir);
    remove_scratch(scratch);
    return 0;
}

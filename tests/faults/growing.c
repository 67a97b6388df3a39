/* Little address space: the log's map has to grow, while the thread that writes has a cursor open.
 * It is told so, and once the cursor is closed it goes on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <jangbu/ledger.h>

#include "../check.h"

#define WALLETS 2000

static void
limit_space(rlim_t bytes)
{
    struct rlimit r;
    must(getrlimit(RLIMIT_AS, &r) == 0, "no limits");
    r.rlim_cur = bytes;
    must(setrlimit(RLIMIT_AS, &r) == 0, "cannot limit the address space");
}

int
main(void)
{
    char scratch[] = "/tmp/jangbu-growing-XXXXXX", dir[64];
    make_scratch(scratch);
    snprintf(dir, sizeof dir, "%s/L", scratch);
    struct jb_error err;
    struct jb_open_options o = {.size = sizeof o};
    jb_ledger *l = NULL;
    must(jb_init(dir, NULL, &err) == JB_OK, "no ledger");
    limit_space(60U << 20);
    must(jb_open(dir, &o, &l, &err) == JB_OK, "cannot open it with little address space");
    limit_space(RLIM_INFINITY);
    jb_answers *answers = jb_answers_new();
    jb_cursor *cursor = NULL;
    const struct jb_event *e;
    must(jb_cursor_open(l, 1, &cursor, &err) == JB_OK && jb_cursor_next(cursor, &e, &err) == JB_OK,
         "no cursor");

    static struct jb_command list[WALLETS];
    static char ids[WALLETS][64];
    bool refused = false, grown = false;
    for (long batch = 0; batch < 300 && !grown; batch++) {
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
        jb_status status = jb_submit(l, list, WALLETS, NULL, answers, NULL, &err);
        if (status != JB_OK && !refused) {
            printf("%s: %s\n", jb_status_word(status), err.text);
            must(status == JB_E_BUSY && strstr(err.text, "cursor") != NULL,
                 "it does not say that a cursor is in the way");
            jb_cursor_close(cursor);
            refused = true;
            status = jb_submit(l, list, WALLETS, NULL, answers, NULL, &err);
            grown = status == JB_OK;
        }
        must(status == JB_OK, "it does not go on");
    }
    must(refused && grown, "the map never had to grow: the test shows nothing");
    jb_answers_free(answers);
    jb_close(l);
    remove_scratch(scratch);
    return 0;
}

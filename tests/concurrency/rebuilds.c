/* Two rebuilds of one ledger at once: the second is told to wait, and the first ends with what was
 * there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jangbu/ledger.h>
#include <jangbu/replay.h>

#include "../check.h"

static char dir[64];
static int inner;
static char inner_text[JB_ERROR_TEXT_BYTES];

/* Called from inside the first rebuild. */
static void
progress(void *data, uint64_t done, uint64_t all)
{
    (void)data;
    (void)done;
    (void)all;
    if (inner == 0) {
        struct jb_rebuild_result r = {.size = sizeof r};
        struct jb_error err;
        inner = jb_rebuild(dir, NULL, &r, &err);
        snprintf(inner_text, sizeof inner_text, "%s", err.text);
    }
}

int
main(void)
{
    char scratch[] = "/tmp/jangbu-rebuilds-XXXXXX";
    make_scratch(scratch);
    snprintf(dir, sizeof dir, "%s/L", scratch);
    struct jb_error err;
    struct jb_open_options o = {.size = sizeof o};
    jb_ledger *l = NULL;
    must(jb_init(dir, NULL, &err) == JB_OK && jb_open(dir, &o, &l, &err) == JB_OK, "no ledger");
    jb_answers *answers = jb_answers_new();
    struct jb_command create = {.size = sizeof create,
                                .op = JB_OP_WALLET_CREATE,
                                .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_KIND) |
                                       JB_HAS(JB_CF_NAME) | JB_HAS(JB_CF_KEY),
                                .wallet = {"W", 1},
                                .kind = 1,
                                .name = {"name", 4},
                                .key = {"key", 3}};
    size_t done;
    must(jb_submit(l, &create, 1, NULL, answers, &done, &err) == JB_OK &&
             jb_answers_at(answers, 0)->outcome == JB_DONE,
         "no wallet");
    jb_close(l);

    struct jb_rebuild_options w = {.size = sizeof w, .on_progress = progress};
    struct jb_rebuild_result r = {.size = sizeof r};
    must(jb_rebuild(dir, &w, &r, &err) == JB_OK, "the first rebuild failed");
    printf("the second: %s: %s\n", jb_status_word((jb_status)inner), inner_text);
    must(inner == JB_E_BUSY && strstr(inner_text, "another rebuild") != NULL,
         "the second rebuild was not told to wait");
    must(r.had_state && r.same_state, "the first rebuild's state differs from what was there");
    r = (struct jb_rebuild_result){.size = sizeof r};
    must(jb_rebuild(dir, NULL, &r, &err) == JB_OK && r.same_state && r.same_views,
         "and afterwards none can be made");

    must(jb_open(dir, &o, &l, &err) == JB_OK, "cannot open it again");
    must(jb_submit(l, &create, 1, NULL, answers, &done, &err) == JB_OK &&
             jb_answers_at(answers, 0)->outcome == JB_DUPLICATE,
         "a key was forgotten");
    jb_answers_free(answers);
    jb_close(l);
    remove_scratch(scratch);
    return 0;
}

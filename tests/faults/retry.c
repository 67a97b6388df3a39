/*
 * A program that does what docs/library.md says: it keeps its handle, and asks again with the same
 * key after a failure. Run with the shim, which makes one call fail.
 *
 * usage: retry LEDGER COMMANDS [cursor|behind]   a cursor stays open all the time; or it waits
 * until writing behind is due with the first command Prints the status words of failures; exits
 * with 0 when every command was settled.
 */
#include <jangbu/ledger.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../check.h"

static struct jb_text
text(const char *s)
{
    return (struct jb_text){s, strlen(s)};
}

static bool
settle(jb_ledger *l, const struct jb_command *c, jb_answers *answers, jb_seq *ret_seq)
{
    struct jb_error err;
    for (int i = 0; i < 4; i++) {
        jb_status status = jb_submit(l, c, 1, NULL, answers, NULL, &err);
        if (status == JB_OK) {
            const struct jb_answer *a = jb_answers_at(answers, 0);
            *ret_seq = a->seq;
            return a->outcome == JB_DONE || a->outcome == JB_DUPLICATE;
        }
        printf("%s ", jb_status_word(status));
        fprintf(stderr, "%s\n", err.text);
    }
    return false;
}

int
main(int argc, char **argv)
{
    struct jb_error err;
    jb_ledger *l;
    jb_cursor *cursor = NULL;
    const struct jb_event *e;
    must(argc >= 3, "usage");
    if (jb_open(argv[1], NULL, &l, &err) != JB_OK) {
        printf("open %s: %s\n", jb_status_word(err.status), err.text);
        return 2;
    }
    jb_answers *answers = jb_answers_new();
    if (argc > 3 && strcmp(argv[3], "behind") == 0) {
        usleep(1100 * 1000);
    } else if (argc > 3) {
        must(jb_cursor_open(l, 1, &cursor, &err) == JB_OK, "no cursor");
        while (jb_cursor_next(cursor, &e, &err) == JB_OK) {
        }
    }
    jb_seq before = 0;
    for (int i = 0; i < atoi(argv[2]); i++) {
        char id[24];
        jb_seq seq = 0;
        snprintf(id, sizeof id, "U%d", i);
        struct jb_command c = {.size = sizeof c,
                               .op = JB_OP_CONSUME,
                               .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_USAGE) |
                                      JB_HAS(JB_CF_AMOUNT) | JB_HAS(JB_CF_KEY) | JB_HAS(JB_CF_NOTE),
                               .wallet = text("W"),
                               .id = text(id),
                               .amount = 1,
                               .key = text(id),
                               .note = text(id)};
        must(settle(l, &c, answers, &seq), "a command was not settled");
        must(seq > before, "an answer of another command");
        before = seq;
        if (cursor != NULL) {
            jb_seq seen = 0;
            jb_status status;
            while ((status = jb_cursor_next(cursor, &e, &err)) == JB_OK) {
                seen = e->seq;
            }
            must(status == JB_END && seen == seq, "the cursor does not go on");
        }
    }
    jb_cursor_close(cursor);
    jb_answers_free(answers);
    jb_close(l);
    return 0;
}

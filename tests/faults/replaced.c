/*
 * log.mdb or people.mdb is removed, renamed or replaced under a handle: whoever writes says so with
 * the next command, before anything is acknowledged that is in no file of the ledger; whoever reads
 * says so within a second. And a process that goes to another directory finds its ledger still.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jangbu/ledger.h>

#include "../check.h"

/* %1$s: the ledger, which is a symbolic link to %1$s.real; %1$s.copy: a backup of it. */
static const struct {
    const char *command;
    bool log_is_there; /* afterwards, with what was acknowledged before */
} ways[] = {
    {"rm %1$s/log.mdb", false},
    {"rm %1$s/people.mdb", true},
    {"mv %1$s/log.mdb %1$s/log.old", false},
    {"mv %1$s.copy/log.mdb %1$s/log.mdb", true},
    {"cp %1$s.copy/log.mdb %1$s/new && mv %1$s/new %1$s/log.mdb", true},
    {"mv %1$s.copy/people.mdb %1$s/people.mdb", true},
    {"rm -r %1$s.real", false},
    {"mv %1$s.real %1$s.away", false},
    {"mv %1$s.real %1$s.away && mv %1$s.copy %1$s.real", true},
    {"ln -sfn %1$s.copy %1$s", true},
};

static void
shell(const char *format, const char *dir)
{
    char command[512];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(command, sizeof command, format, dir);
#pragma GCC diagnostic pop
    must(system(command) == 0, command);
}

static jb_status
submit(jb_ledger *l, const struct jb_command *c, struct jb_error *err)
{
    jb_answers *answers = jb_answers_new();
    jb_status status = jb_submit(l, c, 1, NULL, answers, NULL, err);
    must(status != JB_OK || jb_answers_at(answers, 0)->outcome == JB_DONE, "it was refused");
    must(status == JB_OK || jb_answers_at(answers, 0)->outcome != JB_DONE, "done, and not");
    jb_answers_free(answers);
    return status;
}

static jb_status
create(jb_ledger *l, const char *id, struct jb_error *err)
{
    struct jb_command c;
    jb_command_begin(&c, JB_OP_WALLET_CREATE);
    jb_set_wallet(&c, jb_text_of(id));
    jb_set_kind(&c, JB_KIND_BUSINESS);
    jb_set_name(&c, jb_text_of("name"));
    return submit(l, &c, err);
}

static jb_status
charge(jb_ledger *l, const char *id, struct jb_error *err)
{
    struct jb_command c;
    jb_command_begin(&c, JB_OP_CHARGE);
    jb_set_wallet(&c, jb_text_of("W"));
    jb_set_charge(&c, jb_text_of(id));
    jb_set_amount(&c, 1000);
    return submit(l, &c, err);
}

static bool
says_so(jb_status status, const struct jb_error *err)
{
    return status == JB_E_USAGE && strstr(err->text, "removed, renamed or replaced") != NULL;
}

static jb_seq
end_of(const char *dir)
{
    struct jb_error err;
    jb_ledger *l;
    struct jb_head head = JB_SIZED(struct jb_head);
    must(jb_open(dir, NULL, &l, &err) == JB_OK, err.text);
    must(jb_head_get(l, &head, &err) == JB_OK, err.text);
    jb_close(l);
    return head.seq;
}

static void
make(const char *dir)
{
    struct jb_error err;
    char real[128];
    snprintf(real, sizeof real, "%s.real", dir);
    must(jb_init(real, NULL, &err) == JB_OK, err.text);
    shell("ln -s %1$s.real %1$s", dir);
}

static void
one_way(const char *dir, size_t i)
{
    struct jb_error err = {0};
    jb_ledger *l, *reader;
    char copy[128];
    struct jb_head head = JB_SIZED(struct jb_head);
    struct jb_open_options reads = JB_SIZED(struct jb_open_options);
    reads.read_only = 1;
    make(dir);
    must(jb_open(dir, NULL, &l, &err) == JB_OK, err.text);
    must(jb_open(dir, &reads, &reader, &err) == JB_OK, err.text);
    must(create(l, "W", &err) == JB_OK && charge(l, "before", &err) == JB_OK, err.text);
    must(jb_head_get(l, &head, &err) == JB_OK, err.text);
    jb_seq acknowledged = head.seq;
    snprintf(copy, sizeof copy, "%s.copy", dir);
    must(jb_backup(l, copy, NULL, NULL, &err) == JB_OK, err.text);

    shell(ways[i].command, dir);
    /* With a text for people.mdb and without, which needs that file once a second only. */
    bool people = strstr(ways[i].command, "people.mdb") != NULL;
    jb_status status = charge(l, "after", &err);
    must(says_so(status, &err) || (people && status == JB_OK), ways[i].command);
    acknowledged += status == JB_OK;
    must(says_so(create(l, "V", &err), &err), ways[i].command);
    usleep(1100 * 1000);
    must(says_so(charge(l, "later", &err), &err), ways[i].command);
    status = jb_head_get(reader, &head, &err);
    must(people ? status == JB_OK : says_so(status, &err), ways[i].command);
    snprintf(copy, sizeof copy, "%s.copy2", dir);
    must(says_so(jb_backup(l, copy, NULL, NULL, &err), &err), "a backup of a file that is gone");
    jb_close(reader);
    jb_close(l);
    if (ways[i].log_is_there) {
        must(end_of(dir) == acknowledged, ways[i].command);
    }
    shell("rm -rf %1$s %1$s.*", dir);
}

/* A ledger that was opened by a relative path is the same one from everywhere. */
static void
elsewhere(const char *scratch)
{
    struct jb_error err;
    jb_ledger *l;
    char requires[128];
    must(chdir(scratch) == 0 && jb_init("here", NULL, &err) == JB_OK, "cannot make it");
    must(jb_open("here", NULL, &l, &err) == JB_OK, err.text);
    must(chdir("/") == 0, "cannot go away");
    must(create(l, "W", &err) == JB_OK && charge(l, "a", &err) == JB_OK, err.text);
    snprintf(requires, sizeof requires, "%s/here/requires", scratch);
    FILE *f = fopen(requires, "w");
    must(f != NULL && fputs("write journal\n", f) >= 0 && fclose(f) == 0, "cannot mark it");
    usleep(1100 * 1000);
    must(charge(l, "b", &err) == JB_E_FORMAT, "a mark is not seen from elsewhere");
    jb_close(l);
}

int
main(void)
{
    char scratch[] = "/tmp/replaced-XXXXXX", dir[64];
    make_scratch(scratch);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        snprintf(dir, sizeof dir, "%s/%zu", scratch, i);
        one_way(dir, i);
    }
    elsewhere(scratch);
    remove_scratch(scratch);
    return 0;
}

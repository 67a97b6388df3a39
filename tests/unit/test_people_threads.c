/*
 * Who asks about people while others write: a reference stands for one person, whoever looked for
 * another meanwhile; and where there is no people.mdb nobody is known. Under TSan: nothing of the
 * writer's is touched.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jangbu/projections.h>

#include "../check.h"

#define BATCH 50
#define BATCHES 40

static jb_ledger *l;
static jb_views *v;
static struct jb_error err;
static atomic_bool over;

static bool
each_wallet(void *data, const struct jb_wallet_row *row)
{
    (void)row;
    ++*(unsigned *)data;
    return true;
}

/* How many wallets somebody is master of. */
static unsigned
ask(struct jb_error *e)
{
    unsigned n = 0;
    struct jb_may may = JB_SIZED(struct jb_may);
    const struct jb_wallets_query q = {.size = sizeof q, .master = jb_text_of("somebody")};
    must(jb_wallets_find(v, &q, NULL, NULL, 9, each_wallet, &n, NULL, NULL, e) == JB_OK, e->text);
    must(jb_may_get(l, jb_text_of("W1"), jb_text_of("somebody"), (struct jb_text){NULL, 0}, NULL,
                    NULL, &may, e) == JB_OK,
         e->text);
    must((may.actor != 0) == (n != 0), "he is known where he is master");
    return n;
}

static void *
keep_asking(void *unused)
{
    struct jb_error e;
    (void)unused;
    while (!atomic_load(&over)) {
        must(ask(&e) == 0, "nobody is somebody");
    }
    return NULL;
}

static void
submit(struct jb_command *list, size_t n, jb_answers *answers)
{
    must(jb_submit(l, list, n, NULL, answers, NULL, &err) == JB_OK, err.text);
    for (size_t i = 0; i < n; i++) {
        must(jb_answers_at(answers, i)->outcome == JB_DONE,
             jb_answer_message(jb_answers_at(answers, i)));
    }
}

static void
write_people(jb_answers *answers)
{
    struct jb_command list[BATCH];
    char ids[BATCH][24], actors[BATCH][24];
    for (unsigned n = 0; n < BATCH * BATCHES;) {
        for (unsigned i = 0; i < BATCH; i++, n++) {
            snprintf(ids[i], sizeof ids[i], "C%u", n);
            snprintf(actors[i], sizeof actors[i], "person-%u", n);
            jb_command_begin(&list[i], JB_OP_CHARGE);
            jb_set_wallet(&list[i], jb_text_of("W1"));
            jb_set_charge(&list[i], jb_text_of(ids[i]));
            jb_set_method(&list[i], JB_METHOD_ADMIN_CASH);
            jb_set_amount(&list[i], 1);
            jb_set_actor(&list[i], jb_text_of(actors[i]), jb_text_of("operator"));
        }
        submit(list, BATCH, answers);
    }
}

static void
check_people(void)
{
    jb_cursor *c;
    const struct jb_event *e;
    unsigned n = 0;
    must(jb_cursor_open(l, 1, &c, &err) == JB_OK, err.text);
    while (jb_cursor_next(c, &e, &err) == JB_OK) {
        char id[24], found[JB_PERSON_TEXT_BYTES];
        size_t found_n = 0;
        jb_person_why why;
        if (e->type == JB_EV_CHARGE_SETTLED) {
            snprintf(id, sizeof id, "person-%u", n++);
            must(jb_person_get(l, e->actor, found, &found_n, &why, &err) == JB_OK, err.text);
            must(found_n == strlen(id) && memcmp(found, id, found_n) == 0, "he himself");
        }
    }
    jb_cursor_close(c);
    must(n == BATCH * BATCHES, "all of them");
}

int
main(void)
{
    char dir[] = "/dev/shm/jangbu-people-XXXXXX", people[64];
    struct jb_command made;
    pthread_t threads[2];
    must(mkdtemp(dir) != NULL, "a directory");
    must(jb_init(dir, NULL, &err) == JB_OK && jb_open(dir, NULL, &l, &err) == JB_OK, err.text);
    must(jb_views_open(l, &v, &err) == JB_OK, err.text);
    jb_answers *answers = jb_answers_new();
    jb_command_begin(&made, JB_OP_WALLET_CREATE);
    jb_set_wallet(&made, jb_text_of("W1"));
    jb_set_kind(&made, JB_KIND_PERSONAL);
    jb_set_name(&made, jb_text_of("a name"));
    submit(&made, 1, answers);
    for (int i = 0; i < 2; i++) {
        must(pthread_create(&threads[i], NULL, keep_asking, NULL) == 0, "a thread");
    }
    write_people(answers);
    atomic_store(&over, true);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    check_people();
    jb_answers_free(answers);
    jb_views_close(v);
    jb_close(l);

    /* people.mdb may be gone: names are, and nothing else. */
    snprintf(people, sizeof people, "%s/people.mdb", dir);
    must(unlink(people) == 0, "people.mdb is removed");
    const struct jb_open_options o = {.size = sizeof o, .read_only = true};
    must(jb_open(dir, &o, &l, &err) == JB_OK && jb_views_open(l, &v, &err) == JB_OK, err.text);
    must(ask(&err) == 0, "nobody is known");
    jb_views_close(v);
    jb_close(l);
    remove_scratch(dir);
    return 0;
}

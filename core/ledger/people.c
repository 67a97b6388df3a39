/* The ledger's side of people.mdb: opening it, what comes before each commit, forgetting in steps,
 * and what may be asked about it. */
#include <stdio.h>
#include <string.h>

#include "ledger/internal.h"
#include "state/around.h"

/* Of a step that is only on the way of somebody's commit. */
#define OWNERS_ON_THE_WAY 512
#define OWNERS_IN_A_STEP 8192

/* ---- opening ---- */

static bool
is_sealed_by_log(const struct jb_ledger *l)
{
    bool known;
    const struct jb_globals *g = jb_ledger_as_opened(l, &known);
    return known && g->people_layout == 2;
}

/* What a program that was killed did not bring to its end. Where that fails, the next commit says
 * why. */
static void
finish_forgetting(struct jb_ledger *l)
{
    struct jb_error ignored;
    jb_status status = JB_OK;
    bool done = false;
    while (status == JB_OK && !done) {
        status = jb_lock_take(l->lock, JB_LOCK_WRITER, l->lock_wait_us, 0, &ignored);
        if (status != JB_OK) {
            return;
        }
        jb_ledger_take_writing(l);
        status = jb_log_catch_up(l->log, &ignored);
        status = status == JB_OK ? jb_state_catch_up(l->state, &ignored) : status;
        status = status == JB_OK ? jb_ledger_may_write(l, &ignored) : status;
        status = status == JB_OK ? jb_people_begin(l, &ignored) : status;
        status = status == JB_OK
                     ? jb_people_step(l, l->state->g.forgotten, OWNERS_IN_A_STEP, &done, &ignored)
                     : status;
        jb_ledger_note_fault(l, status, &ignored);
        jb_state_release(l->state);
        jb_lock_release(l->lock, JB_LOCK_WRITER);
    }
}

static bool
has_work(struct jb_ledger *l)
{
    struct jb_people_info info;
    struct jb_error ignored;
    bool known;
    const struct jb_globals *g = jb_ledger_as_opened(l, &known);
    return !l->read_only && l->unkeyed.status == JB_OK && jb_personal_layout(l->personal) == 2 &&
           known && jb_personal_info(l->personal, &info, &ignored) == JB_OK &&
           (info.old_epoch != 0 || info.done < g->forgotten) && info.done <= g->seq;
}

jb_status
jb_people_open(struct jb_ledger *l, struct jb_error *err)
{
    bool sealed = is_sealed_by_log(l);
    jb_status status = sealed && !l->read_only ? jb_encrypt_finish(l->place, err) : JB_OK;
    status = status == JB_OK ? jb_personal_open(l->dir, l->identity.ledger_id, l->key_file,
                                                l->read_only, !sealed, &l->personal, err)
                             : status;
    if (status != JB_OK) {
        return status;
    }
    if (sealed && jb_personal_layout(l->personal) != 2) {
        (void)(jb_personal_layout(l->personal) == 0
                   ? jb_fail(
                         &l->unkeyed, JB_E_KEY,
                         "people.mdb of %s is missing, and the log says that it was sealed: put "
                         "the newest one back",
                         l->dir)
                   : jb_fail(&l->unkeyed, JB_E_KEY,
                             "people.mdb of %s is one from before it was sealed: put the newest "
                             "one back",
                             l->dir));
    }
    if (has_work(l)) {
        finish_forgetting(l);
    }
    return JB_OK;
}

/* ---- before a commit ---- */

static bool
add_dead(struct jb_owner *list, size_t max, size_t *n, uint32_t kind, uint64_t number)
{
    if (number != 0 && *n < max) {
        list[(*n)++] = (struct jb_owner){kind, number};
    }
    return *n < max;
}

#define DEAD_MAX 300

/* The owners whom events behind `from` forgot are forgotten here, too. */
static jb_status
kill_since(struct jb_ledger *l, jb_seq from, struct jb_error *err)
{
    jb_seq last = l->state->g.forgotten;
    while (from < last) {
        struct jb_owner dead[DEAD_MAX];
        size_t n = 0;
        while (from < last && n + 3 <= DEAD_MAX) {
            const struct jb_event *e;
            jb_status status = jb_state_event(l->state, ++from, &e, err);
            if (status != JB_OK) {
                return status;
            }
            if (e->type == JB_EV_FORGOTTEN) {
                add_dead(dead, DEAD_MAX, &n, JB_OWNER_PERSON, e->forgotten.person);
                add_dead(dead, DEAD_MAX, &n, JB_OWNER_WALLET, e->forgotten.wallet_no);
                add_dead(dead, DEAD_MAX, &n, JB_OWNER_BUSINESS,
                         jb_business_number(e->forgotten.biz));
            }
        }
        jb_status status = jb_personal_kill(l->personal, dead, n, from, err);
        if (status != JB_OK) {
            return status;
        }
    }
    return JB_OK;
}

static jb_status
last_master(void *data, uint32_t wallet, uint64_t *ret, struct jb_error *err)
{
    struct jb_ledger *l = data;
    struct jb_wallet_around around;
    jb_status status = jb_around_wallet(l->state, wallet, &around, err);
    *ret = status == JB_OK ? around.master : 0;
    return status;
}

static jb_status
is_deleted(void *data, uint32_t wallet, bool *ret, struct jb_error *err)
{
    struct jb_ledger *l = data;
    struct jb_cached_wallet *s;
    jb_status status = jb_state_wallet(l->state, wallet, &s, err);
    *ret = status == JB_OK && s->w.status == JB_WALLET_DELETED;
    return status;
}

jb_status
jb_people_step(struct jb_ledger *l, jb_seq seq, size_t owners, bool *ret_done, struct jb_error *err)
{
    struct jb_people_info info;
    *ret_done = jb_personal_layout(l->personal) != 2;
    if (*ret_done) {
        return JB_OK;
    }
    jb_status status = jb_personal_info(l->personal, &info, err);
    if (status == JB_OK && info.killed < seq) {
        status = kill_since(l, info.killed, err);
    } else if (status == JB_OK && info.old_epoch == 0 && info.done >= seq) {
        *ret_done = true;
        return JB_OK;
    }
    const struct jb_rotation r = {owners, last_master, is_deleted, l};
    bool ended = false;
    status = status == JB_OK ? jb_personal_rotate(l->personal, &r, &ended, err) : status;
    if (status == JB_OK && ended) {
        status = jb_personal_info(l->personal, &info, err);
        *ret_done = status == JB_OK && info.old_epoch == 0 && info.done >= seq;
    }
    return status;
}

jb_status
jb_people_begin(struct jb_ledger *l, struct jb_error *err)
{
    struct jb_people_info info;
    const struct jb_globals *g = &l->state->g;
    if (l->unkeyed.status != JB_OK) {
        return jb_fail(err, l->unkeyed.status, "%s", l->unkeyed.text);
    }
    jb_status status = jb_personal_begin(l->personal, g->last_ref, g->seq, err);
    if (status != JB_OK || jb_personal_layout(l->personal) != 2) {
        return status;
    }
    status = jb_personal_info(l->personal, &info, err);
    if (status == JB_OK && info.killed < g->forgotten) {
        status = kill_since(l, info.killed, err);
    }
    bool done;
    return status == JB_OK && (info.old_epoch != 0 || info.done < g->forgotten)
               ? jb_people_step(l, g->forgotten, OWNERS_ON_THE_WAY, &done, err)
               : status;
}

/* ---- calls of their own ---- */

/* One thing to do as a writer, the lock taken and the state at the end of the log. */
typedef jb_status (*writer_step)(struct jb_ledger *l, void *data, struct jb_error *err);

static jb_status
as_writer(struct jb_ledger *l, writer_step step, void *data, struct jb_error *err)
{
    struct jb_error own;
    err = err != NULL ? err : &own;
    if (l->closed) {
        return jb_fail_closed(err);
    }
    if (l->refused.status != JB_OK) {
        return jb_fail_refused(l, err);
    }
    if (l->read_only) {
        return jb_fail(err, JB_E_READONLY, "the ledger in %s is open for reading only", l->dir);
    }
    if (jb_log_forked(l->log)) {
        return jb_fail(err, JB_E_USAGE,
                       "the ledger was opened before fork(); open it in the child");
    }
    pthread_mutex_lock(&l->state_lock);
    jb_status status = jb_lock_take(l->lock, JB_LOCK_WRITER, l->lock_wait_us, 0, err);
    if (status != JB_OK) {
        pthread_mutex_unlock(&l->state_lock);
        return status;
    }
    jb_ledger_take_writing(l);
    status = jb_log_catch_up(l->log, err);
    if (status == JB_OK && jb_lock_has_fault(l->lock)) {
        status = jb_ledger_clear_fault(l, err);
    }
    status = status == JB_OK ? jb_state_catch_up(l->state, err) : status;
    status = status == JB_OK ? jb_ledger_may_write(l, err) : status;
    status = status == JB_OK ? step(l, data, err) : status;
    if (status != JB_OK) {
        jb_ledger_note_fault(l, status, err);
        l->state->usable = false;
    }
    jb_state_release(l->state);
    jb_lock_release(l->lock, JB_LOCK_WRITER);
    pthread_mutex_unlock(&l->state_lock);
    return status;
}

static jb_status
not_sealed(const struct jb_ledger *l, struct jb_error *err)
{
    return jb_fail(
        err, JB_E_KEY,
        "people.mdb of %s is not sealed and has no key: `jangbu people encrypt` seals it", l->dir);
}

struct rotating {
    bool begun, done;
    uint64_t epoch; /* the one to get rid of */
};

/* What others left is brought to its end first. */
static jb_status
rotate_step(struct jb_ledger *l, void *data, struct jb_error *err)
{
    struct rotating *r = data;
    struct jb_people_info info;
    if (jb_personal_layout(l->personal) != 2) {
        return not_sealed(l, err);
    }
    jb_status status = jb_people_begin(l, err);
    status = status == JB_OK ? jb_personal_may_rotate(l->personal, err) : status;
    status = status == JB_OK ? jb_personal_info(l->personal, &info, err) : status;
    if (status == JB_OK && !r->begun) {
        r->begun = true;
        r->epoch = info.epoch;
    }
    if (status != JB_OK || (info.old_epoch == 0 && info.epoch > r->epoch)) {
        r->done = status == JB_OK;
        return status;
    }
    const struct jb_rotation how = {OWNERS_IN_A_STEP, last_master, is_deleted, l};
    bool ended;
    return jb_personal_rotate(l->personal, &how, &ended, err);
}

jb_status
jb_people_rotate(jb_ledger *l, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    struct rotating r = {0};
    jb_status status = l != NULL ? JB_OK : jb_fail_null(err, "jb_people_rotate");
    while (status == JB_OK && !r.done) {
        status = as_writer(l, rotate_step, &r, err);
    }
    return status;
}

static jb_status
accept_step(struct jb_ledger *l, void *data, struct jb_error *err)
{
    (void)data;
    if (l->unkeyed.status != JB_OK) {
        return jb_fail(err, l->unkeyed.status, "%s", l->unkeyed.text);
    }
    return jb_personal_accept(l->personal, l->state->g.last_ref, err);
}

jb_status
jb_people_accept(jb_ledger *l, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    return l != NULL ? as_writer(l, accept_step, NULL, err) : jb_fail_null(err, "jb_people_accept");
}

jb_status
jb_people_stat_get(jb_ledger *l, struct jb_people_stat *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    if (l == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_people_stat_get");
    }
    if (l->closed) {
        return jb_fail_closed(err);
    }
    struct jb_people_stat st = {.size = sizeof st,
                                .layout = jb_personal_layout(l->personal),
                                .key_file = jb_personal_key_file(l->personal)};
    if (st.layout == 2) {
        struct jb_people_info info;
        struct jb_people_count count;
        struct jb_reader_head head;
        jb_status status = jb_reader_begin(l, &head, err);
        if (status != JB_OK) {
            return status;
        }
        jb_seq forgotten = l->read_state->g.forgotten;
        const uint64_t last_ref = l->read_state->g.last_ref;
        jb_reader_end(l);
        status = jb_personal_info(l->personal, &info, err);
        status = status == JB_OK ? jb_personal_count(l->personal, &count, err) : status;
        if (status != JB_OK) {
            return status;
        }
        st.sealed = count.sealed;
        st.unfinished = info.old_epoch != 0 || info.done < forgotten;
        st.older = info.highest < last_ref;
        st.epoch = info.epoch;
        st.owners = count.owners;
        st.forgotten = count.forgotten;
        st.lost = count.lost;
        st.done = info.done;
    }
    return jb_abi_out(ret, &st, sizeof st, err);
}

jb_status
jb_person_get(jb_ledger *l, uint64_t ref, char *buf, size_t *ret_n, jb_person_why *ret_why,
              struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    enum jb_text_state state;
    if (l == NULL || buf == NULL || ret_n == NULL || ret_why == NULL) {
        return jb_fail_null(err, "jb_person_get");
    }
    if (l->closed) {
        return jb_fail_closed(err);
    }
    size_t n;
    jb_status status = jb_personal_get(l->personal, ref, buf, &n, &state, err);
    if (status == JB_OK) {
        *ret_n = n;
        *ret_why = (jb_person_why)state;
    }
    return status;
}

const char *
jb_person_why_word(jb_person_why why)
{
    switch (why) {
    case JB_WHY_NONE:
        return "none";
    case JB_WHY_FORGOTTEN:
        return "forgotten";
    case JB_WHY_SEALED:
        return "sealed";
    case JB_WHY_LOST:
        return "lost";
    }
    return "other";
}

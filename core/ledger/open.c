#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/calendar.h"
#include "ledger/internal.h"
#include "state/behind.h"
#include "log/fault.h"
#include "storage/place.h"

static jb_instant
system_clock(void *data)
{
    (void)data;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (jb_instant)t.tv_sec * JB_US_PER_SECOND + t.tv_nsec / 1000;
}

jb_status
jb_ledger_now(struct jb_ledger *l, jb_instant *ret, struct jb_error *err)
{
    if (l->closed) {
        return jb_fail_closed(err);
    }
    *ret = l->now(l->now_data);
    return jb_instant_closable(*ret, l->identity.utc_offset_s)
               ? JB_OK
               : jb_fail(err, JB_E_USAGE,
                         "the clock says %lld, which is no time of the days 0001-01-01 to "
                         "9999-12-30 in microseconds since 1970: does `now` count something else?",
                         (long long)*ret);
}

jb_status
jb_ledger_now_near(jb_ledger *l, jb_instant *ret, struct jb_error *err)
{
    if (l->clock_holds > 0) {
        l->clock_holds--;
        *ret = l->clock;
        return JB_OK;
    }
    jb_status status = jb_ledger_now(l, ret, err);
    if (status == JB_OK && l->now == system_clock) {
        l->clock = *ret;
        l->clock_holds = JB_WARM_MAX - 1;
    }
    return status;
}

jb_lang
jb_lang_of(const jb_ledger *l)
{
    return JB_LANG_OF(l);
}

static jb_status
make(const char *dir, const struct jb_open_options *o, struct jb_ledger **ret, struct jb_error *err)
{
    if (o->caller != NULL && o->caller[0] != '\0' &&
        !jb_id_valid((struct jb_text){o->caller, strlen(o->caller)}, JB_SHORT_BYTES_MAX)) {
        return jb_fail(err, JB_E_USAGE,
                       "a caller's name is at most 32 bytes of UTF-8 without white space and "
                       "control characters");
    }
    if (o->read_only > 1 || o->accept_rollback > 1 || o->accept_clock > 1) {
        return jb_fail(err, JB_E_USAGE,
                       "struct jb_open_options: read_only, accept_rollback and accept_clock are 0 "
                       "or 1");
    }
    if (o->lock_wait_us < 0 || (o->now == NULL && o->now_data != NULL)) {
        return jb_fail(err, JB_E_USAGE,
                       "struct jb_open_options: lock_wait_us is 0 or more, and now_data is for "
                       "`now`, which is NULL");
    }
    struct jb_ledger *l = calloc(1, sizeof *l);
    if (l == NULL || (l->dir = strdup(dir)) == NULL ||
        (l->place = jb_place_absolute(dir)) == NULL ||
        (o->key_file != NULL && (l->key_file = jb_place_absolute(o->key_file)) == NULL)) {
        free(l != NULL ? l->place : NULL);
        free(l != NULL ? l->dir : NULL);
        free(l);
        return jb_fail(err, JB_E_NOMEM, "no memory to open %s", dir);
    }
    l->lang = jb_lang_now;
    l->read_only = o->read_only;
    l->accept_rollback = o->accept_rollback;
    l->accept_clock = o->accept_clock;
    l->lock_wait_us = o->lock_wait_us > 0 ? o->lock_wait_us : 10 * JB_US_PER_SECOND;
    l->now = o->now != NULL ? o->now : system_clock;
    l->now_data = o->now_data;
    l->head_fd = -1;
    l->users = 1;
    if (o->caller != NULL) {
        memcpy(l->caller, o->caller, strlen(o->caller));
    }
    jb_queue_init(&l->queue);
    pthread_mutex_init(&l->wait_lock, NULL);
    pthread_cond_init(&l->wait_left, NULL);
    pthread_mutex_init(&l->state_lock, NULL);
    jb_query_lock_init(&l->read_lock);
    jb_query_lock_init(&l->past_lock);
    *ret = l;
    return JB_OK;
}

void
jb_ledger_refuse(struct jb_ledger *l, const char *why)
{
    JB_SAY_BOTH(&l->refused, &l->refused_too);
    (void)jb_fail(&l->refused, JB_E_FORMAT, why, l->dir);
    l->read_only = true;
}

jb_status
jb_fail_refused(const struct jb_ledger *l, struct jb_error *err)
{
    const struct jb_error *said = jb_said_in(jb_lang_now, l->lang, &l->refused, &l->refused_too);
    return jb_fail(err, said->status, "%s", said->text);
}

/* Before anything is read. Who may not write goes on as a reader and hears why at jb_submit. */
static jb_status
check_requires(struct jb_ledger *l, struct jb_error *err)
{
    jb_status status = jb_requires_check(l->dir, false, err);
    if (status == JB_OK && !l->read_only) {
        JB_SAY_BOTH(&l->refused, &l->refused_too);
        status = jb_requires_check(l->dir, true, &l->refused);
        l->read_only = status == JB_E_FORMAT;
        l->requires_at = jb_monotonic_us();
        if (status != JB_OK && status != JB_E_FORMAT) {
            return jb_fail_refused(l, err);
        }
        status = JB_OK;
    }
    return status;
}

static jb_status
open_log(struct jb_ledger *l, struct jb_error *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/log.mdb", l->dir);
    if (access(l->dir, F_OK) != 0) {
        return jb_fail(err, JB_E_NOTFOUND, "there is no ledger %s: no such directory", l->dir);
    }
    if (access(path, F_OK) != 0 && errno == EACCES) {
        return jb_fail_errno(err, JB_E_READONLY, errno,
                             "not allowed to look into %s (a ledger is for the user who owns its "
                             "files. Give an auditor a backup, made with `jangbu backup`)",
                             l->dir);
    }
    if (access(path, F_OK) != 0) {
        return jb_fail(err, JB_E_NOTFOUND,
                       errno == ENOTDIR ? "%s is not a ledger: it is not a directory"
                                        : "%s is not a ledger: it has no log.mdb",
                       l->dir);
    }
    if (!l->read_only && (access(path, W_OK) != 0 || access(l->dir, W_OK) != 0) &&
        (errno == EROFS || errno == EACCES)) {
        l->read_only = true; /* reads work, writes say why they do not */
    }
    jb_status status = check_requires(l, err);
    status = status == JB_OK ? jb_log_open(l->dir, l->read_only, false, 0, &l->log, err) : status;
    return status == JB_OK ? jb_log_identity(l->log, &l->identity, err) : status;
}

/* HEAD lies outside the log and knows its end even when everything derived from it is gone. */
static jb_status
check_head(struct jb_ledger *l, struct jb_error *err)
{
    struct jb_head_file h;
    l->head_fd = jb_head_open(l->dir, l->read_only);
    enum jb_head_found found =
        l->head_fd < 0 && errno != ENOENT ? JB_HEAD_DAMAGED : jb_head_read(l->head_fd, &h);
    l->head_damaged = found == JB_HEAD_DAMAGED || found == JB_HEAD_NEWER;
    if (found == JB_HEAD_NEWER && !l->read_only) {
        jb_ledger_refuse(l,
                         "the file HEAD was written by a newer version of jangbu: this one reads "
                         "the ledger and does not write to it. Use that version (%s)");
    }
    if (found != JB_HEAD_THERE || memcmp(h.ledger_id, l->identity.ledger_id, 16) != 0 ||
        l->accept_rollback) {
        return JB_OK;
    }
    struct jb_log_reader *r;
    uint8_t chain[JB_CHAIN_BYTES];
    struct jb_log_head end;
    jb_status status = jb_log_reader_open(l->log, &r, err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_log_reader_renew(r, &end, err);
    if (status == JB_OK) {
        status = jb_log_reader_chain(r, h.seq, chain, err);
    }
    jb_log_reader_close(r);
    if (status == JB_E_NOTFOUND ||
        (status == JB_OK && memcmp(chain, h.chain, JB_CHAIN_BYTES) != 0)) {
        if (l->read_only) {
            l->rolled_back = true;
            return JB_OK;
        }
        return jb_fail(err, JB_E_ROLLBACK,
                       "the log ends with event %llu, but HEAD says that event %llu was there: the "
                       "log was put back to an older state. If that is "
                       "meant to be, run `jangbu rebuild %s --accept-rollback`",
                       (unsigned long long)end.seq, (unsigned long long)h.seq, l->dir);
    }
    return status;
}

static jb_status
open_store(struct jb_ledger *l, struct jb_error *err)
{
    bool remade;
    jb_status status = jb_store_open(l->place, &jb_state_schema, l->identity.ledger_id,
                                     l->read_only, &l->store, &remade, err);
    if (status == JB_E_NOTFOUND || jb_store_dispensable(status) ||
        (status != JB_OK && l->read_only)) {
        l->store = NULL; /* the log is folded, in memory */
        return JB_OK;
    }
    return status;
}

static jb_status
open_read_state(struct jb_ledger *l, struct jb_error *err)
{
    jb_status status = jb_state_open(l->log, l->store, &l->identity, &l->read_state, err);
    if (status == JB_OK) {
        jb_keys_leave(l->read_state);
    }
    return status;
}

static jb_status
open_states(struct jb_ledger *l, struct jb_error *err)
{
    jb_status status = JB_OK;
    if (!l->read_only) {
        status = jb_state_open(l->log, l->store, &l->identity, &l->state, err);
    }
    if (status == JB_OK && l->state != NULL) {
        l->state->keys.writes = true;
    }
    return status == JB_OK ? open_read_state(l, err) : status;
}

/* Once, for either side. */
static jb_status
fold(struct jb_ledger *l, struct jb_error *err)
{
    struct jb_state *b = NULL;
    jb_status status = jb_state_open(l->log, l->store, &l->identity, &b, err);
    if (status == JB_OK) {
        b->keys.writes = true;
        status = jb_state_catch_up(b, err);
        jb_state_release(b);
        atomic_store(&l->folded, b);
    }
    return status;
}

void
jb_ledger_take_writing(struct jb_ledger *l)
{
    struct jb_state *b = atomic_load(&l->folded) != NULL ? atomic_exchange(&l->folded, NULL) : NULL;
    if (b != NULL) {
        jb_state_close(l->state);
        l->state = b;
    }
}

void
jb_ledger_take_reading(struct jb_ledger *l)
{
    struct jb_state *b = atomic_load(&l->folded) != NULL ? atomic_exchange(&l->folded, NULL) : NULL;
    if (b != NULL) {
        jb_keys_leave(b);
        jb_state_close(l->read_state);
        l->read_state = b;
    }
}

const struct jb_globals *
jb_ledger_as_opened(const struct jb_ledger *l, bool *ret_known)
{
    const struct jb_state *folded = atomic_load(&l->folded);
    const struct jb_state *b = folded != NULL                         ? folded
                               : l->state != NULL && l->state->usable ? l->state
                                                                      : l->read_state;
    *ret_known = b->usable;
    return &b->g;
}

/* state.mdb was found to be damaged at once: who is alone makes it anew. */
static jb_status
open_store_again(struct jb_ledger *l, struct jb_error *err)
{
    jb_state_close(atomic_exchange(&l->folded, NULL));
    l->read_state = jb_state_close(l->read_state);
    l->state = jb_state_close(l->state);
    l->store = jb_store_close(l->store);
    jb_status status = open_store(l, err);
    return status == JB_OK ? open_states(l, err) : status;
}

static jb_status
open_parts(struct jb_ledger *l, struct jb_error *err)
{
    jb_status status = open_log(l, err);
    status = status == JB_OK ? check_head(l, err) : status;
    status = status == JB_OK ? open_store(l, err) : status;
    if (status == JB_OK && !l->read_only) {
        l->lock = jb_env_lock(jb_log_env(l->log));
        if (jb_fault_is_there(l->dir)) {
            jb_lock_note_fault(l->lock, true); /* cleared by the first command, or it is refused */
        }
    }
    status = status == JB_OK ? open_states(l, err) : status;
    l->stored_at = jb_monotonic_us();
    return status;
}

static bool
has_dropped_store(const struct jb_ledger *l)
{
    const struct jb_state *folded = atomic_load(&l->folded);
    return (folded != NULL && folded->store == NULL) ||
           (l->state != NULL && l->state->store == NULL) ||
           (l->read_state != NULL && l->read_state->store == NULL);
}

/* Says at once, and not at the first command, when the stored state is not one of this log. */
static jb_status
check_state(struct jb_ledger *l, struct jb_error *err)
{
    jb_status status = l->read_only ? jb_state_catch_up(l->read_state, err) : fold(l, err);
    jb_state_release(l->read_state);
    if (status == JB_OK && l->store != NULL && has_dropped_store(l) && !l->read_only) {
        status = open_store_again(l, err);
        return status == JB_OK ? fold(l, err) : status;
    }
    if (status == JB_OK ||
        (l->accept_rollback && (status == JB_E_ROLLBACK || status == JB_E_STALE))) {
        return JB_OK;
    }
    if (l->read_only && (status == JB_E_ROLLBACK || status == JB_E_STALE)) {
        l->rolled_back |= status == JB_E_ROLLBACK;
        l->read_state = jb_state_close(l->read_state);
        l->store = jb_store_close(l->store);
        return open_read_state(l, err);
    }
    return status;
}

/* The device failed while a file was made: also then the page cache is not believed. Nothing is
 * known of a last good commit here: the whole chain is looked at. */
static void
note_fault(struct jb_ledger *l, jb_status status, const struct jb_error *err)
{
    struct jb_lock *lock = l->log != NULL ? jb_env_lock(jb_log_env(l->log)) : NULL;
    bool device = (status == JB_E_IO || status == JB_E_UNKNOWN) && err->os_errno == EIO;
    if (!device || l->read_only || lock == NULL) {
        return;
    }
    struct jb_fault f = {0};
    memcpy(f.ledger_id, l->identity.ledger_id, 16);
    memcpy(f.chain, l->identity.root, JB_CHAIN_BYTES);
    jb_lock_note_fault(lock, true);
    (void)!jb_fault_write(l->dir, &f); /* where it cannot be written, `lock` says it */
}

jb_status
jb_open(const char *dir, const struct jb_open_options *opts, jb_ledger **ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_EN);
    if (dir == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_open");
    }
    struct jb_open_options o = {0};
    struct jb_ledger *l = NULL;
    struct jb_error own = {0};
    err = err != NULL ? err : &own;
    jb_status status =
        opts != NULL ? jb_abi_in(&o, sizeof o, opts, "struct jb_open_options", err) : JB_OK;
    status = status == JB_OK
                 ? jb_abi_reserved(o.reserved, sizeof o.reserved, "struct jb_open_options", err)
                 : status;
    status = status == JB_OK ? jb_abi_reserved(o.reserved_too, sizeof o.reserved_too,
                                               "struct jb_open_options", err)
                             : status;
    status = status == JB_OK
                 ? jb_lang_check(o.lang, JB_LANG_EN, "struct jb_open_options", &o.lang, err)
                 : status;
    if (status == JB_OK) {
        jb_lang_set(o.lang);
        status = make(dir, &o, &l, err);
    }
    if (status != JB_OK) {
        return status;
    }
    status = open_parts(l, err);
    status = status == JB_OK ? check_state(l, err) : status;
    status = status == JB_OK ? jb_people_open(l, err) : status;
    status = status == JB_OK ? jb_secret_load(l, err) : status;
    if (status != JB_OK) {
        note_fault(l, status, err);
        jb_close(l);
        return status;
    }
    *ret = l;
    return JB_OK;
}

/* state.mdb was dropped on the way: where nobody else has it open it is made anew, so that the next
 * one to open need not fold the whole log. */
static bool
make_store_again(struct jb_ledger *l)
{
    struct jb_error ignored;
    bool dropped = l->state != NULL && l->read_state != NULL && has_dropped_store(l);
    bool made = false;
    if (dropped && !l->read_only && open_store_again(l, &ignored) == JB_OK && l->store != NULL &&
        jb_state_catch_up(l->state, &ignored) == JB_OK) {
        jb_state_release(l->state);
        made = true;
    }
    return made;
}

static void
write_behind(struct jb_ledger *l)
{
    struct jb_error ignored;
    if (l->state == NULL || !l->state->usable || l->state->g.seq == l->state->stored_seq) {
        return;
    }
    jb_state_release(l->state);
    /* Where the store is gone there is nothing to write, and the whole log would be folded under
     * the lock. */
    if (jb_behind_settle(l->state, &ignored) != JB_OK || l->state->store == NULL ||
        jb_lock_take(l->lock, JB_LOCK_WRITER, JB_US_PER_SECOND, 0, &ignored) != JB_OK) {
        return;
    }
    if (jb_log_catch_up(l->log, &ignored) == JB_OK &&
        jb_state_catch_up(l->state, &ignored) == JB_OK) {
        (void)jb_behind_freeze(l->state, &ignored);
    }
    jb_state_release(l->state);
    jb_lock_release(l->lock, JB_LOCK_WRITER);
    (void)jb_behind_settle(l->state, &ignored); /* nobody waits for it */
}

/* Writes behind what is due, so that the next one to open has no tail to fold. Losing this race or
 * failing loses nothing. */
static void
store_the_rest(struct jb_ledger *l)
{
    if (l->head_fd >= 0 && !l->read_only && fdatasync(l->head_fd) != 0) {
        return; /* only a witness */
    }
    write_behind(l);
    if (make_store_again(l)) {
        write_behind(l);
    }
}

jb_status
jb_fail_closed(struct jb_error *err)
{
    return jb_fail(err, JB_E_USAGE,
                   "the ledger is closed: its cursors and projections can only be closed, too");
}

void
jb_ledger_hold(jb_ledger *l)
{
    l->users++;
}

void
jb_ledger_let_go(jb_ledger *l)
{
    if (--l->users > 0) {
        return;
    }
    bool forked = l->log != NULL && jb_log_forked(l->log);
    jb_log_close(l->log);
    if (!forked) {
        /* A child would wait here for the parent's threads. */
        jb_queue_free(&l->queue);
        pthread_mutex_destroy(&l->wait_lock);
        pthread_cond_destroy(&l->wait_left);
        pthread_mutex_destroy(&l->state_lock);
        pthread_mutex_destroy(&l->read_lock);
        pthread_mutex_destroy(&l->past_lock);
    }
    free(l->key_file);
    free(l->place);
    free(l->dir);
    free(l);
}

jb_ledger *
jb_close(jb_ledger *l)
{
    if (l == NULL) {
        return NULL;
    }
    bool forked = l->log != NULL && jb_log_forked(l->log);
    if (l->log != NULL && !forked) {
        jb_wait_end(l);
        jb_wait_left(l);
        if (l->state != NULL) {
            jb_behind_end_watch(l->state);
        }
        store_the_rest(l);
    }
    if (!forked) {
        jb_state_close(l->state);
        jb_state_close(atomic_load(&l->folded));
        jb_state_close(l->read_state);
        jb_state_close(l->past);
    }
    jb_store_close(l->store);
    jb_personal_close(l->personal);
    if (l->head_fd >= 0) {
        close(l->head_fd);
    }
    jb_log_batch_free(&l->batch);
    jb_verdict_free(&l->verdict);
    jb_vec_free(&l->dying);
    jb_known_free(&l->known);
    jb_vec_free(&l->read_grants);
    l->closed = true;
    jb_ledger_let_go(l);
    return NULL;
}

jb_status
jb_info_get(const jb_ledger *l, struct jb_ledger_info *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    if (l == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_info_get");
    }
    const char *warning = jb_env_warning(jb_log_env(l->log));
    struct jb_ledger_info full = {.size = sizeof full,
                                  .exponent = l->identity.exponent,
                                  .utc_offset_s = l->identity.utc_offset_s,
                                  .read_only = l->read_only,
                                  .dir = l->place,
                                  .rolled_back = l->rolled_back,
                                  .warning = warning != NULL ? jb_tr(warning) : NULL,
                                  .secret_lost = !l->has_secret,
                                  .secret_damaged = l->secret_damaged,
                                  .head_damaged = l->head_damaged,
                                  .key_file = jb_personal_key_file(l->personal)};
    struct jb_error why = l->unkeyed;
    if (why.status != JB_OK || jb_personal_key(l->personal, &why) != JB_OK) {
        full.sealed = true;
        memcpy(full.sealed_why, why.text, sizeof full.sealed_why);
    }
    memcpy(full.currency, l->identity.currency, 4);
    memcpy(full.ledger_id, l->identity.ledger_id, 16);
    return jb_abi_out(ret, &full, sizeof full, err);
}

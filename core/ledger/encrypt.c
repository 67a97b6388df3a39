/*
 * Sealing the people.mdb of a ledger that has one of layout 1. The new files are on disk before the
 * log says so; what is put in their places after that is put there by the next writer, too, if this
 * one is killed.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/internal.h"
#include "personal/key_file.h"
#include "personal/seal.h"

/* What the log says of a reference. */
struct mention {
    enum jb_text_kind kind;
    bool named;
    struct jb_owners owners;
};

struct sealing {
    struct jb_ledger *l;
    JB_VEC(struct mention) mentions; /* by reference - 1 */
    JB_VEC(uint64_t) masters;        /* by number of the wallet - 1 */
};

/* ---- whom each text is about ---- */

static bool
mention(struct sealing *s, uint64_t ref, enum jb_text_kind kind, const struct jb_owners *owners)
{
    if (ref == 0 || ref > s->l->state->g.last_ref) {
        return true;
    }
    size_t before = s->mentions.n;
    if (ref > before) {
        if (!jb_vec_reserve(&s->mentions, ref)) {
            return false;
        }
        memset(s->mentions.at + before, 0, (ref - before) * sizeof *s->mentions.at);
        s->mentions.n = ref;
    }
    struct mention *m = &s->mentions.at[ref - 1];
    if (!m->named) {
        *m = (struct mention){.kind = kind, .named = true};
        m->owners = owners != NULL ? *owners : m->owners;
    }
    return true;
}

static uint64_t *
master(struct sealing *s, uint32_t wallet)
{
    size_t before = s->masters.n;
    if (wallet > before) {
        if (!jb_vec_reserve(&s->masters, wallet)) {
            return NULL;
        }
        memset(s->masters.at + before, 0, (wallet - before) * sizeof *s->masters.at);
        s->masters.n = wallet;
    }
    return &s->masters.at[wallet - 1];
}

static bool
take_event(struct sealing *s, const struct jb_event *e)
{
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    uint64_t none = 0, *of = e->wallet != 0 ? master(s, e->wallet) : &none;
    struct jb_owners owners;
    if (of == NULL) {
        return false;
    }
    if (e->type == JB_EV_WALLET_CREATED) {
        *of = e->wallet_created.master;
    }
    bool ok = (e->flags & JB_EVF_ACTOR) == 0 || mention(s, e->actor, JB_KIND_ID, NULL);
    for (uint32_t i = 0; type != NULL && i < type->fields_n && ok; i++) {
        const struct jb_field_info *f = &type->fields[i];
        uint64_t ref;
        if (f->kind == JB_FK_REF) {
            enum jb_text_kind kind = jb_text_kind_of(e->type, f->name);
            memcpy(&ref, (const char *)e + f->offset, sizeof ref);
            jb_text_owners(e, kind, *of, &owners);
            ok = mention(s, ref, kind, &owners);
        }
    }
    if (ok && (e->flags & JB_EVF_NOTE) != 0) {
        jb_text_owners(e, JB_KIND_WORDS, *of, &owners);
        ok = mention(s, e->note, JB_KIND_WORDS, &owners);
    }
    if (e->type == JB_EV_MASTER_TRANSFERRED) {
        *of = e->master_transferred.to;
    }
    return ok;
}

static jb_status
read_log(struct sealing *s, struct jb_error *err)
{
    jb_cursor *c;
    const struct jb_event *e;
    jb_status status = jb_cursor_open(s->l, 1, &c, err);
    if (status != JB_OK) {
        return status;
    }
    while ((status = jb_cursor_next(c, &e, err)) == JB_OK) {
        if (!take_event(s, e)) {
            status = jb_fail(err, JB_E_NOMEM, "no memory to seal people.mdb");
            break;
        }
    }
    jb_cursor_close(c);
    return status == JB_END ? JB_OK : status;
}

/* ---- the new files ---- */

#define TEXTS_IN_A_COMMIT 4096

static jb_status
copy_text(struct sealing *s, struct jb_personal *to, uint64_t ref, struct jb_error *err)
{
    char buf[JB_PERSON_TEXT_BYTES_MAX];
    size_t n;
    enum jb_text_state state;
    const struct mention *m = &s->mentions.at[ref - 1];
    if (!m->named) {
        return JB_OK; /* of a commit that the log never had */
    }
    jb_status status = jb_personal_get(s->l->personal, ref, buf, &n, &state, err);
    if (status != JB_OK || state != JB_TEXT_THERE) {
        return status;
    }
    status =
        jb_personal_add(to, ref, (struct jb_text){buf, n}, m->kind == JB_KIND_ID, &m->owners, err);
    return status == JB_OK && jb_personal_collected(to) >= TEXTS_IN_A_COMMIT
               ? jb_personal_commit(to, err)
               : status;
}

static jb_status
make_people(struct sealing *s, const struct jb_people_key *key, struct jb_error *err)
{
    char path[4096], lock[4096 + 8];
    struct jb_personal *to;
    if (snprintf(path, sizeof path, "%s/people.mdb.new", s->l->place) >= (int)sizeof path) {
        return jb_fail(err, JB_E_USAGE, "the path of the ledger is too long");
    }
    snprintf(lock, sizeof lock, "%s-lock", path);
    unlink(path); /* one that was killed left them */
    unlink(lock);
    jb_status status = jb_personal_make(path, s->l->identity.ledger_id, key, &to, err);
    if (status != JB_OK) {
        return status;
    }
    for (uint64_t ref = 1; ref <= s->mentions.n && status == JB_OK; ref++) {
        status = copy_text(s, to, ref, err);
    }
    status = status == JB_OK ? jb_personal_commit(to, err) : status;
    status = status == JB_OK ? jb_personal_accept(to, s->l->state->g.last_ref, err) : status;
    jb_personal_close(to);
    unlink(lock);
    return status;
}

static jb_status
make_secret(const struct jb_ledger *l, struct jb_error *err)
{
    char path[4096];
    uint8_t secret[JB_SECRET_BYTES];
    if (snprintf(path, sizeof path, "%s/secret.new", l->place) >= (int)sizeof path) {
        return jb_fail(err, JB_E_USAGE, "the path of the ledger is too long");
    }
    unlink(path);
    jb_seal_random(secret, sizeof secret);
    jb_status status =
        jb_secret_write_as(l->place, "secret.new", secret, l->identity.ledger_id, err);
    jb_seal_wipe(secret, sizeof secret);
    return status;
}

/* A key file that a killed one made is used: nothing else was sealed with it. */
static jb_status
make_key(const struct jb_ledger *l, const char *path, struct jb_people_key *ret,
         struct jb_error *err)
{
    struct jb_key_file file;
    struct jb_error ignored;
    jb_status status = JB_OK;
    if (jb_key_file_read(path, l->place, l->identity.ledger_id, &file, &ignored) != JB_OK ||
        file.n != 1 || file.keys[0].epoch != 1) {
        file.n = 1;
        jb_key_make(1, &file.keys[0]);
        status = jb_key_file_make(path, l->place, l->identity.ledger_id, &file, err);
    }
    *ret = file.keys[0];
    jb_key_file_wipe(&file);
    return status;
}

/* ---- the event ---- */

/* Now, unless a day is over by then, which an event would have to close first. */
static jb_status
time_of_event(struct jb_ledger *l, jb_instant *ret, struct jb_error *err)
{
    const struct jb_globals *g = &l->state->g;
    jb_status status = jb_ledger_now(l, ret, err);
    if (status == JB_OK && g->recorded_at != JB_NO_INSTANT &&
        (*ret < g->recorded_at || jb_due_day(g, *ret) != JB_NO_DAY)) {
        *ret = g->recorded_at;
    }
    return status;
}

static jb_status
write_event(struct jb_ledger *l, struct jb_error *err)
{
    struct jb_event e;
    enum jb_log_result result;
    memset(&e, 0, sizeof e);
    e.type = JB_EV_PEOPLE_ENCRYPTED;
    e.people_encrypted.layout = 2;
    jb_status status = time_of_event(l, &e.recorded_at, err);
    e.occurred_at = e.recorded_at;
    if (status != JB_OK) {
        return status;
    }
    l->batch.bytes.n = 0;
    l->batch.ends.n = 0;
    l->state->pending = &l->batch;
    status = jb_batch_append(l, &e, err);
    l->state->pending = NULL;
    if (status == JB_OK) {
        jb_state_release(l->state);
        status = jb_log_commit(l->log, &l->batch, NULL, &l->state->head, &result, err);
        jb_ledger_note_fault(l, status, err);
    }
    l->state->usable = status == JB_OK && l->state->usable;
    l->batch.bytes.n = 0;
    l->batch.ends.n = 0;
    return status;
}

/* ---- in their places ---- */

static jb_status
put_in_place(const char *dir, const char *made, const char *name, struct jb_error *err)
{
    char from[4096 + 16], to[4096 + 16];
    if (snprintf(from, sizeof from, "%s/%s", dir, made) >= 4096 ||
        snprintf(to, sizeof to, "%s/%s", dir, name) >= 4096) {
        return jb_fail(err, JB_E_USAGE, "the path of the ledger is too long");
    }
    return rename(from, to) == 0 || errno == ENOENT
               ? JB_OK
               : jb_fail_errno(err, errno == ENOSPC ? JB_E_FULL : JB_E_IO, errno,
                               "cannot put the sealed %s in its place", name);
}

static bool
is_there(const char *dir, const char *name)
{
    char path[4096 + 16];
    struct stat st;
    return snprintf(path, sizeof path, "%s/%s", dir, name) < 4096 && lstat(path, &st) == 0;
}

jb_status
jb_encrypt_finish(const char *dir, struct jb_error *err)
{
    if (!is_there(dir, "people.mdb.new") && !is_there(dir, "secret.new")) {
        return JB_OK;
    }
    jb_status status = put_in_place(dir, "people.mdb.new", "people.mdb", err);
    status = status == JB_OK ? put_in_place(dir, "secret.new", "secret", err) : status;
    char lock[4096 + 32];
    snprintf(lock, sizeof lock, "%s/people.mdb.new-lock", dir);
    unlink(lock); /* of one that was killed */
    return status == JB_OK ? jb_sync_dir(dir, err) : status;
}

static jb_status
seal(struct jb_ledger *l, const char *key_path, struct jb_error *err)
{
    struct sealing s = {.l = l};
    struct jb_people_key key;
    jb_ledger_take_writing(l);
    jb_status status = jb_log_catch_up(l->log, err);
    if (status == JB_OK && jb_lock_has_fault(l->lock)) {
        status = jb_ledger_clear_fault(l, err);
    }
    status = status == JB_OK ? jb_state_catch_up(l->state, err) : status;
    status = status == JB_OK ? jb_ledger_may_write(l, err) : status;
    status = status == JB_OK ? read_log(&s, err) : status;
    status = status == JB_OK ? make_key(l, key_path, &key, err) : status;
    status = status == JB_OK ? make_people(&s, &key, err) : status;
    jb_seal_wipe(&key, sizeof key);
    status = status == JB_OK ? make_secret(l, err) : status;
    status = status == JB_OK ? jb_sync_dir(l->place, err) : status;
    status = status == JB_OK ? write_event(l, err) : status;
    jb_state_release(l->state);
    jb_vec_free(&s.mentions);
    jb_vec_free(&s.masters);
    return status;
}

static jb_status
check_may(struct jb_ledger *l, struct jb_error *err)
{
    if (l->refused.status != JB_OK) {
        return jb_fail_refused(l, err);
    }
    if (l->read_only) {
        return jb_fail(err, JB_E_READONLY, "the ledger in %s is open for reading only", l->dir);
    }
    bool known;
    const struct jb_globals *g = jb_ledger_as_opened(l, &known);
    if (jb_personal_layout(l->personal) == 2 || g->people_layout == 2) {
        return jb_fail(err, JB_E_USAGE, "people.mdb of %s is sealed already", l->dir);
    }
    return jb_env_alone(jb_log_env(l->log)) && jb_env_alone(jb_personal_env(l->personal))
               ? JB_OK
               : jb_fail(err, JB_E_BUSY,
                         "other programs have %s open: people.mdb is sealed by who is alone with "
                         "it. End them first",
                         l->dir);
}

static jb_status
encrypt(struct jb_ledger *l, const char *key_path, struct jb_error *err)
{
    jb_status status = check_may(l, err);
    status =
        status == JB_OK ? jb_lock_take(l->lock, JB_LOCK_WRITER, l->lock_wait_us, 0, err) : status;
    if (status != JB_OK) {
        return status;
    }
    status = seal(l, key_path, err);
    if (status == JB_OK) {
        l->personal = jb_personal_close(l->personal);
        status = jb_encrypt_finish(l->place, err);
    }
    jb_lock_release(l->lock, JB_LOCK_WRITER);
    return status;
}

jb_status
jb_people_encrypt(const char *dir, const struct jb_open_options *opts, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_EN);
    jb_ledger *l;
    if (dir == NULL) {
        return jb_fail_null(err, "jb_people_encrypt");
    }
    jb_status status = jb_open(dir, opts, &l, err);
    if (status != JB_OK) {
        return status;
    }
    jb_lang_set(l->lang);
    char *beside = l->key_file == NULL ? jb_key_file_default(l->place) : NULL;
    const char *path = l->key_file != NULL ? l->key_file : beside;
    status = path != NULL ? encrypt(l, path, err)
                          : jb_fail(err, JB_E_NOMEM, "no memory to seal people.mdb");
    free(beside);
    jb_close(l);
    return status;
}

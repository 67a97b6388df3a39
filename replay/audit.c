/* The audit: the scan of the log, and what else of a ledger must agree with it. */
#include "replay/audit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/requires.h"
#include "ledger/secret.h"
#include "storage/lmdb_env.h"
#include "log/head.h"
#include "personal/personal.h"
#include "projections/views.h"

/* A stored projection, and the snapshot of it that is compared. */
struct stored {
    const char *word; /* "state", "views" */
    const struct jb_store_schema *schema;
    struct jb_store *store;
    struct jb_store_txn snap;
    bool there; /* not compared yet */
};

struct audit {
    const char *dir;
    struct jb_findings f;
    struct jb_log *log;
    struct stored state, views;
    struct jb_stored_keys *keys;
    struct jb_head_file head;
    enum jb_head_found head_found;
};

static jb_status
compare_state(void *data, struct jb_state *b, const struct jb_cross *x, struct jb_error *err)
{
    struct audit *a = data;
    (void)x;
    (void)err;
    jb_check_state(b, &a->state.snap, a->keys, &a->f);
    a->state.there = false;
    return JB_OK;
}

static void
begin_keys(void *data, struct jb_state *b)
{
    struct audit *a = data;
    a->keys = jb_stored_keys_open(b, &a->state.snap);
}

static void
view_differs(void *data, const char *text)
{
    struct audit *a = data;
    jb_found(&a->f, "views", 0, 0, 0, "%s", text);
}

static jb_status
fold_again(void *data, const struct jb_fold_drain *drain, struct jb_error *err)
{
    return jb_cross_again(data, drain, err);
}

/* Only where the log itself is sound: views of a log that contradicts itself prove nothing. */
static jb_status
compare_views(void *data, struct jb_state *b, const struct jb_cross *x, struct jb_error *err)
{
    struct audit *a = data;
    const struct jb_fold *fold = jb_cross_fold(x);
    a->views.there = false;
    if (fold == NULL || a->f.problems > 0) {
        jb_not_checked(&a->f, 0, "views.mdb: the log itself is not sound");
        return JB_OK;
    }
    const struct jb_views_drained drained = {jb_cross_drained(x), fold_again, b};
    return jb_views_compare(&a->views.snap, fold, &drained, b->head.chain, view_differs, a, err);
}

/* A store that says something else than the log is a problem; one that could not be read for want
 * of memory or a disk's mood is not known to be one.
 */
static void
not_opened(struct audit *a, const char *check, const struct jb_error *err)
{
    if (err->status == JB_E_FORMAT || err->status == JB_E_CORRUPT || err->status == JB_E_STALE ||
        err->status == JB_E_ROLLBACK) {
        jb_found(&a->f, check, 0, 0, 0, "%s", err->text);
    } else {
        jb_not_checked(&a->f, JB_AUDIT_SUMS, "%s.mdb: %s", check, err->text);
    }
}

/* It may lag behind the log; what it says it includes is what it is compared with. */
static void
open_stored(struct audit *a, struct stored *s, const uint8_t ledger_id[16])
{
    struct jb_error err = {0};
    bool remade;
    jb_status status = jb_store_open(a->dir, s->schema, ledger_id, true, &s->store, &remade, &err);
    if (status == JB_OK) {
        status = jb_store_read(s->store, &s->snap, &err);
    }
    if (status == JB_OK) {
        s->there = s->snap.meta.seq > 0;
    } else if (status == JB_E_NOTFOUND) {
        jb_not_checked(
            &a->f, 0,
            "%s.mdb: it is not there, or of another version; it is made again when it is "
            "needed",
            s->word);
    } else {
        not_opened(a, s->word, &err);
    }
}

static void
close_stored(struct stored *s)
{
    if (s->store != NULL) {
        jb_store_end(&s->snap);
        s->store = jb_store_close(s->store);
    }
}

/* Before the log: a ledger in use goes on meanwhile, and HEAD is written behind each commit. Read
 * later it would name events that the audit's snapshot of the log does not have. */
static void
read_head(struct audit *a)
{
    int fd = jb_head_open(a->dir, true);
    a->head_found = fd < 0 && errno != ENOENT ? JB_HEAD_DAMAGED : jb_head_read(fd, &a->head);
    if (fd >= 0) {
        close(fd);
    }
}

static void
check_head(struct audit *a, const uint8_t ledger_id[16], const struct jb_scan_result *r)
{
    bool anothers = a->head_found == JB_HEAD_THERE && memcmp(a->head.ledger_id, ledger_id, 16) != 0;
    if (a->head_found == JB_HEAD_DAMAGED || anothers) {
        jb_not_checked(&a->f, 0,
                       "whether the log was put back to an older state: HEAD is %s. The next "
                       "command that writes makes it again",
                       anothers ? jb_tr("another ledger's") : jb_tr("damaged"));
    }
    if (a->head_found == JB_HEAD_NEWER) {
        jb_not_checked(
            &a->f, JB_AUDIT_FORM,
            "whether the log was put back to an older state: HEAD was written by a newer "
            "version of jangbu");
    }
    if (a->head_found != JB_HEAD_THERE || anothers) {
        return;
    }
    struct jb_log_reader *reader;
    struct jb_error ignored;
    uint8_t chain[JB_CHAIN_BYTES];
    jb_status status = jb_log_reader_open(a->log, &reader, &ignored);
    if (status == JB_OK) {
        status = jb_log_reader_chain(reader, a->head.seq, chain, &ignored);
        jb_log_reader_close(reader);
    }
    jb_looked_up(&a->f, status);
    if (status == JB_E_NOTFOUND ||
        (status == JB_OK && memcmp(chain, a->head.chain, JB_CHAIN_BYTES) != 0)) {
        jb_found(&a->f, "rollback", r->events, 0, 0,
                 "HEAD says that a commit ended with event %llu, and the log, which ends at %llu, "
                 "has no such commit: the log was put back to an older "
                 "state",
                 (unsigned long long)a->head.seq, (unsigned long long)r->events);
    }
}

static void
check_secret(struct audit *a, const uint8_t ledger_id[16])
{
    uint8_t secret[JB_SECRET_BYTES];
    struct jb_error err = {0};
    enum jb_secret_found found = JB_SECRET_LOST;
    if (jb_secret_read(a->dir, ledger_id, &found, secret, &err) != JB_OK) {
        jb_not_checked(&a->f, JB_AUDIT_FORM, "whether a repeated key had the same content: %s",
                       err.text);
    } else if (found != JB_SECRET_THERE) {
        jb_not_checked(&a->f, JB_AUDIT_FORM,
                       "whether a repeated key had the same content: the file `secret` is %s. Put "
                       "the ledger's own back from a backup",
                       found == JB_SECRET_LOST    ? jb_tr("missing")
                       : found == JB_SECRET_NEWER ? jb_tr("longer than this version writes")
                                                  : jb_tr("damaged, or another ledger's"));
    }
}

static void
check_fingerprints(struct audit *a, const struct jb_scan_result *r)
{
    if (r->no_fingerprint > 0) {
        jb_not_checked(&a->f, 0,
                       "the content of %llu commands with a key: their events have no fingerprint "
                       "(the file `secret` was lost when they were written), so a repetition with "
                       "another content is not noticed",
                       (unsigned long long)r->no_fingerprint);
    }
}

static void
text_damaged(void *data, uint64_t ref)
{
    struct audit *a = data;
    if (ref != 0) {
        jb_found(
            &a->f, "people", 0, 0, 0,
            "people.mdb: the text of reference %llu is not what was written. No figure depends "
            "on it; a backup of people.mdb has it",
            (unsigned long long)ref);
    } else {
        jb_found(&a->f, "people", 0, 0, 0,
                 "people.mdb: some texts are missing, or its table `meta` is damaged. No figure "
                 "depends on it; a backup of people.mdb has them");
    }
}

/* Texts are stored before the events that refer to them. */
static jb_status
check_references(struct audit *a, struct jb_personal *p, const struct jb_scan_result *r,
                 struct jb_error *err)
{
    uint64_t highest;
    jb_status status = jb_personal_highest(p, &highest, err);
    if (status == JB_OK && highest != 0 && r->last_ref > highest) {
        jb_found(&a->f, "people", r->last_ref_event, 0, 0,
                 "event %llu refers to text %llu, and people.mdb has given no reference above "
                 "%llu: it was put back to an older state, or the reference is none. No figure "
                 "depends on it; a backup of people.mdb has the text",
                 (unsigned long long)r->last_ref_event, (unsigned long long)r->last_ref,
                 (unsigned long long)highest);
    }
    return status;
}

static void
check_people(struct audit *a, const uint8_t ledger_id[16], const struct jb_scan_result *r)
{
    struct jb_personal *p;
    struct jb_people_texts n;
    struct jb_error err = {0};
    jb_status status = jb_personal_open(a->dir, ledger_id, a->f.to.key_file, true, false, &p, &err);
    if (status == JB_OK) {
        status = jb_personal_check(p, text_damaged, a, &n, &err);
        if (status == JB_OK && jb_personal_layout(p) == 2) {
            jb_note(&a->f, "personal texts: %llu can be read, %llu are forgotten, %llu are lost",
                    (unsigned long long)n.readable, (unsigned long long)n.forgotten,
                    (unsigned long long)n.lost);
        }
        status = status == JB_OK ? check_references(a, p, r, &err) : status;
        jb_personal_close(p);
    }
    if (status == JB_E_NOTFOUND || (status == JB_E_FORMAT && err.at == 1)) {
        jb_not_checked(&a->f, status == JB_E_FORMAT ? JB_AUDIT_FORM : 0,
                       "personal texts in people.mdb: %s", err.text);
    } else if (status != JB_OK) {
        not_opened(a, "people", &err);
    }
}

/* A stored projection that no commit of the log ends with. */
static void
not_reached(struct audit *a, const struct stored *s, const struct jb_scan_result *r)
{
    if (s->there && a->f.problems == 0) {
        jb_found(&a->f, "rollback", s->snap.meta.seq, 0, 0,
                 "%s.mdb includes event %llu, but the log has no commit that ends there (it ends "
                 "at %llu)",
                 s->word, (unsigned long long)s->snap.meta.seq, (unsigned long long)r->events);
    }
}

static void
compare_rest(struct audit *a, const struct jb_log_identity *identity, struct jb_scan_result *r)
{
    a->f.part = JB_AUDIT_SUMS;
    if (!r->newer && !r->unfolded) {
        not_reached(a, &a->state, r);
        not_reached(a, &a->views, r);
    }
    a->f.part = JB_AUDIT_FORM;
    if (identity != NULL && (a->f.to.only & JB_AUDIT_FORM) != 0) {
        check_head(a, identity->ledger_id, r);
        check_secret(a, identity->ledger_id);
        check_people(a, identity->ledger_id, r);
    }
    check_fingerprints(a, r);
}

static jb_status
scan(struct audit *a, const struct jb_log_identity *identity, struct jb_scan_result *r,
     struct jb_error *err)
{
    struct jb_scan_stop stops[2];
    size_t n = 0;
    if (identity != NULL && (a->f.to.only & JB_AUDIT_SUMS) != 0) {
        a->f.part = JB_AUDIT_SUMS;
        open_stored(a, &a->state, identity->ledger_id);
        open_stored(a, &a->views, identity->ledger_id);
    }
    if (a->state.there) {
        stops[n++] = (struct jb_scan_stop){a->state.snap.meta.seq, begin_keys, compare_state, a};
    }
    if (a->views.there) {
        stops[n++] = (struct jb_scan_stop){a->views.snap.meta.seq, NULL, compare_views, a};
    }
    jb_status status = jb_scan_log(a->log, &a->f, stops, n, r, err);
    a->keys = jb_stored_keys_close(a->keys);
    if (status == JB_OK) {
        compare_rest(a, identity, r);
    }
    close_stored(&a->state);
    close_stored(&a->views);
    return status;
}

static jb_status
run(struct audit *a, struct jb_scan_result *r, struct jb_error *err)
{
    struct jb_error cut = {0};
    jb_status status = jb_requires_check(a->dir, false, err);
    if (status != JB_OK) {
        return status;
    }
    read_head(a);
    a->f.part = JB_AUDIT_FORM;
    status = jb_log_open(a->dir, true, false, 0, &a->log, &cut);
    if (status == JB_E_CORRUPT) {
        jb_found(&a->f, "file", 0, 0, 0, "%s", cut.text);
        a->f.unknown = JB_AUDIT_ALL;
        return JB_OK;
    }
    if (status != JB_OK) {
        return jb_fail(err, status, "%s", cut.text);
    }
    struct jb_log_identity identity;
    bool known = jb_looked_up(&a->f, jb_log_identity(a->log, &identity, NULL));
    status = scan(a, known ? &identity : NULL, r, err);
    jb_log_close(a->log);
    return status;
}

/* What an audit never looks at, and what this log gives nothing to look at. */
static void
never_checked(struct jb_findings *f, const struct jb_scan_result *scan)
{
    jb_not_checked(f, 0, "%s",
                   jb_tr("forgery: XXH3 finds accidents; who can write the file can compute new "
                         "chain values. `jangbu restore LEDGER BACKUP --dry-run` says whether the "
                         "log goes on from a backup that was kept elsewhere"));
    if (!scan->enforcing) {
        jb_not_checked(f, 0, "%s",
                       jb_tr("actors' roles: this ledger does not enforce any. From `jangbu policy "
                             "set LEDGER roles 1` on they are checked"));
    }
}

/* What the caller's report lies in; its lists are those of the findings. */
struct report {
    struct jb_audit_report r;
    struct jb_findings f;
};

struct jb_audit_report *
jb_audit_report_free(struct jb_audit_report *r)
{
    struct report *whole = (struct report *)r;
    if (whole != NULL) {
        jb_findings_free(&whole->f);
        free(whole);
    }
    return NULL;
}

static jb_audit_verdict
worst(const struct jb_findings *f)
{
    return (f->refuted & f->to.only) != 0   ? JB_REFUTED
           : (f->unknown & f->to.only) != 0 ? JB_COULD_NOT_TELL
                                            : JB_VERIFIED;
}

static void
fill(struct report *whole, const struct jb_scan_result *scan)
{
    const struct jb_findings *f = &whole->f;
    /* What the rules say of an event may be known only behind it. */
    jb_seq sound = f->first_refuted != 0 && f->first_refuted <= scan->verified_to
                       ? f->first_refuted - 1
                       : scan->verified_to;
    whole->r = (struct jb_audit_report){
        .size = sizeof whole->r,
        .verdict = worst(f),
        .form = jb_part_verdict(f, JB_AUDIT_FORM),
        .sums = jb_part_verdict(f, JB_AUDIT_SUMS),
        .rules = jb_part_verdict(f, JB_AUDIT_RULES),
        .events = scan->events,
        .frames = scan->frames,
        .verified_to = sound,
        .problems_total = f->problems,
        .problems = (const struct jb_audit_problem *const *)f->kept.at,
        .problems_n = (uint32_t)f->kept.n,
        .not_checked = f->not_checked.at,
        .not_checked_n = (uint32_t)f->not_checked.n,
        .notes_total = f->notes_total,
        .notes = f->notes.at,
        .notes_n = (uint32_t)f->notes.n,
    };
    memcpy(whole->r.chain, scan->chain, sizeof whole->r.chain);
}

static jb_status
begin(struct jb_findings *f, const struct jb_audit_options *opts, struct jb_error *err)
{
    f->to.size = sizeof f->to;
    jb_status status = opts != NULL
                           ? jb_abi_in(&f->to, sizeof f->to, opts, "struct jb_audit_options", err)
                           : JB_OK;
    status = status == JB_OK ? jb_abi_reserved(&f->to.reserved, sizeof f->to.reserved,
                                               "struct jb_audit_options", err)
                             : status;
    status = status == JB_OK ? jb_abi_reserved(f->to.reserved_too, sizeof f->to.reserved_too,
                                               "struct jb_audit_options", err)
                             : status;
    jb_lang lang = JB_LANG_EN;
    status = status == JB_OK
                 ? jb_lang_check(f->to.lang, JB_LANG_EN, "struct jb_audit_options", &lang, err)
                 : status;
    jb_lang_set(lang); /* until jb_audit returns */
    if (status == JB_OK && (f->to.only & ~(uint32_t)JB_AUDIT_ALL) != 0) {
        return jb_fail(err, JB_E_USAGE, "an audit has the parts form (1), sums (2) and rules (4)");
    }
    f->to.only = f->to.only == 0 ? (uint32_t)JB_AUDIT_ALL : f->to.only;
    return status;
}

jb_status
jb_audit(const char *dir, const struct jb_audit_options *opts, struct jb_audit_report **ret,
         struct jb_error *err)
{
    JB_SPEAK(JB_LANG_EN);
    if (dir == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_audit");
    }
    struct audit a = {.dir = dir,
                      .state = {.word = "state", .schema = &jb_state_schema},
                      .views = {.word = "views", .schema = &jb_views_schema}};
    jb_status status = begin(&a.f, opts, err);
    struct report *whole = calloc(1, sizeof *whole);
    struct jb_scan_result scan = {0};
    if (status == JB_OK && whole == NULL) {
        status = jb_fail(err, JB_E_NOMEM, "no memory for an audit");
    }
    status = status == JB_OK ? run(&a, &scan, err) : status;
    never_checked(&a.f, &scan);
    if (status == JB_OK && a.f.no_memory) {
        status = jb_fail(err, JB_E_NOMEM, "no memory for the findings of an audit");
    }
    if (status != JB_OK) {
        jb_findings_free(&a.f);
        free(whole);
        return status;
    }
    whole->f = a.f;
    fill(whole, &scan);
    *ret = &whole->r;
    return JB_OK;
}

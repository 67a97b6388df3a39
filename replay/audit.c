/* The audit: the scan of the log, and what else of a ledger must agree with it. */
#include "replay/audit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/secret.h"
#include "storage/lmdb_env.h"
#include "log/head.h"
#include "personal/personal.h"
#include "projections/views.h"

struct audit {
    const char *dir;
    struct jb_findings f;
    struct jb_log *log;
    struct jb_store *store;
    struct jb_store_txn snap;
    bool has_state;
    struct jb_head_file head;
    enum jb_head_found head_found;
};

static void
compare_state(void *data, struct jb_state *b)
{
    struct audit *a = data;
    jb_check_state(b, &a->snap, &a->f);
    a->has_state = false;
}

/* A store that says something else than the log is a problem; one that could not be read for want
 * of memory or a disk's mood is not known to be one.
 */
static void
not_opened(struct audit *a, const char *check, const struct jb_error *err)
{
    switch (err->status) {
    case JB_E_FORMAT:
    case JB_E_CORRUPT:
    case JB_E_STALE:
    case JB_E_ROLLBACK:
        jb_found(&a->f, check, 0, 0, 0, "%s", err->text);
        break;
    default:
        jb_not_checked(&a->f, true, "%s.mdb: %s", check, err->text);
    }
}

/* state.mdb may lag behind the log; what it says it includes is what it is compared with. */
static void
open_state(struct audit *a, const uint8_t ledger_id[16])
{
    struct jb_error err = {0};
    bool remade;
    jb_status status =
        jb_store_open(a->dir, &jb_state_schema, ledger_id, true, &a->store, &remade, &err);
    if (status == JB_OK) {
        status = jb_store_read(a->store, &a->snap, &err);
    }
    if (status == JB_OK) {
        a->has_state = a->snap.meta.seq > 0;
    } else if (status == JB_E_NOTFOUND) {
        jb_not_checked(&a->f, false,
                       "state.mdb: it is not there; it is made again when it is needed");
    } else {
        not_opened(a, "state", &err);
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
        jb_not_checked(&a->f, false,
                       "whether the log was put back to an older state: HEAD is %s. The next "
                       "command that writes makes it again",
                       anothers ? "another ledger's" : "damaged");
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
        jb_not_checked(&a->f, true, "whether a repeated key had the same content: %s", err.text);
    } else if (found != JB_SECRET_THERE) {
        jb_not_checked(&a->f, true,
                       "whether a repeated key had the same content: the file `secret` is %s. Put "
                       "the ledger's own back from a backup",
                       found == JB_SECRET_LOST ? "missing" : "damaged, or another ledger's");
    }
}

static void
check_fingerprints(struct audit *a, const struct jb_scan_result *r)
{
    if (r->no_fingerprint > 0) {
        jb_not_checked(&a->f, false,
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

static void
check_people(struct audit *a, const uint8_t ledger_id[16])
{
    struct jb_personal *p;
    struct jb_error err = {0};
    jb_status status = jb_personal_open(a->dir, ledger_id, true, &p, &err);
    if (status == JB_OK) {
        status = jb_personal_check(p, text_damaged, a, &err);
        jb_personal_close(p);
    }
    if (status == JB_E_NOTFOUND) {
        jb_not_checked(&a->f, false, "personal texts in people.mdb: %s", err.text);
    } else if (status != JB_OK) {
        not_opened(a, "people", &err);
    }
}

static void
view_differs(void *data, const char *text)
{
    struct audit *a = data;
    jb_found(&a->f, "views", 0, 0, 0, "%s", text);
}

/* Only where the log itself is sound: views of a log that contradicts itself prove nothing. */
static void
check_views(struct audit *a)
{
    struct jb_open_options o = {.size = sizeof o, .read_only = true, .accept_rollback = true};
    struct jb_ledger *l;
    struct jb_error err = {0};
    jb_status status = jb_open(a->dir, &o, &l, &err);
    if (status == JB_OK) {
        status = jb_views_compare(l, view_differs, a, &err);
        jb_close(l);
    }
    if (status == JB_E_NOTFOUND) {
        jb_not_checked(&a->f, false,
                       "views.mdb: it is not there; it is made again when it is needed");
    } else if (status != JB_OK) {
        not_opened(a, "views", &err);
    }
}

static void
compare_all(struct audit *a, const struct jb_log_identity *identity, struct jb_scan_result *r)
{
    if (a->has_state && a->f.problems == 0 && !r->newer) {
        jb_found(&a->f, "rollback", a->snap.meta.seq, 0, 0,
                 "state.mdb includes event %llu, but the log has no commit that ends there (it "
                 "ends at %llu)",
                 (unsigned long long)a->snap.meta.seq, (unsigned long long)r->events);
    }
    if (a->store != NULL) {
        jb_store_end(&a->snap);
        a->store = jb_store_close(a->store);
    }
    if (identity != NULL) {
        check_head(a, identity->ledger_id, r);
        check_secret(a, identity->ledger_id);
        check_people(a, identity->ledger_id);
    }
    check_fingerprints(a, r);
    if (r->verified_to == r->events && r->events > 0 && !r->newer) {
        check_views(a);
    } else {
        jb_not_checked(&a->f, false, "views.mdb: %s",
                       r->newer ? "it cannot be compared with what a newer version wrote"
                                : "the log itself is not sound");
    }
}

static jb_status
run(struct audit *a, struct jb_scan_result *r, struct jb_error *err)
{
    struct jb_error cut = {0};
    read_head(a);
    jb_status status = jb_log_open(a->dir, true, false, 0, &a->log, &cut);
    if (status == JB_E_CORRUPT) {
        jb_found(&a->f, "file", 0, 0, 0, "%s", cut.text);
        return JB_OK;
    }
    if (status != JB_OK) {
        return jb_fail(err, status, "%s", cut.text);
    }
    struct jb_log_identity identity;
    bool known = jb_log_identity(a->log, &identity, NULL) == JB_OK;
    if (known) {
        open_state(a, identity.ledger_id);
    }
    status =
        jb_scan_log(a->log, &a->f, a->has_state ? a->snap.meta.seq : 0, compare_state, a, r, err);
    if (status == JB_OK) {
        compare_all(a, known ? &identity : NULL, r);
    }
    if (a->store != NULL) {
        jb_store_end(&a->snap);
        jb_store_close(a->store);
    }
    jb_log_close(a->log);
    return status;
}

static const char *const never_checked[] = {
    "forgery: XXH3 finds accidents; who can write the file can compute new chain values",
    "actors' roles: this ledger does not enforce any",
};

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

jb_status
jb_audit(const char *dir, const struct jb_audit_options *opts, struct jb_audit_report **ret,
         struct jb_error *err)
{
    if (dir == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_audit");
    }
    struct audit a = {.dir = dir, .f = {.to = {.size = sizeof a.f.to}}};
    jb_status status = opts != NULL
                           ? jb_abi_in(&a.f.to, sizeof a.f.to, opts, "struct jb_audit_options", err)
                           : JB_OK;
    struct report *whole = calloc(1, sizeof *whole);
    struct jb_scan_result scan = {0};
    if (status == JB_OK && whole == NULL) {
        status = jb_fail(err, JB_E_NOMEM, "no memory for an audit");
    }
    status = status == JB_OK ? run(&a, &scan, err) : status;
    for (size_t i = 0; i < sizeof never_checked / sizeof never_checked[0]; i++) {
        jb_not_checked(&a.f, false, "%s", never_checked[i]);
    }
    if (status == JB_OK && a.f.no_memory) {
        status = jb_fail(err, JB_E_NOMEM, "no memory for the findings of an audit");
    }
    if (status != JB_OK) {
        jb_findings_free(&a.f);
        free(whole);
        return status;
    }
    whole->f = a.f;
    whole->r = (struct jb_audit_report){
        .size = sizeof whole->r,
        .verdict = a.f.problems > 0 ? JB_REFUTED
                   : a.f.undecided  ? JB_COULD_NOT_TELL
                                    : JB_VERIFIED,
        .events = scan.events,
        .frames = scan.frames,
        .verified_to = scan.verified_to,
        .problems_total = a.f.problems,
        .problems = a.f.kept.at,
        .problems_n = (uint32_t)a.f.kept.n,
        .not_checked = a.f.not_checked.at,
        .not_checked_n = (uint32_t)a.f.not_checked.n,
    };
    memcpy(whole->r.chain, scan.chain, sizeof whole->r.chain);
    *ret = &whole->r;
    return JB_OK;
}

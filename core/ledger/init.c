/* Making a ledger: the directory, the secret, and the first commit, which says what the ledger is
 * and which numbers its rules begin with. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/calendar.h"
#include "storage/descriptors.h"
#include "ledger/internal.h"
#include "ledger/making.h"
#include "personal/key_file.h"
#include "personal/seal.h"

#define FIRST_REF 1

static bool
is_code(const char *currency)
{
    return strlen(currency) == 3 && strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

/* What is set without its switch would be ignored in silence, and a ledger keeps both for ever. */
static jb_status
check_switches(const struct jb_init_options *o, struct jb_error *err)
{
    if (o->utc_offset_given > 1 || o->exponent_given > 1) {
        return jb_fail(err, JB_E_USAGE,
                       "struct jb_init_options: utc_offset_given and exponent_given are 0 or 1");
    }
    const char *unseen = !o->utc_offset_given && o->utc_offset_s != 0 ? "utc_offset"
                         : !o->exponent_given && o->exponent != 0     ? "exponent"
                                                                      : NULL;
    if (unseen != NULL) {
        return jb_fail(err, JB_E_USAGE,
                       "struct jb_init_options: %s is set, but %s_given is not; so it would be "
                       "ignored",
                       unseen, unseen);
    }
    return JB_OK;
}

static jb_status
check_roles(const struct jb_init_options *o, struct jb_error *err)
{
    if (o->roles > JB_MATRICES) {
        return jb_fail(err, JB_E_USAGE, "this version knows matrices of roles 1 to %d",
                       JB_MATRICES);
    }
    if (o->roles != 0 && o->operator_id == NULL) {
        return jb_fail(err, JB_E_USAGE,
                       "a ledger that asks for roles needs a first operator, who gives them");
    }
    if (o->operator_id != NULL && (!jb_id_valid(jb_text_of(o->operator_id), JB_ID_BYTES_MAX) ||
                                   !jb_id_visible(jb_text_of(o->operator_id)))) {
        return jb_fail(err, JB_E_USAGE,
                       "an operator is an id of 1 to 64 bytes of UTF-8 without white space, "
                       "control characters and characters that show nothing");
    }
    return JB_OK;
}

static jb_status
check_options(const struct jb_init_options *o, struct jb_error *err)
{
    if (!is_code(o->currency)) {
        return jb_fail(err, JB_E_USAGE,
                       "a currency is three capital letters of ISO 4217, such as KRW");
    }
    if (o->exponent < 0 || o->exponent > JB_EXPONENT_MAX) {
        return jb_fail(err, JB_E_USAGE, "a currency has 0 to 6 digits after the decimal point");
    }
    if (o->utc_offset_s % 60 != 0 || o->utc_offset_s < -JB_UTC_OFFSET_MAX_S ||
        o->utc_offset_s > JB_UTC_OFFSET_MAX_S) {
        return jb_fail(err, JB_E_USAGE, "an offset from UTC is whole minutes within 18 hours");
    }
    return JB_OK;
}

static jb_status
check_invoices(struct jb_init_options *o, struct jb_error *err)
{
    if (o->invoice_from == 0) {
        o->invoice_from =
            strcmp(o->currency, "KRW") == 0 ? JB_INVOICE_FROM_ALL : JB_INVOICE_FROM_NONE;
    }
    return o->invoice_from == JB_INVOICE_FROM_NONE || jb_month_valid(o->invoice_from)
               ? JB_OK
               : jb_fail(err, JB_E_USAGE,
                         "the first month with invoices is one like 202603, of the years 1 to "
                         "9999");
}

static bool
add(struct jb_log_batch *b, struct jb_event *e, int32_t utc_offset_s)
{
    struct jb_event_context context = {0, utc_offset_s};
    e->seq = b->ends.n + 1;
    e->flags = JB_EVF_UNRECORDED;
    jb_event_set_version(e);
    e->recorded_at = e->occurred_at = JB_NO_INSTANT;
    e->posted_on = JB_NO_DAY;
    if (jb_event_encode(e, &context, &b->bytes) != NULL ||
        !jb_vec_reserve(&b->ends, b->ends.n + 1)) {
        return false;
    }
    b->ends.at[b->ends.n++] = (uint32_t)b->bytes.n;
    return true;
}

/* The numbers that the rules begin with: events like any later change of them. */
static bool
add_policies(struct jb_log_batch *b, const struct jb_init_options *o)
{
    bool krw = strcmp(o->currency, "KRW") == 0;
    const int64_t values[JB_POLICIES] = {
        [JB_POLICY_MIN_CHARGE] = krw ? 1000 : 0,
        [JB_POLICY_DAY_CLOSE] = 0,
        [JB_POLICY_DAY_CLOSE_GRACE] = 600,
        [JB_POLICY_GRANTS_MAX] = 1024,
        [JB_POLICY_CLOCK_TOLERANCE] = 300,
        [JB_POLICY_EMPTY_DAYS_MAX] = 3660,
        [JB_POLICY_VAT_RATE] = krw ? 10 : 0,
        [JB_POLICY_RULES] = JB_RULES,
        [JB_POLICY_ROLES] = o->roles,
        [JB_POLICY_INVOICE_FROM] = o->invoice_from,
    };
    /* What is not written holds by default. */
    for (uint32_t i = 1; i <= JB_POLICY_INVOICE_FROM; i++) {
        bool written = i <= JB_POLICY_VAT_RATE || i == JB_POLICY_RULES ||
                       (i == JB_POLICY_ROLES && o->roles != 0) ||
                       (i == JB_POLICY_INVOICE_FROM && o->invoice_from != JB_INVOICE_FROM_NONE);
        if (!written) {
            continue;
        }
        struct jb_event e;
        memset(&e, 0, sizeof e);
        e.type = JB_EV_POLICY_SET;
        e.policy_set = (struct jb_policy_set){i, values[i], JB_NO_INSTANT};
        if (!add(b, &e, o->utc_offset_s)) {
            return false;
        }
    }
    return true;
}

/* A program that knows layout 1 alone would write names in clear: it does not know this event. */
static bool
add_sealed(struct jb_log_batch *b, const struct jb_init_options *o)
{
    struct jb_event e;
    memset(&e, 0, sizeof e);
    e.type = JB_EV_PEOPLE_ENCRYPTED;
    e.people_encrypted.layout = 2;
    return o->key_file == NULL || add(b, &e, o->utc_offset_s);
}

/* Who gives all other roles: the first reference of a ledger. */
static bool
add_operator(struct jb_log_batch *b, const struct jb_init_options *o)
{
    struct jb_event e;
    memset(&e, 0, sizeof e);
    e.type = JB_EV_ROLE_GIVEN;
    e.role_given = (struct jb_role_given){FIRST_REF, JB_ROLE_OPERATOR, JB_HOW_INIT, {NULL, 0}};
    return o->operator_id == NULL || add(b, &e, o->utc_offset_s);
}

static jb_status
first_commit(struct jb_log *log, const struct jb_init_options *o, const uint8_t ledger_id[16],
             struct jb_error *err)
{
    struct jb_log_batch b = {.first = 1};
    struct jb_event e;
    memset(&e, 0, sizeof e);
    e.type = JB_EV_LEDGER_CREATED;
    e.ledger_created = (struct jb_ledger_created){.format = JB_LOG_FORMAT,
                                                  .exponent = (uint32_t)o->exponent,
                                                  .currency = {o->currency, 3},
                                                  .utc_offset_s = o->utc_offset_s};
    memcpy(e.ledger_created.ledger_id, ledger_id, sizeof e.ledger_created.ledger_id);
    jb_status status = JB_E_NOMEM;
    if (add(&b, &e, o->utc_offset_s) && add_operator(&b, o) && add_policies(&b, o) &&
        add_sealed(&b, o)) {
        struct jb_log_head head = {0};
        enum jb_log_result result;
        jb_frame_root(&e, head.chain);
        status = jb_log_append(log, &b, &head, &result, err);
    } else {
        jb_fail(err, JB_E_NOMEM, "no memory to make a ledger");
    }
    jb_log_batch_free(&b);
    return status;
}

static jb_status
sync_one(const char *dir, struct jb_error *err)
{
    int fd = jb_descriptor_open(dir, O_RDONLY | O_DIRECTORY, 0);
    int code = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0) {
        close(fd);
    }
    /* Some file systems have nothing to sync there; and a parent may be one that can be passed and
     * not read. */
    return code == 0 || code == EINVAL || code == EACCES
               ? JB_OK
               : jb_fail_errno(err, JB_E_IO, code, "cannot sync %s", dir);
}

jb_status
jb_sync_dir(const char *dir, struct jb_error *err)
{
    char parent[4096];
    jb_status status = sync_one(dir, err);
    if (status == JB_OK && snprintf(parent, sizeof parent, "%s/..", dir) < (int)sizeof parent) {
        status = sync_one(parent, err);
    }
    return status;
}

/* A sealed people.mdb, and its key outside of the ledger. */
static jb_status
make_sealed(const struct jb_making *m, const struct jb_init_options *o, const uint8_t ledger_id[16],
            struct jb_personal **ret, struct jb_key_making *key, struct jb_error *err)
{
    char path[4096 + 16];
    struct jb_key_file keys = {.n = 1};
    if (!jb_seal_ready()) {
        return jb_fail(err, JB_E_IO, "libsodium finds no random bytes");
    }
    jb_key_make(1, &keys.keys[0]);
    jb_status status = jb_key_file_begin(key, o->key_file, m->dir, ledger_id, &keys, err);
    snprintf(path, sizeof path, "%s/people.mdb", m->stage);
    status = status == JB_OK ? jb_personal_make(path, ledger_id, &keys.keys[0], ret, err) : status;
    jb_key_file_wipe(&keys);
    return status;
}

static jb_status
make_people(const struct jb_making *m, const struct jb_init_options *o, const uint8_t ledger_id[16],
            struct jb_key_making *key, struct jb_error *err)
{
    struct jb_personal *p;
    if (o->operator_id == NULL && o->key_file == NULL) {
        return JB_OK;
    }
    jb_status status = o->key_file != NULL
                           ? make_sealed(m, o, ledger_id, &p, key, err)
                           : jb_personal_open(m->stage, ledger_id, NULL, false, true, &p, err);
    if (status != JB_OK) {
        return status;
    }
    if (o->operator_id != NULL) {
        status = jb_personal_add(p, FIRST_REF, jb_text_of(o->operator_id), true, NULL, err);
        status = status == JB_OK ? jb_personal_commit(p, err) : status;
    }
    jb_personal_close(p);
    return status;
}

static jb_status
make_files(const char *stage, const struct jb_init_options *o, const uint8_t ledger_id[16],
           struct jb_error *err)
{
    struct jb_log *log;
    jb_status status = jb_secret_make(stage, ledger_id, err);
    status = status == JB_OK ? jb_log_open(stage, false, true, 0, &log, err) : status;
    if (status == JB_OK) {
        status = first_commit(log, o, ledger_id, err);
        jb_log_close(log);
    }
    return status;
}

jb_status
jb_init(const char *dir, const struct jb_init_options *opts, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_EN);
    if (dir == NULL) {
        return jb_fail_null(err, "jb_init");
    }
    struct jb_init_options o = {0};
    jb_status status =
        opts != NULL ? jb_abi_in(&o, sizeof o, opts, "struct jb_init_options", err) : JB_OK;
    if (status != JB_OK) {
        return status;
    }
    status = jb_abi_reserved(o.reserved, sizeof o.reserved, "struct jb_init_options", err);
    status = status == JB_OK ? jb_abi_reserved(o.reserved_too, sizeof o.reserved_too,
                                               "struct jb_init_options", err)
                             : status;
    status = status == JB_OK
                 ? jb_abi_reserved(o.reserved_3, sizeof o.reserved_3, "struct jb_init_options", err)
                 : status;
    status = status == JB_OK
                 ? jb_abi_reserved(o.reserved_4, sizeof o.reserved_4, "struct jb_init_options", err)
                 : status;
    status = status == JB_OK
                 ? jb_lang_check(o.lang, JB_LANG_EN, "struct jb_init_options", &o.lang, err)
                 : status;
    if (status != JB_OK) {
        return status;
    }
    jb_lang_set(o.lang);
    status = check_switches(&o, err);
    if (status != JB_OK) {
        return status;
    }
    o.currency = o.currency != NULL ? o.currency : "KRW";
    o.utc_offset_s = o.utc_offset_given ? o.utc_offset_s : 9 * 3600;
    if (strlen(o.currency) != 3) {
        return jb_fail(err, JB_E_USAGE,
                       "a currency is three capital letters of ISO 4217, such as KRW");
    }
    if (!o.exponent_given) {
        o.exponent = jb_currency_exponent(o.currency);
        if (o.exponent < 0 && is_code(o.currency)) {
            return jb_fail(err, JB_E_USAGE,
                           "%s has no minor unit in ISO 4217: say how many digits stand behind its "
                           "decimal point (exponent, `--exponent`), 0 to 6",
                           o.currency);
        }
    }
    status = check_options(&o, err);
    status = status == JB_OK ? check_roles(&o, err) : status;
    status = status == JB_OK ? check_invoices(&o, err) : status;
    uint8_t ledger_id[16];
    if (status == JB_OK && getrandom(ledger_id, sizeof ledger_id, 0) != (ssize_t)sizeof ledger_id) {
        status = jb_fail_errno(err, JB_E_IO, errno, "no random bytes for the ledger's id");
    }
    struct jb_making m;
    struct jb_key_making key = {.fd = -1};
    status = status == JB_OK ? jb_making_begin(&m, dir, false, err) : status;
    if (status != JB_OK) {
        return status;
    }
    /* Who has roles is somebody: he is to be forgotten when he has none any more. */
    char *beside = o.roles != 0 && o.key_file == NULL ? jb_key_file_default(dir) : NULL;
    if (o.roles != 0 && o.key_file == NULL && beside == NULL) {
        status = jb_fail(err, JB_E_NOMEM, "no memory for the path of the key file");
    }
    o.key_file = beside != NULL ? beside : o.key_file;
    status = status == JB_OK ? make_files(m.stage, &o, ledger_id, err) : status;
    status = status == JB_OK ? make_people(&m, &o, ledger_id, &key, err) : status;
    status = jb_making_end(&m, status, err);
    status = jb_key_file_end(&key, status, err);
    free(beside);
    return status;
}

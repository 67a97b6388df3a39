#include "json_options.h"

#include <string.h>

#include "lang.h"
#include "members.h"

static const char *const clocks[] = {"system", "at", NULL};
static const char *const langs[] = {"en", "ko", NULL};

/* As they are read; the structs of the C library are made from them. */
struct read {
    uint8_t read_only, accept_rollback, accept_clock, dry_run;
    uint32_t clock, lang;
    struct jb_text caller;
    uint64_t lock_wait_us, line;
    json_t *init;
    struct jb_text currency, key_file, init_key_file;
    uint64_t exponent;
    int32_t utc_offset_s;
};

#define AT(member) offsetof(struct read, member)
#define CALLER                                                                                     \
    {                                                                                              \
        "caller", MEMBER_TEXT, AT(caller), 0, 0, NULL                                              \
    }
#define ACCEPT_CLOCK                                                                               \
    {                                                                                              \
        "accept_clock", MEMBER_FLAG, AT(accept_clock), 0, 0, NULL                                  \
    }
#define LANG                                                                                       \
    {                                                                                              \
        "lang", MEMBER_WORD, AT(lang), 0, 0, langs                                                 \
    }
/* What the text says in a language that is among its options is said in that. */
static void
speak_as(const json_t *root)
{
    const struct jb_text t = text_of(json_object_get(root, "lang"));
    for (int i = 0; t.s != NULL && langs[i] != NULL; i++) {
        if (t.n == strlen(langs[i]) && memcmp(t.s, langs[i], t.n) == 0) {
            (void)lang_speak(i == 0 ? JB_LANG_EN : JB_LANG_KO);
        }
    }
}

static const struct member_row open_rows[] = {
    {"read_only", MEMBER_FLAG, AT(read_only), 0, 0, NULL},
    CALLER,
    {"lock_wait_us", MEMBER_NUMBER, AT(lock_wait_us), 1, INT64_MAX / 1000, NULL},
    {"accept_rollback", MEMBER_FLAG, AT(accept_rollback), 0, 0, NULL},
    ACCEPT_CLOCK,
    {"key_file", MEMBER_TEXT, AT(key_file), 0, 0, NULL},
    LANG,
    {"init", MEMBER_OBJECT, AT(init), 0, 0, NULL}};
enum { CURRENCY, EXPONENT, OFFSET, KEY_FILE };
static const struct member_row init_rows[] = {
    [CURRENCY] = {"currency", MEMBER_TEXT, AT(currency), 0, 0, NULL},
    [EXPONENT] = {"exponent", MEMBER_NUMBER, AT(exponent), 0, 6, NULL},
    [OFFSET] = {"utc_offset", MEMBER_OFFSET, AT(utc_offset_s), 0, 0, NULL},
    [KEY_FILE] = {"key_file", MEMBER_TEXT, AT(init_key_file), 0, 0, NULL}};
/* Lines are counted on from there: far below 2^63, and whole in a language that has only doubles.
 */
#define LINE_MAX_GIVEN ((UINT64_C(1) << 52) - 1)
static const struct member_row apply_rows[] = {
    {"clock", MEMBER_WORD, AT(clock), 0, 0, clocks},
    {"dry_run", MEMBER_FLAG, AT(dry_run), 0, 0, NULL},
    CALLER,
    ACCEPT_CLOCK,
    LANG,
    {"line", MEMBER_NUMBER, AT(line), 1, LINE_MAX_GIVEN, NULL}};
#define N(rows) (sizeof(rows) / sizeof(rows)[0])
#define ALL UINT64_MAX

bool
open_call_read(struct json_pool *pool, const char *text, struct open_call *ret,
               struct bad_line *bad)
{
    struct read r = {0};
    uint64_t has, init_has = 0;
    if (text != NULL) {
        json_t *root = parse_begin(pool, TEXT_OPTIONS, text, strlen(text), bad);
        speak_as(root);
        bool ok = root != NULL &&
                  members_read(root, open_rows, N(open_rows), ALL, NULL, "open", &r, &has, bad) &&
                  (r.init == NULL || members_read(r.init, init_rows, N(init_rows), ALL, NULL,
                                                  "init", &r, &init_has, bad));
        if (ok && r.init != NULL && r.read_only) {
            ok = wrong(bad, JB_CODE_MALFORMED, "init",
                       "init makes a ledger, and with read_only nothing is written");
        }
        if (!parse_end(pool, ok, bad)) {
            return false;
        }
    }
    *ret = (struct open_call){
        .open = {.size = sizeof ret->open,
                 .read_only = r.read_only,
                 .caller = r.caller.s,
                 .lock_wait_us = (int64_t)r.lock_wait_us,
                 .accept_rollback = r.accept_rollback,
                 .accept_clock = r.accept_clock,
                 .lang = lang_now(),
                 .key_file = r.key_file.s != NULL ? r.key_file.s : r.init_key_file.s},
        .init = {.size = sizeof ret->init,
                 .currency = r.currency.s,
                 .exponent = (int32_t)r.exponent,
                 .exponent_given = (init_has & MEMBER(EXPONENT)) != 0,
                 .utc_offset_s = r.utc_offset_s,
                 .utc_offset_given = (init_has & MEMBER(OFFSET)) != 0,
                 .lang = lang_now(),
                 .key_file = r.init_key_file.s},
        .make = r.init != NULL};
    return true;
}

bool
apply_call_read(struct json_pool *pool, const char *text, struct apply_call *ret,
                struct bad_line *bad)
{
    struct read r = {.line = 1};
    uint64_t has;
    if (text != NULL) {
        json_t *root = parse_begin(pool, TEXT_OPTIONS, text, strlen(text), bad);
        speak_as(root);
        bool ok = root != NULL &&
                  members_read(root, apply_rows, N(apply_rows), ALL, NULL, "apply", &r, &has, bad);
        if (ok && r.accept_clock && r.clock != JB_CLOCK_SYSTEM) {
            ok = wrong(bad, JB_CODE_MALFORMED, "accept_clock",
                       "accept_clock is about the system's clock, not clock \"at\"");
        }
        if (!parse_end(pool, ok, bad)) {
            return false;
        }
    }
    *ret = (struct apply_call){.submit = {.size = sizeof ret->submit,
                                          .clock = (jb_clock_mode)r.clock,
                                          .dry_run = r.dry_run,
                                          .caller = r.caller.s,
                                          .accept_clock = r.accept_clock,
                                          .lang = lang_now()},
                               .line = r.line};
    return true;
}

void
options_json(struct out *o)
{
    js_open(o, "options", '{');
    members_json(o, "open", open_rows, N(open_rows));
    members_json(o, "init", init_rows, N(init_rows));
    members_json(o, "apply", apply_rows, N(apply_rows));
    js_close(o, '}');
}

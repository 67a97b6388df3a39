/*
 * Any bytes as a line of `jangbu apply`: a command whose texts can be read, or a sentence that says
 * what is wrong with the line. And any bytes as lines, as a query, and as options of
 * libjangbu-json: whatever it answers is lines of JSON in UTF-8, and an error where the status says
 * so.
 */
#include <jangbu/json.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "command_json.h"
#include "scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A sanitizer sees where a text leads nowhere. */
static void
read_text(struct jb_text t)
{
    volatile char last = 0;
    for (size_t i = 0; i < t.n; i++) {
        last = t.s[i];
    }
    (void)last;
}

static void
read_command(const struct jb_command *c)
{
    JB_ASSERT(c->size == sizeof *c && jb_op_get((uint32_t)c->op) != NULL);
    for (unsigned field = 0; field < JB_CF_N; field++) {
        const struct jb_command_field_info *f = jb_command_field_get(field);
        if (f == NULL || (c->has & JB_HAS(field)) == 0) {
            continue;
        }
        switch ((int)f->kind) {
        case JB_CK_ID:
        case JB_CK_SHORT:
        case JB_CK_NAME:
        case JB_CK_TEXT:
        case JB_CK_KEY:
        case JB_CK_REF:
        case JB_CK_CALLER:
            read_text(*(const struct jb_text *)((const char *)c + f->offset));
            break;
        case JB_CK_ACTOR:
            read_text(c->actor_id);
            read_text(c->actor_role);
            break;
        default:
            break;
        }
    }
    for (size_t i = 0; i < c->commands_n; i++) {
        read_command(&c->commands[i]);
    }
}

static void
as_a_line(const char *line, size_t n)
{
    struct json_pool *pool = json_pool_new();
    struct jb_command c;
    struct jb_text key;
    struct bad_line bad;
    JB_ASSERT(pool != NULL);
    /* line has exactly n bytes: a sanitizer sees who reads behind them. */
    if (command_from_json(pool, line, n, &c, &key, &bad)) {
        read_command(&c);
    } else {
        JB_ASSERT(bad.code != JB_CODE_NONE && bad.message[0] != '\0');
        JB_ASSERT(strlen(bad.message) < sizeof bad.message && strlen(bad.field) < sizeof bad.field);
    }
    read_text(key);
    /* As many pools are there as commands are on their way: a short one takes little. */
    JB_ASSERT(json_pool_bytes(pool) <= 8192 + 1024 * n);
    json_pool_reset(pool);
    json_pool_free(pool);
}

/* The ledger that is asked: two wallets, and a bit of everything. */
static jb_json *
the_ledger(void)
{
    static const char lines[] =
        "{\"op\":\"wallet.create\",\"wallet\":\"W\",\"kind\":\"BUSINESS\",\"name\":\"w\"}\n"
        "{\"op\":\"wallet.create\",\"wallet\":\"V\",\"kind\":\"PERSONAL\",\"name\":\"v\"}\n"
        "{\"op\":\"charge\",\"wallet\":\"W\",\"charge\":\"C\",\"amount\":5000,\"note\":\"n\"}\n"
        "{\"op\":\"consume\",\"wallet\":\"W\",\"usage\":\"U\",\"amount\":100}\n"
        "{\"op\":\"refund.request\",\"wallet\":\"W\",\"refund\":\"R\"}\n"
        "{\"op\":\"consume\",\"wallet\":\"W\",\"usage\":\"T\",\"amount\":10000,\"key\":\"k\"}\n";
    static jb_json *j;
    char path[SCRATCH_PATH_BYTES];
    const char *text;
    if (j == NULL) {
        (void)scratch_dir();
        jb_status status = jb_json_open(scratch_path("json", path), "{\"init\":{}}", &j, &text);
        JB_ASSERT(status == JB_OK);
        jb_json_text_free(text);
        status = jb_json_apply(j, lines, sizeof lines - 1, NULL, &text, NULL);
        JB_ASSERT(status == JB_OK && strstr(text, "\"ok\":true,\"line\":5") != NULL);
        jb_json_text_free(text);
    }
    return j;
}

/* Gives the text back. Returns how many lines it has. */
static size_t
check_text(jb_status status, const char *text, size_t n)
{
    size_t lines = 0;
    const char *last = NULL;
    JB_ASSERT(text != NULL && strlen(text) == n && jb_utf8_valid(text, n, NULL));
    for (const char *at = text; *at != '\0';) {
        const char *end = strchr(at, '\n');
        JB_ASSERT(end != NULL);
        json_t *line = json_loadb(at, (size_t)(end - at), JSON_REJECT_DUPLICATES, NULL);
        JB_ASSERT(json_is_object(line));
        json_decref(line);
        last = at;
        at = end + 1;
        lines++;
    }
    const bool error = last != NULL && strncmp(last, "{\"error\":{", 10) == 0;
    JB_ASSERT(error == (status != JB_OK));
    jb_json_text_free(text);
    return lines;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char wallet_off[] = "{\"op\":\"wallet.off\",\"wallet\":\"W\"}";
    const char *bytes = (const char *)data, *text;
    size_t text_n;
    jb_json *j = the_ledger();
    as_a_line(bytes, n);

    jb_status status = jb_json_apply(j, bytes, n, "{\"dry_run\":true}", &text, &text_n);
    JB_ASSERT(status == JB_OK);
    size_t ends = 1;
    for (size_t i = 0; i < n; i++) {
        ends += bytes[i] == '\n';
    }
    JB_ASSERT(check_text(status, text, text_n) <= ends);

    /* A wait of as long as one likes is none that can be tried. */
    if (memmem(bytes, n, "wait", 4) == NULL) {
        status = jb_json_ask(j, bytes, n, &text, &text_n);
        check_text(status, text, text_n);
    }

    char *options = malloc(n + 1);
    JB_ASSERT(options != NULL);
    memcpy(options, bytes, n);
    options[n] = '\0';
    if (strstr(options, "dry_run") != NULL || strlen(options) < n) {
        status = jb_json_apply(j, wallet_off, sizeof wallet_off - 1, options, &text, &text_n);
        check_text(status, text, text_n);
    }
    free(options);
    return 0;
}

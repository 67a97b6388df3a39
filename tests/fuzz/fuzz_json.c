/* Any bytes as a line of `jangbu apply`: a command whose texts can be read, or a sentence that says
 * what is wrong with the line. */
#include "base/error.h"
#include "command_json.h"

#include <string.h>

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct json_pool *pool;
    struct jb_command c;
    struct jb_text key;
    struct bad_line bad;
    pool = pool != NULL ? pool : json_pool_new();
    JB_ASSERT(pool != NULL);
    /* data has exactly n bytes: a sanitizer sees who reads behind them. */
    if (command_from_json(pool, (const char *)data, n, &c, &key, &bad)) {
        read_command(&c);
    } else {
        JB_ASSERT(bad.code != JB_CODE_NONE && bad.message[0] != '\0');
        JB_ASSERT(strlen(bad.message) < sizeof bad.message && strlen(bad.field) < sizeof bad.field);
    }
    read_text(key);
    json_pool_reset(pool);
    return 0;
}

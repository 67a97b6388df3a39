#include "vocabulary.h"

#include "command_json.h"

static const char *
kind_word(jb_command_kind kind)
{
    static const char *const words[] = {
        [JB_CK_ID] = "id",           [JB_CK_SHORT] = "short",   [JB_CK_NAME] = "name",
        [JB_CK_TEXT] = "text",       [JB_CK_AMOUNT] = "amount", [JB_CK_UINT] = "number",
        [JB_CK_BOOL] = "boolean",    [JB_CK_WORD] = "word",     [JB_CK_DAY] = "day",
        [JB_CK_INSTANT] = "instant", [JB_CK_ACTOR] = "actor",   [JB_CK_VALUE] = "value",
        [JB_CK_COMMANDS] = "list",   [JB_CK_KEY] = "key",       [JB_CK_REF] = "reference",
        [JB_CK_CALLER] = "caller",   [JB_CK_BIZ] = "biz",       [JB_CK_SEARCH_ID] = "search_id",
        [JB_CK_LINE] = "line",       [JB_CK_EMAIL] = "email",   [JB_CK_AMOUNT0] = "amount or 0",
        [JB_CK_MONTH] = "month"};
    return (size_t)kind < sizeof words / sizeof words[0] ? words[kind] : NULL;
}

static void
fields_json(struct out *o, const char *key, uint64_t set)
{
    js_open(o, key, '[');
    for (unsigned i = 0; i < JB_CF_N; i++) {
        const struct jb_command_field_info *f = jb_command_field_get(i);
        if (f != NULL && (set & JB_HAS(i)) != 0) {
            js_str(o, NULL, f->name);
        }
    }
    js_close(o, ']');
}

static void
member_json(struct out *o, const struct jb_command_field_info *f)
{
    js_open(o, NULL, '{');
    js_str(o, "name", f->name);
    js_str(o, "kind", kind_word(f->kind));
    if (f->kind == JB_CK_WORD) {
        js_open(o, "words", '[');
        for (uint32_t i = 0; i < f->names->n; i++) {
            if (f->names->words[i] != NULL && command_may_say(f->names, i)) {
                js_str(o, NULL, f->names->words[i]);
            }
        }
        js_close(o, ']');
    }
    js_close(o, '}');
}

void
commands_json(struct out *o)
{
    js_open(o, NULL, '{');
    js_open(o, "ops", '[');
    for (uint32_t i = 1; i < JB_OPS; i++) {
        const struct jb_op_info *op = jb_op_get(i);
        if (op == NULL) {
            continue; /* a number that is not given yet */
        }
        js_open(o, NULL, '{');
        js_str(o, "op", op->name);
        fields_json(o, "required", op->required);
        fields_json(o, "optional", op->optional & ~op->required);
        js_close(o, '}');
    }
    js_close(o, ']');
    js_open(o, "members", '[');
    for (unsigned i = 0; i < JB_CF_N; i++) {
        const struct jb_command_field_info *f = jb_command_field_get(i);
        if (f != NULL) {
            member_json(o, f);
        }
    }
    js_close(o, ']');
    js_close(o, '}');
}

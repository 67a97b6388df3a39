#include "batch.h"

#include "lang.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_json.h"
#include "event_json.h"

bool
batch_reserve(struct batch *b, size_t cap)
{
    if (b->pool == NULL) {
        b->pool = json_pool_new();
    }
    if (b->pool == NULL || cap <= b->cap) {
        return b->pool != NULL;
    }
    struct jb_command *commands = calloc(cap, sizeof *commands);
    struct line *lines = calloc(cap, sizeof *lines);
    if (commands == NULL || lines == NULL) {
        free(commands);
        free(lines);
        return false;
    }
    free(b->commands);
    free(b->lines);
    b->commands = commands;
    b->lines = lines;
    b->cap = cap;
    return true;
}

void
batch_free(struct batch *b)
{
    json_pool_free(b->pool);
    free(b->commands);
    free(b->lines);
    *b = (struct batch){0};
}

void
batch_reset(struct batch *b)
{
    json_pool_reset(b->pool);
    b->commands_n = b->lines_n = b->bytes = 0;
}

static bool
keep_bad(struct batch *b, struct line *line, const struct bad_line *bad)
{
    struct bad_line *kept = json_pool_alloc(b->pool, sizeof *kept);
    if (kept == NULL) {
        return false;
    }
    *kept = *bad;
    line->bad = kept;
    b->lines_n++;
    return true;
}

bool
batch_add(struct batch *b, uint64_t number, const char *s, size_t n, bool too_long)
{
    struct line *line = &b->lines[b->lines_n];
    struct bad_line bad;
    bad_line_begin(&bad, JB_CODE_BATCH_TOO_LARGE);
    *line = (struct line){.number = number};
    b->bytes += n;
    if (too_long) {
        snprintf(bad.message, sizeof bad.message, "%s",
                 tr("the line has more than 4 MiB; it was skipped"));
        return keep_bad(b, line, &bad);
    }
    if (n > 0 && s[n - 1] == '\r') {
        n--;
    }
    if (number == 1 && n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) {
        s += 3; /* a byte order mark, as some editors write it */
        n -= 3;
    }
    if (n == 0) {
        return true; /* an empty line counts and is skipped */
    }
    if (command_from_json(b->pool, s, n, &b->commands[b->commands_n], &line->key, &bad)) {
        b->commands_n++;
        b->lines_n++;
        return true;
    }
    return !bad.no_memory && keep_bad(b, line, &bad);
}

bool
batch_refuse_last(struct batch *b, const struct bad_line *bad)
{
    b->lines_n--; /* keep_bad counts it again */
    if (!keep_bad(b, &b->lines[b->lines_n], bad)) {
        b->lines_n++;
        return false;
    }
    b->commands_n--;
    return true;
}

bool
code_is_dated(jb_code code)
{
    return code == JB_CODE_AT_NOT_ALLOWED || code == JB_CODE_AT_TOO_OLD ||
           code == JB_CODE_WALLET_UNKNOWN_THEN;
}

/* before: the answer is that of a key. */
static void
count(struct batch_tally *t, uint64_t line, jb_code code, bool before)
{
    t->line = line;
    t->dated += code_is_dated(code) ? 1 : 0;
    if (code == JB_CODE_NONE) {
        ++*(before ? &t->done_before : &t->done);
        return;
    }
    if (t->refused + t->refused_before == 0) {
        t->first_refused = line;
        t->first_code = code;
    }
    ++*(before ? &t->refused_before : &t->refused);
}

void
batch_answers(const struct batch *b, const jb_answers *answers, size_t from, size_t answers_n,
              int32_t utc_offset_s, struct out *o, struct batch_tally *tally)
{
    size_t next = 0;
    for (size_t i = 0; i < b->lines_n; i++) {
        const struct line *line = &b->lines[i];
        jb_code code;
        bool before = false;
        if (line->bad != NULL) {
            bad_line_json(o, line->bad, line->number, line->key);
            code = line->bad->code;
        } else if (next == answers_n) {
            return;
        } else {
            const struct jb_answer *a = jb_answers_at(answers, from + next++);
            answer_json(o, a, line->number, line->key, utc_offset_s);
            code = a->code;
            before = a->outcome == JB_DUPLICATE;
            tally->forgotten += a->op == JB_OP_FORGET && a->outcome == JB_DONE ? 1 : 0;
        }
        js_line_end(o);
        count(tally, line->number, code, before);
    }
}

void
error_json(struct out *o, const struct jb_error *err, const struct bad_line *bad,
           const uint64_t *lines_done)
{
    js_open(o, NULL, '{');
    js_open(o, "error", '{');
    js_str(o, "status", jb_status_word(err->status));
    js_sentence(o, "message", err->text);
    if (bad != NULL && bad->column > 0) {
        js_int(o, "column", bad->column);
    }
    if (bad != NULL && bad->field[0] != '\0') {
        js_sentence(o, "field", bad->field);
    }
    if (lines_done != NULL) {
        js_uint(o, "lines_done", *lines_done);
    }
    if (err->os_errno != 0) {
        js_int(o, "os_errno", err->os_errno);
    }
    if (err->at != 0) {
        js_uint(o, "at", err->at);
    }
    if (err->frame != 0) {
        js_uint(o, "frame", err->frame);
        js_uint(o, "offset", err->offset);
    }
    js_close(o, '}');
    js_close(o, '}');
    js_line_end(o);
}

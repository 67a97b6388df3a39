#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "auth.h"
#include "event_json.h"
#include "gateway.h"
#include "lang.h"
#include "places.h"
#include "problem.h"
#include "submit.h"
#include "workers.h"

#define LINES_TYPE "application/x-ndjson"
#define KEY_BYTES_MAX 300U
#define QUICK_BYTES (16U << 10)
#define QUICK_LINES 64U

/* ---- the head ---- */

static bool
type_is(const struct exchange *x, const char *type)
{
    return strlen(type) == x->type.n && memcmp(type, x->type.s, x->type.n) == 0;
}

static bool
bad_request(struct exchange *x, const char *detail)
{
    problem(x, GATEWAY_BAD_REQUEST, detail);
    return false;
}

/* "abc" of RFC 9651 without its quotes and escapes, or what stands there bare; the pool's. False:
 * it is neither, x has the problem. */
static bool
key_header(struct exchange *x, struct json_pool *pool, struct jb_text *ret)
{
    const struct jb_text h = exchange_header(x, "Idempotency-Key");
    *ret = (struct jb_text){NULL, 0};
    if (h.s == NULL) {
        return true;
    }
    const bool quoted = h.n >= 2 && h.s[0] == '"' && h.s[h.n - 1] == '"';
    char *key = json_pool_alloc(pool, h.n + 1);
    size_t n = 0;
    bool ok = exchange_header_count(x, "Idempotency-Key") == 1 && h.n <= 2 * KEY_BYTES_MAX + 2;
    if (key == NULL) {
        problem(x, GATEWAY_NO_MEMORY, NULL);
        return false;
    }
    for (size_t i = quoted ? 1 : 0; ok && i < h.n - (quoted ? 1 : 0); i++) {
        if (quoted && h.s[i] == '\\') {
            ok = ++i < h.n - 1 && (h.s[i] == '"' || h.s[i] == '\\');
        } else if (h.s[i] == '"') {
            ok = false;
        }
        key[n++] = ok ? h.s[i] : '\0';
    }
    *ret = (struct jb_text){key, n};
    return (ok && n > 0) ||
           bad_request(x, tr("Idempotency-Key is one text, like \"order-1-pay\", or the same "
                             "without quotes"));
}

/* Behind the version: a quote, or .FREE.DORMANT and a quote. */
static bool
etag_tail(struct jb_text s)
{
    size_t i = 0, dots = 0;
    while (i < s.n && s.s[i] == '.') {
        size_t digits = 0;
        for (i++; i < s.n && s.s[i] >= '0' && s.s[i] <= '9'; i++) {
            digits++;
        }
        dots += digits > 0 ? 1 : 3;
    }
    return i + 1 == s.n && s.s[i] == '"' && (dots == 0 || dots == 2);
}

/* If-Match: "12.3000.0", as ETag said it, or "12": the version. *ret_given: it is there. */
static bool
match_header(struct exchange *x, uint64_t *ret, bool *ret_given)
{
    const struct jb_text h = exchange_header(x, "If-Match");
    *ret_given = h.s != NULL;
    *ret = 0;
    if (h.s == NULL) {
        return true;
    }
    size_t i = 1;
    const bool quoted = h.n > 2 && h.s[0] == '"' && h.s[h.n - 1] == '"';
    while (quoted && i < h.n - 1 && i < 20 && h.s[i] >= '0' && h.s[i] <= '9') {
        *ret = *ret * 10 + (uint64_t)(h.s[i++] - '0');
    }
    return (quoted && i > 1 && i < 20 && etag_tail((struct jb_text){h.s + i, h.n - i}) &&
            exchange_header_count(x, "If-Match") == 1) ||
           bad_request(x, tr("If-Match is one version of a wallet, as ETag says it, like "
                             "\"12.3000.0\" or \"12\""));
}

static bool
dry_run_asked(struct exchange *x, bool *ret)
{
    *ret = false;
    if (x->query_n == 0) {
        return true;
    }
    const struct jb_text name = x->query[0].name, value = x->query[0].value;
    const bool known = x->query_n == 1 && name.n == 7 && memcmp(name.s, "dry_run", 7) == 0 &&
                       ((value.n == 1 && (value.s[0] == '0' || value.s[0] == '1')) ||
                        (value.n == 4 && memcmp(value.s, "true", 4) == 0) ||
                        (value.n == 5 && memcmp(value.s, "false", 5) == 0));
    if (!known) {
        problem(x, GATEWAY_PARAMETER, tr("the only parameter here is dry_run, 0 or 1"));
        return false;
    }
    *ret = value.s[0] == '1' || value.s[0] == 't';
    return true;
}

/* ---- what the gateway asks of a command beside its form ---- */

/* False: it may not be given, and bad says why; *ret_code: the gateway's code, or 0 for bad's. The
 * caller and the clock are not the body's to say. */
static bool
command_check(const struct exchange *x, struct jb_command *c, bool dry_run,
              enum gateway_code *ret_code, struct bad_line *bad)
{
    const bool caller = (c->has & JB_HAS(JB_CF_CALLER)) != 0;
    const char *not_here = caller ? "caller" : "clock";
    bad_line_begin(bad, JB_CODE_MALFORMED);
    *ret_code = 0;
    if (caller || (c->has & JB_HAS(JB_CF_CLOCK)) != 0) {
        snprintf(bad->field, sizeof bad->field, "%s", not_here);
        snprintf(bad->message, sizeof bad->message, "%s",
                 tr("the caller comes with the token, and the clock is the ledger's: a command "
                    "here has neither"));
        return false;
    }
    if ((c->has & JB_HAS(JB_CF_KEY)) == 0 && !dry_run && !x->who->keyless) {
        snprintf(bad->message, sizeof bad->message, "%s",
                 tr("give each command a key, by which a repetition of it is known"));
        *ret_code = GATEWAY_KEY_REQUIRED;
    } else {
        *ret_code = auth_command(x->who, c, bad->message, sizeof bad->message);
    }
    bad->word = *ret_code != 0 ? gateway_code_word(*ret_code) : NULL;
    return *ret_code == 0;
}

/* ---- one command ---- */

static void
single_answered(struct job *job, const jb_answers *answers, size_t from, size_t done,
                jb_status status, const struct jb_error *err)
{
    struct exchange *x = job->x;
    struct gateway *g = x->gateway;
    const struct jb_answer *a = done > 0 ? jb_answers_at(answers, from) : NULL;
    if (a == NULL && status == JB_E_KEY && job->batch.commands[0].op == JB_OP_FORGET) {
        problem_forget(x, err);
    } else if (a == NULL) {
        problem_status(x, status, err);
    } else {
        if (a->outcome == JB_DUPLICATE) {
            exchange_set_header(x, "Idempotent-Replayed", "true");
        }
        x->answer.seq = a->seq;
        if (a->code != JB_CODE_NONE || a->outcome == JB_UNKNOWN) {
            problem_refusal(x, a);
        } else {
            exchange_answer(x, 200, "application/json");
            answer_json(&x->answer.body, a, 0, job->batch.lines[0].key, g->quick.utc_offset_s);
            js_line_end(&x->answer.body);
        }
    }
    job_give(g->submitters, job);
    exchange_done(x);
}

/* The key of the head is that of the command; both are allowed where they are one. */
static bool
key_join(struct exchange *x, struct job *job, struct jb_command *c)
{
    struct jb_text key;
    if (!key_header(x, job->batch.pool, &key)) {
        return false;
    }
    if (key.s == NULL) {
        return true;
    }
    if ((c->has & JB_HAS(JB_CF_KEY)) != 0) {
        const bool same = c->key.n == key.n && memcmp(c->key.s, key.s, key.n) == 0;
        if (!same) {
            problem(x, GATEWAY_KEY_DIFFERS, NULL);
        }
        return same;
    }
    jb_set_key(c, key);
    job->batch.lines[0].key = key;
    return true;
}

static bool
expect_join(struct exchange *x, struct jb_command *c)
{
    uint64_t version;
    bool given;
    if (!match_header(x, &version, &given) || !given) {
        return !given;
    }
    if ((c->has & JB_HAS(JB_CF_EXPECT)) != 0 && c->expect != version) {
        return bad_request(x, tr("If-Match and the command's expect are not the same"));
    }
    if ((jb_op_get((uint32_t)c->op)->optional & JB_HAS(JB_CF_EXPECT)) == 0) {
        return bad_request(x, tr("a command of that op expects no version: leave If-Match out"));
    }
    jb_set_expect(c, version);
    return true;
}

static bool
single_read(struct exchange *x, struct job *job)
{
    struct batch *b = &job->batch;
    if (!batch_add(b, 0, x->body.s, x->body.n, false)) {
        problem(x, GATEWAY_NO_MEMORY, NULL);
        return false;
    }
    if (b->lines_n == 0) {
        return bad_request(x, tr("the body has no command"));
    }
    if (b->lines[0].bad != NULL) {
        problem_bad(x, b->lines[0].bad);
        return false;
    }
    struct jb_command *c = &b->commands[0];
    const struct jb_op_info *op = jb_op_get((uint32_t)c->op);
    x->answer.op = op != NULL ? op->name : NULL;
    if (!key_join(x, job, c) || !expect_join(x, c)) {
        return false;
    }
    enum gateway_code code;
    struct bad_line bad;
    if (command_check(x, c, job->dry_run, &code, &bad)) {
        return true;
    }
    if (code != 0) {
        problem(x, code, bad.message);
    } else {
        problem_bad(x, &bad);
    }
    return false;
}

/* ---- lines ---- */

/* The next line, without its end, off the front of rest. False: there is none. */
static bool
next_line(struct jb_text *rest, struct jb_text *ret)
{
    if (rest->n == 0) {
        return false;
    }
    const char *end = memchr(rest->s, '\n', rest->n);
    const size_t n = end != NULL ? (size_t)(end - rest->s) : rest->n;
    const size_t past = n + (end != NULL ? 1 : 0);
    *ret = (struct jb_text){rest->s, n};
    *rest = (struct jb_text){rest->s + past, rest->n - past};
    return true;
}

static void
lines_write(struct exchange *x, const struct job *job, const jb_answers *answers, size_t from,
            size_t done, jb_status status, const struct jb_error *err)
{
    struct batch_tally tally = {.line = 0};
    if (status != JB_OK && done == 0) {
        problem_status(x, status, err);
        return;
    }
    exchange_answer(x, 200, LINES_TYPE);
    batch_answers(&job->batch, answers, from, done, x->gateway->quick.utc_offset_s, &x->answer.body,
                  &tally);
    for (size_t i = done; i > 0 && x->answer.seq == 0; i--) {
        x->answer.seq = jb_answers_at(answers, from + i - 1)->seq;
    }
    if (status != JB_OK) { /* the lines behind the last one that is done are to be sent again */
        places_log(x, err->text);
        error_json(&x->answer.body, err, NULL, &tally.line);
    }
}

static void
lines_answered(struct job *job, const jb_answers *answers, size_t from, size_t done,
               jb_status status, const struct jb_error *err)
{
    struct exchange *x = job->x;
    lines_write(x, job, answers, from, done, status, err);
    job_give(x->gateway->submitters, job);
    exchange_done(x);
}

/* The last line is a command: it stays one, or is answered as refused. False: no memory. */
static bool
line_check(const struct exchange *x, struct job *job)
{
    struct batch *b = &job->batch;
    struct jb_command *c = &b->commands[b->commands_n - 1];
    enum gateway_code code;
    struct bad_line bad;
    return command_check(x, c, job->dry_run, &code, &bad) || batch_refuse_last(b, &bad);
}

static bool
lines_read(struct exchange *x, struct job *job)
{
    struct batch *b = &job->batch;
    struct jb_text rest = x->body, line;
    for (uint64_t number = 1; next_line(&rest, &line); number++) {
        const size_t before = b->commands_n;
        if (!batch_add(b, number, line.s, line.n, false) ||
            (b->commands_n > before && !line_check(x, job))) {
            problem(x, GATEWAY_NO_MEMORY, NULL);
            return false;
        }
    }
    return b->lines_n > 0 || bad_request(x, tr("the body has no command"));
}

/* ---- both ---- */

static size_t
lines_of(struct jb_text body)
{
    struct jb_text line;
    size_t n = 0;
    while (next_line(&body, &line)) {
        n++;
    }
    return n;
}

static bool
head_check(struct exchange *x, bool lines)
{
    if (lines && (exchange_header(x, "Idempotency-Key").s != NULL ||
                  exchange_header(x, "If-Match").s != NULL)) {
        return bad_request(x, tr("each line has its own key and expect: leave Idempotency-Key and "
                                 "If-Match out"));
    }
    if (lines && lines_of(x->body) > SUBMIT_COMMANDS) {
        problem(x, GATEWAY_TOO_LARGE, tr("a body has at most 8,192 lines"));
        return false;
    }
    return true;
}

/* Behind it the job is the submitters', or given back and x answered. */
static enum handled
queue(struct exchange *x, struct job *job)
{
    struct submitters *s = x->gateway->submitters;
    struct jb_error broken;
    if (job->batch.commands_n == 0) { /* no line is a command */
        lines_write(x, job, NULL, 0, 0, JB_OK, NULL);
        job_give(s, job);
        return ANSWERED;
    }
    switch (submit_queue(s, job)) {
    case QUEUED:
        return LATER;
    case QUEUE_FULL:
        problem(x, GATEWAY_QUEUE_FULL, NULL);
        break;
    case QUEUE_NEVER:
        problem(x, GATEWAY_TOO_LARGE, tr("these are more commands than may wait at a time"));
        break;
    case QUEUE_ENDING:
        problem(x, GATEWAY_STOPPING, NULL);
        break;
    case QUEUE_BROKEN:
        problem_status(x, submit_broken(s, &broken), &broken);
        break;
    }
    job_give(s, job);
    return ANSWERED;
}

/* Reads the body, and has it carried out. */
static enum handled
take(struct exchange *x)
{
    const bool lines = type_is(x, LINES_TYPE);
    bool dry_run;
    if (!lines && !type_is(x, "application/json")) {
        char detail[240];
        snprintf(detail, sizeof detail,
                 tr("commands are application/json or application/x-ndjson; not %.*s"),
                 (int)(x->type.n < 80 ? x->type.n : 80), x->type.s != NULL ? x->type.s : "");
        problem(x, GATEWAY_MEDIA_TYPE, detail);
        return ANSWERED;
    }
    if (!dry_run_asked(x, &dry_run) || !head_check(x, lines)) {
        return ANSWERED;
    }
    struct job *job = job_take(x->gateway->submitters, x, lines ? lines_of(x->body) + 1 : 1);
    if (job == NULL) {
        problem(x, GATEWAY_NO_MEMORY, NULL);
        return ANSWERED;
    }
    job->dry_run = dry_run;
    job->answer = lines ? lines_answered : single_answered;
    if (!(lines ? lines_read(x, job) : single_read(x, job))) {
        job_give(x->gateway->submitters, job);
        return ANSWERED;
    }
    const size_t refused_n = job->batch.lines_n - job->batch.commands_n;
    auth_spend(x->who, refused_n + submit_weight(&job->batch) - 1);
    return queue(x, job);
}

static void
take_later(struct exchange *x)
{
    SPEAK(x->lang);
    if (take(x) == ANSWERED) {
        exchange_done(x);
    }
}

/* Many lines take milliseconds to read: not in a loop, where others wait for it. */
enum handled
commands_post(struct exchange *x)
{
    SPEAK(x->lang);
    if (x->body.n <= QUICK_BYTES && lines_of(x->body) <= QUICK_LINES) {
        return take(x);
    }
    if (!workers_give(x->gateway->takers, x, take_later)) {
        problem(x, GATEWAY_SLOW_FULL, NULL);
        return ANSWERED;
    }
    return LATER;
}

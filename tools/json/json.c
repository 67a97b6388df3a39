/* The calls of jangbu/json.h. */
#include <jangbu/json.h>

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"
#include "json_options.h"
#include "lang.h"
#include "queries.h"

/* What one call works with. It is kept for the next one, and never by two at a time; but not behind
 * a call with more text than this, in or out, so that a handle at rest holds little. */
#define KEPT_BYTES (128U << 10)
struct work {
    struct batch batch;
    jb_answers *answers;
    struct json_pool *options;
};
#define WORKS_KEPT 8

struct jb_json {
    struct asked asked;
    jb_lang lang;
    bool read_only;
    pid_t opened_by;
    atomic_int asking; /* calls of jb_json_ask that are not over */
    _Atomic(struct work *) kept[WORKS_KEPT];
};

/* Given where there is no memory for another text. */
#define NO_MEMORY(sentence) "{\"error\":{\"status\":\"E_NOMEM\",\"message\":\"" sentence "\"}}\n"
static const char no_memory[] = NO_MEMORY("no memory");
static const char no_memory_ko[] = NO_MEMORY("메모리가 부족합니다");

static const char *
no_memory_text(void)
{
    return lang_now() == JB_LANG_KO ? no_memory_ko : no_memory;
}

static struct work *
work_free(struct work *w)
{
    if (w != NULL) {
        batch_free(&w->batch);
        jb_answers_free(w->answers);
        json_pool_free(w->options);
        free(w);
    }
    return NULL;
}

static struct work *
work_new(void)
{
    struct work *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    w->answers = jb_answers_new();
    w->options = json_pool_new();
    bool whole = w->answers != NULL && w->options != NULL && batch_reserve(&w->batch, 1);
    return whole ? w : work_free(w);
}

static struct work *
work_take(struct jb_json *j)
{
    struct work *w = NULL;
    for (int i = 0; i < WORKS_KEPT && w == NULL; i++) {
        w = atomic_exchange(&j->kept[i], NULL);
    }
    return w != NULL ? w : work_new();
}

static void
work_give(struct jb_json *j, struct work *w, bool kept)
{
    for (int i = 0; kept && i < WORKS_KEPT && w != NULL; i++) {
        struct work *none = NULL;
        if (atomic_compare_exchange_strong(&j->kept[i], &none, w)) {
            w = NULL;
        }
    }
    work_free(w);
}

/* ---- what a call gives back ---- */

/* Hands the text over. */
static jb_status
finish(jb_status status, struct out *o, const char **ret_text, size_t *ret_n)
{
    out_char(o, '\0');
    if (o->no_memory) {
        free(o->at);
        *o = (struct out){.at = NULL};
        status = JB_E_NOMEM;
    }
    *ret_text = o->at != NULL ? o->at : no_memory_text();
    if (ret_n != NULL) {
        *ret_n = o->at != NULL ? o->n - 1 : strlen(*ret_text);
    }
    return status;
}

/* A text that is not what it should be, as the error of a call. */
static jb_status
bad_text(const struct bad_line *bad, struct jb_error *err)
{
    *err = (struct jb_error){.status = bad->no_memory ? JB_E_NOMEM : JB_E_USAGE};
    snprintf(err->text, sizeof err->text, "%s", bad->no_memory ? tr("no memory") : bad->message);
    return err->status;
}

static jb_status
out_of_memory(struct jb_error *err)
{
    return bad_text(&(struct bad_line){.no_memory = true}, err);
}

static jb_status
null_given(struct jb_error *err, const char *sentence)
{
    *err = (struct jb_error){.status = JB_E_USAGE};
    snprintf(err->text, sizeof err->text, "%s", tr(sentence));
    return JB_E_USAGE;
}

void
jb_json_text_free(const char *text)
{
    if (text != no_memory && text != no_memory_ko) {
        free((void *)(uintptr_t)text);
    }
}

/* ---- open, close ---- */

/* jb_open looks at its options before it looks for a ledger, and there is none without a name: what
 * is wrong with the options is said while nothing is made. */
static jb_status
make_ledger(const char *dir, const struct open_call *call, struct jb_error *err)
{
    jb_ledger *none = NULL;
    const jb_status status = jb_open("", &call->open, &none, err);
    jb_close(none);
    return status == JB_E_NOTFOUND ? jb_init(dir, &call->init, err) : status;
}

static jb_status
open_ledger(struct jb_json *j, const char *dir, const struct open_call *call, struct jb_error *err)
{
    struct jb_ledger_info info = {.size = sizeof info};
    jb_status status = call->make ? make_ledger(dir, call, err) : JB_OK;
    if (status == JB_OK) {
        status = jb_open(dir, &call->open, &j->asked.ledger, err);
    }
    if (status == JB_OK) {
        status = jb_info_get(j->asked.ledger, &info, err);
        j->asked.utc_offset_s = info.utc_offset_s;
        j->read_only = info.read_only;
    }
    if (status == JB_OK) {
        status = jb_views_open(j->asked.ledger, &j->asked.views, err);
    }
    return status;
}

static jb_status
open_text(struct jb_json *j, const char *dir, const char *options, struct out *o,
          struct jb_error *err, struct bad_line *bad)
{
    struct open_call call;
    const struct query info = query_of(QUERY_INFO);
    j->opened_by = getpid();
    struct work *w = work_take(j);
    if (w == NULL) {
        return out_of_memory(err);
    }
    batch_reset(&w->batch);
    jb_status status = open_call_read(w->batch.pool, options, &call, bad)
                           ? open_ledger(j, dir, &call, err)
                           : bad_text(bad, err);
    j->lang = lang_now();
    work_give(j, w, options == NULL || strlen(options) <= KEPT_BYTES);
    return status == JB_OK ? query_answer(&j->asked, &info, o, err) : status;
}

jb_status
jb_json_open(const char *dir, const char *options, jb_json **ret, const char **ret_text)
{
    struct out o = {.first = true};
    struct jb_error err;
    SPEAK(JB_LANG_EN); /* until the options have been read */
    jb_status status = null_given(&err, "jb_json_open: dir, ret and ret_text may not be NULL");
    struct bad_line bad = {.column = 0};
    if (ret != NULL) {
        *ret = NULL;
    }
    if (ret_text == NULL) {
        return JB_E_USAGE;
    }
    struct jb_json *j = dir != NULL && ret != NULL ? calloc(1, sizeof *j) : NULL;
    if (dir != NULL && ret != NULL) {
        status = j != NULL ? open_text(j, dir, options, &o, &err, &bad) : out_of_memory(&err);
    }
    if (status != JB_OK) {
        o.n = 0;
        o.first = true;
        error_json(&o, &err, &bad, NULL);
    }
    status = finish(status, &o, ret_text, NULL);
    if (status != JB_OK) {
        j = jb_json_close(j);
    }
    if (ret != NULL) {
        *ret = j;
    }
    return status;
}

void
jb_json_wait_end(jb_json *j)
{
    jb_wait_end(j != NULL ? j->asked.ledger : NULL);
}

jb_json *
jb_json_close(jb_json *j)
{
    if (j != NULL) {
        if (j->opened_by != getpid()) {
            atomic_store(&j->asking, 0); /* the calls were the parent's, and so are their threads */
        }
        jb_views_close(j->asked.views);
        jb_close(j->asked.ledger);
        while (atomic_load(&j->asking) > 0) {
            sched_yield(); /* a query "wait", which jb_close ends: it is on its way out */
        }
        for (int i = 0; i < WORKS_KEPT; i++) {
            work_free(atomic_load(&j->kept[i]));
        }
        free(j);
    }
    return NULL;
}

/* ---- apply ---- */

#define NO_LINE UINT64_MAX /* of a tally: the number of the first line is not known */

/* Lines that are still to be carried out. */
struct source {
    const char *at;
    size_t n;
    uint64_t number; /* of the line at `at` */
};

/* The next lines into the batch. False: no memory for one of them, which stays. */
static bool
read_lines(struct source *s, struct batch *b)
{
    while (s->n > 0 && b->lines_n < b->cap && b->bytes < BATCH_BYTES) {
        const char *end = memchr(s->at, '\n', s->n);
        const size_t n = end != NULL ? (size_t)(end - s->at) : s->n;
        if (!batch_add(b, s->number, s->at, n, n > JB_LINE_BYTES_MAX)) {
            return false;
        }
        s->at += n + (end != NULL);
        s->n -= n + (end != NULL);
        s->number++;
    }
    return true;
}

/* Room for as many lines as there are, at most. */
static bool
reserve_lines(struct batch *b, const char *lines, size_t n)
{
    size_t count = 1;
    for (size_t i = 0; i < n && count < BATCH_COMMANDS; i++) {
        count += lines[i] == '\n';
    }
    return batch_reserve(b, count);
}

static jb_status
apply_lines(struct jb_json *j, struct work *w, struct source s, const struct apply_call *call,
            struct out *o, struct batch_tally *tally, struct jb_error *err)
{
    struct batch *b = &w->batch;
    if (!reserve_lines(b, s.at, s.n)) {
        return out_of_memory(err);
    }
    while (s.n > 0) {
        batch_reset(b);
        const bool whole = read_lines(&s, b);
        size_t done = 0;
        jb_status status = JB_OK;
        if (b->commands_n > 0) {
            status = jb_submit(j->asked.ledger, b->commands, b->commands_n, &call->submit,
                               w->answers, &done, err);
        }
        batch_answers(b, w->answers, 0, status == JB_OK ? b->commands_n : done,
                      j->asked.utc_offset_s, o, tally);
        if (status != JB_OK) {
            return status;
        }
        if (!whole || o->no_memory) { /* what is not carried out needs no answer */
            return out_of_memory(err);
        }
    }
    return JB_OK;
}

static jb_status
apply_text(struct jb_json *j, struct source s, const char *options, struct out *o,
           struct batch_tally *tally, struct jb_error *err, struct bad_line *bad)
{
    struct work *w = work_take(j);
    struct apply_call call;
    const bool large = s.n > KEPT_BYTES;
    jb_status status = JB_OK;
    if (w == NULL) {
        return out_of_memory(err);
    }
    json_pool_reset(w->options);
    if (!apply_call_read(w->options, options, &call, bad)) {
        status = bad_text(bad, err);
    } else {
        s.number = call.line;
        tally->line = call.line - 1;
        status = apply_lines(j, w, s, &call, o, tally, err);
    }
    /* As `jangbu apply` does, so that queries have a short tail to fold. What cannot be stored now
     * is stored later; the answers stand. */
    struct jb_error ignored;
    if (status == JB_OK && !j->read_only && !call.submit.dry_run) {
        (void)!jb_views_sync(j->asked.views, false, &ignored);
    }
    work_give(j, w, status == JB_OK && !large && o->n <= KEPT_BYTES);
    return status;
}

jb_status
jb_json_apply(jb_json *j, const char *lines, size_t n, const char *options, const char **ret_text,
              size_t *ret_n)
{
    struct out o = {.first = true};
    struct jb_error err;
    SPEAK(j != NULL ? j->lang : JB_LANG_EN);
    jb_status status = null_given(&err, "jb_json_apply: the handle and the lines may not be NULL");
    struct bad_line bad = {.column = 0};
    struct batch_tally tally = {.line = NO_LINE};
    if (ret_text == NULL) {
        return JB_E_USAGE;
    }
    if (j != NULL && (lines != NULL || n == 0)) {
        status = apply_text(j, (struct source){lines, n, 1}, options, &o, &tally, &err, &bad);
    }
    if (o.no_memory) { /* the answers are lost; how far they went is not */
        free(o.at);
        o = (struct out){.first = true};
        status = out_of_memory(&err);
    }
    if (status != JB_OK) {
        error_json(&o, &err, &bad, tally.line != NO_LINE ? &tally.line : NULL);
    }
    return finish(status, &o, ret_text, ret_n);
}

/* ---- ask ---- */

static jb_status
ask_text(struct jb_json *j, const char *query, size_t n, struct out *o, struct jb_error *err,
         struct bad_line *bad)
{
    struct query q;
    struct work *w = work_take(j);
    if (w == NULL) {
        return out_of_memory(err);
    }
    batch_reset(&w->batch);
    atomic_fetch_add(&j->asking, 1);
    jb_status status = query_from_json(w->batch.pool, query, n, &q, bad)
                           ? query_answer(&j->asked, &q, o, err)
                           : bad_text(bad, err);
    work_give(j, w, n <= KEPT_BYTES);
    atomic_fetch_sub(&j->asking, 1);
    return status;
}

jb_status
jb_json_ask(jb_json *j, const char *query, size_t n, const char **ret_text, size_t *ret_n)
{
    struct out o = {.first = true};
    struct jb_error err;
    SPEAK(j != NULL ? j->lang : JB_LANG_EN);
    jb_status status = null_given(&err, "jb_json_ask: the handle and the query may not be NULL");
    struct bad_line bad = {.column = 0};
    if (ret_text == NULL) {
        return JB_E_USAGE;
    }
    if (j != NULL && query != NULL) {
        status = ask_text(j, query, n, &o, &err, &bad);
    }
    if (status != JB_OK) {
        o.n = 0;
        o.first = true;
        error_json(&o, &err, &bad, NULL);
    }
    return finish(status, &o, ret_text, ret_n);
}

#include "problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event_json.h"
#include "gateway.h"
#include "lang.h"
#include "places.h"

struct row {
    const char *word;
    int http;
    const char *title;
};

/* table: gateway (docs/errors.md) */
static const struct row rows[GATEWAY_CODES] = {
    [GATEWAY_NOT_FOUND] = {"NOT_FOUND", 404, SAID("there is nothing at this address")},
    [GATEWAY_METHOD] = {"METHOD", 405, SAID("this address does not take that method")},
    [GATEWAY_UNAUTHENTICATED] = {"UNAUTHENTICATED", 401,
                                 SAID("the request names nobody who may ask")},
    [GATEWAY_FORBIDDEN] = {"FORBIDDEN", 403, SAID("who asks may not do that")},
    [GATEWAY_KEY_REQUIRED] = {"KEY_REQUIRED", 400, SAID("the command has no idempotency key")},
    [GATEWAY_KEY_DIFFERS] = {"KEY_DIFFERS", 400,
                             SAID("Idempotency-Key and the command's key are not the same")},
    [GATEWAY_MEDIA_TYPE] = {"MEDIA_TYPE", 415, SAID("the body is of a type that is not read here")},
    [GATEWAY_TOO_LARGE] = {"TOO_LARGE", 413, SAID("the body is larger than is allowed")},
    [GATEWAY_RATE] = {"RATE", 429, SAID("more requests came than are allowed")},
    [GATEWAY_QUEUE_FULL] = {"QUEUE_FULL", 503, SAID("too much is waiting; try again")},
    [GATEWAY_STOPPING] = {"STOPPING", 503, SAID("the daemon is being stopped; try again")},
    [GATEWAY_PARAMETER] = {"PARAMETER", 400, SAID("a parameter is not what it has to be")},
    [GATEWAY_BAD_REQUEST] = {"BAD_REQUEST", 400, SAID("the request is not well formed")},
    [GATEWAY_CURSOR_AHEAD] = {"CURSOR_AHEAD", 409, SAID("the cursor is ahead of the log")},
    [GATEWAY_HEAD_TOO_LARGE] = {"HEAD_TOO_LARGE", 431,
                                SAID("the head of the request is larger than is allowed")},
    [GATEWAY_SLOW_FULL] = {"SLOW_FULL", 503, SAID("too many long reads are waiting; try again")},
    [GATEWAY_NO_MEMORY] = {"NO_MEMORY", 503, SAID("there is no memory for that; try again")},
};

const char *
gateway_code_word(enum gateway_code code)
{
    return code > 0 && code < GATEWAY_CODES ? rows[code].word : NULL;
}

int
http_status_of_gateway(enum gateway_code code)
{
    return code > 0 && code < GATEWAY_CODES ? rows[code].http : 500;
}

/* The rules' no is 422; what is written otherwise, or is the machine's affair, is not. */
int
http_status_of_code(jb_code code)
{
    static const struct {
        jb_code code;
        int http;
    } others[] = {{JB_CODE_NONE, 200},
                  {JB_CODE_MALFORMED, 400},
                  {JB_CODE_AMOUNT_INVALID, 400},
                  {JB_CODE_EXPECT_MISMATCH, 412},
                  {JB_CODE_BATCH_TOO_LARGE, 413},
                  {JB_CODE_CLOCK_BEHIND, 503},
                  {JB_CODE_CLOCK_AHEAD, 503}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (others[i].code == code) {
            return others[i].http;
        }
    }
    return 422;
}

int
http_status_of_status(jb_status status)
{
    switch (status) {
    case JB_OK:
    case JB_END:
        return 200;
    case JB_E_USAGE:
        return 400;
    case JB_E_NOTFOUND:
        return 404;
    case JB_E_NOT_CLOSED:
        return 409;
    case JB_E_RANGE:
        return 422;
    case JB_E_FULL:
        return 507;
    case JB_E_NOMEM:
    case JB_E_IO:
    case JB_E_BUSY:
    case JB_E_CORRUPT:
    case JB_E_FORMAT:
    case JB_E_READONLY:
    case JB_E_EXISTS:
    case JB_E_ROLLBACK:
    case JB_E_UNKNOWN:
    case JB_E_STALE:
    case JB_E_KEY:
    case JB_E_DEVICE:
    case JB_E_ENGINE:
        break;
    }
    return 503;
}

/* ---- the object ---- */

#define TYPE "https://jangbu.invalid/codes/"

/* The object, left open for more members. */
static struct out *
begin(struct exchange *x, int status, const char *word, const char *title, const char *detail)
{
    struct out *o = &x->answer.body;
    char type[sizeof TYPE + sizeof x->answer.code];
    snprintf(type, sizeof type, TYPE "%s", word);
    snprintf(x->answer.code, sizeof x->answer.code, "%s", word);
    exchange_answer(x, status, "application/problem+json");
    o->n = 0;
    o->first = true;
    js_open(o, NULL, '{');
    js_str(o, "type", type);
    js_sentence(o, "title", title);
    js_int(o, "status", status);
    js_sentence(o, "detail", detail != NULL && detail[0] != '\0' ? detail : title);
    js_str(o, "code", word);
    if (status == 503 || status == 429) {
        exchange_set_header(x, "Retry-After", "1");
    }
    return o;
}

static void
end(struct out *o)
{
    js_close(o, '}');
    js_line_end(o);
}

void
problem(struct exchange *x, enum gateway_code code, const char *detail)
{
    SPEAK(x->lang);
    const struct row *r = &rows[code];
    if (detail == NULL && code == GATEWAY_NOT_FOUND) {
        detail = tr("there is nothing at this address; GET /v1/openapi.json has those that there "
                    "are");
    }
    end(begin(x, r->http, r->word, tr(r->title), detail));
    if (code == GATEWAY_UNAUTHENTICATED) {
        exchange_set_header(x, "WWW-Authenticate", WIRE("Bearer realm=\"jangbu\""));
    }
}

/* For a status there is one title: what can be done about it stands in the detail. */
void
problem_status(struct exchange *x, jb_status status, const struct jb_error *err)
{
    SPEAK(x->lang);
    const int http = http_status_of_status(status);
    if (err != NULL) {
        places_log(x, err->text);
    }
    const char *title = http < 500 ? tr("the ledger has no answer to that question")
                                   : tr("the ledger could not do that now");
    struct out *o = begin(x, http, jb_status_word(status), title, err != NULL ? err->text : NULL);
    if (err != NULL && err->at != 0) {
        js_uint(o, "at", err->at);
    }
    end(o);
}

void
problem_forget(struct exchange *x, const struct jb_error *err)
{
    SPEAK(x->lang);
    places_log(x, err->text);
    end(begin(x, 409, jb_status_word(JB_E_KEY), tr("the ledger cannot forget anybody as it is"),
              err->text));
}

void
problem_bad(struct exchange *x, const struct bad_line *bad)
{
    SPEAK(x->lang);
    if (bad->no_memory) {
        problem(x, GATEWAY_NO_MEMORY, NULL);
        return;
    }
    struct out *o = begin(x, http_status_of_code(bad->code), bad_word(bad),
                          tr("this is no command"), bad->message);
    if (bad->column > 0) {
        js_int(o, "column", bad->column);
    }
    if (bad->field[0] != '\0') {
        js_sentence(o, "field", bad->field);
    }
    end(o);
}

void
problem_refusal(struct exchange *x, const struct jb_answer *answer)
{
    SPEAK(x->lang);
    const bool unknown = answer->outcome == JB_UNKNOWN;
    const char *word = unknown ? "UNKNOWN" : jb_code_word((uint32_t)answer->code);
    const int http = unknown ? 503 : http_status_of_code(answer->code);
    const char *title = unknown
                            ? tr("nobody knows whether it was done; ask again with the same key")
                            : tr("the rules of the ledger refuse that");
    struct out *o = begin(x, http, word != NULL ? word : "OTHER", title, jb_answer_message(answer));
    js_member(o, "answer");
    o->first = true;
    answer_json(o, answer, 0, (struct jb_text){NULL, 0}, x->gateway->quick.utc_offset_s);
    while (o->n > 0 && o->at[o->n - 1] == '\n') {
        o->n--;
    }
    o->first = false;
    end(o);
}

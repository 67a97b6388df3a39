#include "openapi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_json.h"
#include "gateway.h"
#include "page_holder.h"
#include "problem.h"
#include "queries.h"

/* Plain words: the document is in English, whoever asks for it. */
static void
ref(struct out *o, const char *key, const char *what, const char *name)
{
    char text[120];
    snprintf(text, sizeof text, "#/components/%s/%s", what, name);
    js_open(o, key, '{');
    js_str(o, "$ref", text);
    js_close(o, '}');
}

static void
type_of(struct out *o, const char *type, const char *format)
{
    js_str(o, "type", type);
    if (format != NULL) {
        js_str(o, "format", format);
    }
}

/* maxLength counts characters; what has fewer of them may still be too long. */
static void
length_in_bytes(struct out *o, uint64_t max)
{
    char text[80];
    snprintf(text, sizeof text, "at most %llu bytes of UTF-8", (unsigned long long)max);
    js_str(o, "type", "string");
    js_str(o, "description", text);
    js_uint(o, "maxLength", max);
}

static void
length(struct out *o, uint64_t min, uint64_t bytes)
{
    length_in_bytes(o, bytes);
    js_uint(o, "minLength", min);
}

/* `counted` says what the ledger counts; code points are never fewer than those are allowed to be.
 */
static void
length_as_read(struct out *o, const char *counted, uint64_t codepoints)
{
    js_str(o, "type", "string");
    js_str(o, "description", counted);
    js_uint(o, "minLength", 1);
    js_uint(o, "maxLength", codepoints);
}

static void
range(struct out *o, uint64_t min, uint64_t max)
{
    js_str(o, "type", "integer");
    js_uint(o, "minimum", min);
    if (max != 0) {
        js_uint(o, "maximum", max);
    }
}

static bool
takes_commands(const struct route *r)
{
    return r->method == METHOD_POST && r->access == ACCESS_WRITE;
}

static bool
gives_tickets(const struct route *r)
{
    return strcmp(r->path, "/v1/tickets") == 0;
}

/* ---- parameters ---- */

static void
words_of_row(struct out *o, const struct member_row *row)
{
    js_str(o, "type", "string");
    js_open(o, "enum", '[');
    for (size_t i = 0; row->words[i] != NULL; i++) {
        js_str(o, NULL, row->words[i]);
    }
    js_close(o, ']');
}

static void
type_names(struct out *o)
{
    js_str(o, "type", "string");
    js_open(o, "enum", '[');
    for (uint32_t i = 1; i < JB_EV_TYPES; i++) {
        const struct jb_event_type_info *type = jb_event_type_get(i);
        if (type != NULL) {
            js_str(o, NULL, type->name);
        }
    }
    js_close(o, ']');
}

static void
member_schema(struct out *o, const char *key, const struct member_row *row)
{
    js_open(o, key, '{');
    switch (row->kind) {
    case MEMBER_TEXT:
        if (row->max != 0) {
            length_in_bytes(o, row->max);
            break;
        }
        js_str(o, "type", "string");
        break;
    case MEMBER_AS_OF:
    case MEMBER_OFFSET:
        js_str(o, "type", "string");
        break;
    case MEMBER_NUMBER:
        range(o, row->min, row->max);
        break;
    case MEMBER_AMOUNT:
        js_str(o, "type", "integer");
        break;
    case MEMBER_FLAG:
        js_str(o, "type", "boolean");
        break;
    case MEMBER_WORD:
        words_of_row(o, row);
        break;
    case MEMBER_DAY:
        type_of(o, "string", "date");
        break;
    case MEMBER_MONTH:
        js_str(o, "type", "string");
        js_str(o, "pattern", "^[0-9]{4}-[0-9]{2}$");
        break;
    case MEMBER_TYPES:
    case MEMBER_SET:
        js_str(o, "type", "array");
        js_open(o, "items", '{');
        if (row->kind == MEMBER_TYPES) {
            type_names(o);
        } else {
            words_of_row(o, row);
        }
        js_close(o, '}');
        break;
    case MEMBER_OBJECT:
        js_str(o, "type", "object");
        break;
    }
    js_close(o, '}');
}

static void
parameter(struct out *o, const struct member_row *row, bool in_path)
{
    js_open(o, NULL, '{');
    js_str(o, "name", row->name);
    js_str(o, "in", in_path ? "path" : "query");
    if (in_path) {
        js_bool(o, "required", true);
    }
    if (!in_path && (row->kind == MEMBER_TYPES || row->kind == MEMBER_SET)) {
        js_str(o, "style", "form");
        js_bool(o, "explode", false);
    }
    member_schema(o, "schema", row);
    js_close(o, '}');
}

static bool
in_path(const struct route *r, const char *name)
{
    char braced[64];
    snprintf(braced, sizeof braced, "{%s}", name);
    return strstr(r->path, braced) != NULL;
}

static void
header_parameter(struct out *o, const char *name, const char *description)
{
    js_open(o, NULL, '{');
    js_str(o, "name", name);
    js_str(o, "in", "header");
    js_str(o, "description", description);
    js_open(o, "schema", '{');
    js_str(o, "type", "string");
    js_close(o, '}');
    js_close(o, '}');
}

/* Of a route without a query: what its path names. */
static void
path_parameters(struct out *o, const struct route *r)
{
    for (const char *at = strchr(r->path, '{'); at != NULL; at = strchr(at + 1, '{')) {
        char name[40];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 1, "}"), at + 1);
        parameter(o, &(struct member_row){.name = name, .kind = MEMBER_TEXT}, true);
    }
}

static void
parameters(struct out *o, const struct route *r)
{
    const enum query_kind kind = r->ask != NULL ? query_called(r->ask, strlen(r->ask)) : QUERIES;
    const struct query_info *q = query_info_get(kind);
    js_open(o, "parameters", '[');
    if (q == NULL) {
        path_parameters(o, r);
    }
    for (unsigned i = 0; q != NULL && query_member_get(i) != NULL; i++) {
        const struct member_row *row = query_member_get(i);
        if (((q->required | q->optional) & MEMBER(i)) != 0) {
            parameter(o, row, in_path(r, row->name));
        }
    }
    if (takes_commands(r)) {
        const struct member_row dry_run = {.name = "dry_run", .kind = MEMBER_FLAG};
        parameter(o, &dry_run, false);
        header_parameter(o, "Idempotency-Key",
                         "the command's key, for ever; of lines, each has one");
        header_parameter(o, "If-Match",
                         "the version of the wallet that is expected, as ETag says it");
    }
    if (q != NULL && kind == QUERY_FEED) {
        const struct member_row wait = {.name = "wait", .kind = MEMBER_NUMBER, .max = 30};
        parameter(o, &wait, false);
        header_parameter(o, "Last-Event-ID", "of a stream: the cursor to go on behind");
    }
    if (q != NULL && kind == QUERY_BALANCE) {
        header_parameter(o, "If-None-Match", "an ETag: 304 while nothing changed");
    }
    js_close(o, ']');
}

/* ---- a route ---- */

static void
content(struct out *o, const char *type, const char *schema)
{
    js_open(o, type, '{');
    ref(o, "schema", "schemas", schema);
    js_close(o, '}');
}

static void
problem_at(struct out *o, const char *status)
{
    ref(o, status, "responses", "Problem");
}

static void
success(struct out *o, const struct route *r)
{
    const enum query_kind kind = r->ask != NULL ? query_called(r->ask, strlen(r->ask)) : QUERIES;
    const struct query_info *q = query_info_get(kind);
    const bool lines = q != NULL && q->lines && strstr(r->path, "/{from}") == NULL;
    js_open(o, "200", '{');
    js_str(o, "description", q != NULL ? "as docs/json.md says of the query" : "done");
    js_open(o, "headers", '{');
    ref(o, "Jangbu-Seq", "headers", "Jangbu-Seq");
    ref(o, "Jangbu-Ledger", "headers", "Jangbu-Ledger");
    if (kind == QUERY_BALANCE) {
        ref(o, "ETag", "headers", "ETag");
    }
    if (takes_commands(r)) {
        ref(o, "Idempotent-Replayed", "headers", "Idempotent-Replayed");
    }
    js_close(o, '}');
    js_open(o, "content", '{');
    if (takes_commands(r)) {
        content(o, "application/json", "Answer");
        content(o, "application/x-ndjson", "Answer");
    } else if (gives_tickets(r)) {
        content(o, "application/json", "Ticket");
    } else if (strcmp(r->path, "/metrics") == 0) {
        content(o, "text/plain", "Text");
    } else {
        content(o, lines ? "application/x-ndjson" : "application/json", "Object");
        if (kind == QUERY_FEED) {
            content(o, "application/x-ndjson", "Object");
            content(o, "text/event-stream", "Text");
        }
    }
    js_close(o, '}');
    js_close(o, '}');
    if (kind == QUERY_BALANCE) {
        js_open(o, "304", '{');
        js_str(o, "description", "nothing changed");
        js_close(o, '}');
    }
}

static void
responses(struct out *o, const struct route *r)
{
    static const char *const of_writes[] = {"412", "413", "415", "422", "507", NULL};
    js_open(o, "responses", '{');
    success(o, r);
    problem_at(o, "400");
    if (r->access != ACCESS_NONE) {
        problem_at(o, "401");
        problem_at(o, "403");
        problem_at(o, "429");
    }
    if (r->method == METHOD_GET || gives_tickets(r)) {
        problem_at(o, "404");
    }
    if (r->method == METHOD_GET) {
        problem_at(o, "409");
    }
    if (gives_tickets(r)) {
        problem_at(o, "413");
    }
    for (size_t i = 0; r->access == ACCESS_WRITE && of_writes[i] != NULL; i++) {
        problem_at(o, of_writes[i]);
    }
    problem_at(o, "431");
    problem_at(o, "503");
    js_close(o, '}');
}

static void
operation(struct out *o, const struct route *r)
{
    js_open(o, r->method == METHOD_POST ? "post" : "get", '{');
    js_str(o, "operationId", r->id);
    js_str(o, "summary", r->summary);
    if (r->ask != NULL) {
        js_str(o, "x-jangbu-query", r->ask);
    }
    parameters(o, r);
    if (takes_commands(r)) {
        js_open(o, "requestBody", '{');
        js_bool(o, "required", true);
        js_open(o, "content", '{');
        content(o, "application/json", "Command");
        content(o, "application/x-ndjson", "Command");
        js_close(o, '}');
        js_close(o, '}');
    } else if (r->method == METHOD_POST) {
        js_open(o, "requestBody", '{');
        js_bool(o, "required", true);
        js_open(o, "content", '{');
        content(o, "application/json", gives_tickets(r) ? "TicketRequest" : "Object");
        js_close(o, '}');
        js_close(o, '}');
    }
    responses(o, r);
    js_open(o, "security", '[');
    if (r->access != ACCESS_NONE) {
        js_open(o, NULL, '{');
        js_open(o, "token", '[');
        js_close(o, ']');
        js_close(o, '}');
    }
    js_close(o, ']');
    js_close(o, '}');
}

/* The page's routes are for browsers. */
static bool
is_interface(const struct route *r)
{
    return strncmp(r->path, "/v1/", 4) == 0 || r->access == ACCESS_OPS ||
           strcmp(r->path, "/healthz") == 0 || strcmp(r->path, "/readyz") == 0 ||
           strcmp(r->path, "/metrics") == 0;
}

static bool
seen_before(size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (is_interface(&routes[i]) && strcmp(routes[i].path, routes[at].path) == 0) {
            return true;
        }
    }
    return false;
}

static void
paths(struct out *o)
{
    js_open(o, "paths", '{');
    for (size_t i = 0; i < routes_n; i++) {
        if (!is_interface(&routes[i]) || seen_before(i)) {
            continue;
        }
        js_open(o, routes[i].path, '{');
        for (size_t k = i; k < routes_n; k++) {
            if (strcmp(routes[k].path, routes[i].path) == 0) {
                operation(o, &routes[k]);
            }
        }
        js_close(o, '}');
    }
    js_close(o, '}');
}

/* ---- commands ---- */

static void
names_enum(struct out *o, const struct jb_names *names)
{
    js_str(o, "type", "string");
    js_open(o, "enum", '[');
    for (uint32_t i = 0; i < names->n; i++) {
        if (names->words[i] != NULL && command_may_say(names, i)) {
            js_str(o, NULL, names->words[i]);
        }
    }
    js_close(o, ']');
}

static void
actor_schema(struct out *o)
{
    static const char *const members[] = {"id", "role"};
    static const uint64_t max[] = {JB_ID_BYTES_MAX, JB_SHORT_BYTES_MAX};
    js_str(o, "type", "object");
    js_open(o, "properties", '{');
    for (size_t i = 0; i < 2; i++) {
        js_open(o, members[i], '{');
        length(o, 1, max[i]);
        js_close(o, '}');
    }
    js_close(o, '}');
    js_open(o, "required", '[');
    js_str(o, NULL, "id");
    js_close(o, ']');
    js_bool(o, "additionalProperties", false);
}

static void
field_schema(struct out *o, const struct jb_command_field_info *f)
{
    js_open(o, f->name, '{');
    switch (f->kind) {
    case JB_CK_ID:
        length(o, 1, JB_ID_BYTES_MAX);
        break;
    case JB_CK_SHORT:
        length(o, 1, JB_SHORT_BYTES_MAX);
        break;
    case JB_CK_CALLER:
        length(o, 0, JB_SHORT_BYTES_MAX);
        break;
    case JB_CK_NAME:
        length_as_read(o, "at most 20 characters as people count them", JB_NAME_CODEPOINTS_MAX);
        break;
    case JB_CK_TEXT:
        length_as_read(o, "at most 500 code points", JB_NOTE_CODEPOINTS_MAX);
        break;
    case JB_CK_KEY:
        length(o, 1, JB_KEY_BYTES_MAX);
        break;
    case JB_CK_REF:
        length(o, 1, JB_TXN_REF_BYTES_MAX);
        break;
    case JB_CK_LINE:
        length_as_read(o, "characters as people count them: docs/vocabulary.md",
                       JB_NOTE_CODEPOINTS_MAX);
        break;
    case JB_CK_SEARCH_ID: /* a syllable that is taken apart has three */
        length_as_read(o, "at most 15 characters in Unicode's form NFC", 45);
        break;
    case JB_CK_EMAIL:
        length(o, 3, 254);
        break;
    case JB_CK_BIZ:
        js_str(o, "type", "string");
        js_str(o, "pattern", "^[0-9]{10}$");
        break;
    case JB_CK_AMOUNT:
        range(o, 1, JB_AMOUNT_MAX);
        break;
    case JB_CK_AMOUNT0:
        range(o, 0, JB_AMOUNT_MAX);
        break;
    case JB_CK_UINT:
        range(o, 0, 0);
        break;
    case JB_CK_BOOL:
        js_str(o, "type", "boolean");
        break;
    case JB_CK_WORD:
        names_enum(o, f->names);
        break;
    case JB_CK_DAY:
        type_of(o, "string", "date");
        break;
    case JB_CK_INSTANT:
        type_of(o, "string", "date-time");
        break;
    case JB_CK_MONTH:
        js_str(o, "type", "string");
        js_str(o, "pattern", "^[0-9]{4}-[0-9]{2}$");
        break;
    case JB_CK_ACTOR:
        actor_schema(o);
        break;
    case JB_CK_VALUE:
        js_open(o, "type", '[');
        js_str(o, NULL, "integer");
        js_str(o, NULL, "string");
        js_close(o, ']');
        break;
    case JB_CK_COMMANDS:
        js_str(o, "type", "array");
        js_uint(o, "minItems", 1);
        js_uint(o, "maxItems", 8192);
        ref(o, "items", "schemas", "Command");
        break;
    }
    js_close(o, '}');
}

static void
op_schema(struct out *o, uint32_t op)
{
    const struct jb_op_info *info = jb_op_get(op);
    const uint64_t not_here = JB_HAS(JB_CF_CALLER) | JB_HAS(JB_CF_CLOCK);
    char name[60];
    snprintf(name, sizeof name, "command.%s", info->name);
    js_open(o, name, '{');
    js_str(o, "type", "object");
    js_open(o, "properties", '{');
    js_open(o, "op", '{');
    js_str(o, "const", info->name);
    js_close(o, '}');
    for (unsigned i = 0; i < JB_CF_N; i++) {
        const struct jb_command_field_info *f = jb_command_field_get(i);
        if (f != NULL && ((info->required | info->optional) & ~not_here & JB_HAS(i)) != 0) {
            field_schema(o, f);
        }
    }
    js_close(o, '}');
    js_open(o, "required", '[');
    js_str(o, NULL, "op");
    for (unsigned i = 0; i < JB_CF_N; i++) {
        if (jb_command_field_get(i) != NULL && (info->required & JB_HAS(i)) != 0) {
            js_str(o, NULL, jb_command_field_get(i)->name);
        }
    }
    js_close(o, ']');
    js_bool(o, "additionalProperties", false);
    js_close(o, '}');
}

static void
commands_schema(struct out *o)
{
    for (uint32_t op = 1; op < JB_OPS; op++) {
        if (jb_op_get(op) != NULL) {
            op_schema(o, op);
        }
    }
    js_open(o, "Command", '{');
    js_str(o, "description", "a line of `jangbu apply`: docs/vocabulary.md");
    js_open(o, "oneOf", '[');
    for (uint32_t op = 1; op < JB_OPS; op++) {
        char name[60];
        if (jb_op_get(op) != NULL) {
            snprintf(name, sizeof name, "command.%s", jb_op_get(op)->name);
            ref(o, NULL, "schemas", name);
        }
    }
    js_close(o, ']');
    js_close(o, '}');
}

/* ---- tickets ---- */

/* A form of the request: with that member, and `operator` saying so. */
static void
ticket_form(struct out *o, const char *required, bool operates)
{
    js_open(o, NULL, '{');
    js_open(o, "required", '[');
    js_str(o, NULL, required);
    js_close(o, ']');
    js_open(o, "properties", '{');
    js_open(o, "operator", '{');
    js_bool(o, "const", operates);
    js_close(o, '}');
    if (operates) {
        js_bool(o, "wallet", false);
    }
    js_close(o, '}');
    js_close(o, '}');
}

static void
tickets_schema(struct out *o)
{
    const struct member_row given[] = {
        {"ticket", MEMBER_TEXT, 0, 0, 0, NULL},
        {"path", MEMBER_TEXT, 0, 0, 0, NULL},
        {"expires_in", MEMBER_NUMBER, 0, 1, TICKET_TTL_MAX, NULL},
    };
    js_open(o, "TicketRequest", '{');
    js_str(o, "type", "object");
    js_str(o, "description", "of a wallet, or of an operator");
    js_open(o, "properties", '{');
    for (size_t i = 0; ticket_member_get(i) != NULL; i++) {
        member_schema(o, ticket_member_get(i)->name, ticket_member_get(i));
    }
    js_close(o, '}');
    js_bool(o, "additionalProperties", false);
    js_open(o, "oneOf", '[');
    ticket_form(o, "wallet", false);
    ticket_form(o, "operator", true);
    js_close(o, ']');
    js_close(o, '}');
    js_open(o, "Ticket", '{');
    js_str(o, "type", "object");
    js_str(o, "description", "path is where the browser goes, once, within expires_in seconds");
    js_open(o, "properties", '{');
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        member_schema(o, given[i].name, &given[i]);
    }
    js_close(o, '}');
    js_open(o, "required", '[');
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        js_str(o, NULL, given[i].name);
    }
    js_close(o, ']');
    js_close(o, '}');
}

/* ---- events ---- */

static void
event_field_schema(struct out *o, const struct jb_field_info *f)
{
    char name[80];
    const char *behind = f->kind == JB_FK_REF ? "_ref" : "";
    snprintf(name, sizeof name, "%s%s", f->name, behind);
    js_open(o, name, '{');
    switch (f->kind) {
    case JB_FK_TEXT:
    case JB_FK_OPT_TEXT:
    case JB_FK_NAME:
    case JB_FK_DAY:
    case JB_FK_OPT_INSTANT:
    case JB_FK_ID16:
        js_open(o, "type", '[');
        js_str(o, NULL, "string");
        js_str(o, NULL, "null");
        js_close(o, ']');
        break;
    case JB_FK_ORDINAL:
    case JB_FK_UINT:
    case JB_FK_AMOUNT:
    case JB_FK_AMOUNT0:
    case JB_FK_REF:
    case JB_FK_SEQ:
        js_str(o, "type", "integer");
        break;
    case JB_FK_INT: /* a month, or that there is none, is written otherwise */
        js_open(o, "type", '[');
        js_str(o, NULL, "integer");
        js_str(o, NULL, "string");
        js_str(o, NULL, "null");
        js_close(o, ']');
        break;
    case JB_FK_BOOL:
        js_str(o, "type", "boolean");
        break;
    case JB_FK_SPLIT:
    case JB_FK_PARTS_FROM:
    case JB_FK_PARTS_TO:
        js_str(o, "type", "array");
        break;
    case JB_FK_FIGURES:
    case JB_FK_TOTALS:
        js_str(o, "type", "object");
        break;
    }
    js_close(o, '}');
}

static void
events_schema(struct out *o)
{
    for (uint32_t i = 1; i < JB_EV_TYPES; i++) {
        const struct jb_event_type_info *type = jb_event_type_get(i);
        char name[80];
        if (type == NULL) {
            continue;
        }
        snprintf(name, sizeof name, "event.%s", type->name);
        js_open(o, name, '{');
        js_str(o, "type", "object");
        js_str(o, "description", type->meaning);
        js_open(o, "properties", '{');
        js_open(o, "type", '{');
        js_str(o, "const", type->name);
        js_close(o, '}');
        for (uint32_t k = 0; k < type->fields_n; k++) {
            event_field_schema(o, &type->fields[k]);
        }
        js_close(o, '}');
        js_close(o, '}');
    }
}

/* ---- problems ---- */

static void
code_row(struct out *o, const char *word, int status)
{
    js_member(o, word);
    out_int(o, status);
}

/* Each code and the status that it comes with. */
static void
codes(struct out *o)
{
    js_open(o, "x-jangbu-status", '{');
    for (uint32_t i = 1; i < JB_CODES_END; i++) {
        if (jb_code_word(i) != NULL) {
            code_row(o, jb_code_word(i), http_status_of_code((jb_code)i));
        }
    }
    for (int i = 1; i < GATEWAY_CODES; i++) {
        code_row(o, gateway_code_word((enum gateway_code)i),
                 http_status_of_gateway((enum gateway_code)i));
    }
    for (int i = -1; i >= JB_E_RANGE; i--) {
        if (i < JB_E_ENGINE && i > JB_E_RANGE) {
            continue; /* reserved */
        }
        code_row(o, jb_status_word((jb_status)i), http_status_of_status((jb_status)i));
    }
    js_close(o, '}');
}

static void
problem_schema(struct out *o)
{
    static const char *const texts[] = {"type", "title", "detail", "code", NULL};
    js_open(o, "Problem", '{');
    js_str(o, "type", "object");
    js_str(o, "description", "RFC 9457; `code` is a word of x-jangbu-status, which has its status");
    js_open(o, "properties", '{');
    for (size_t i = 0; texts[i] != NULL; i++) {
        js_open(o, texts[i], '{');
        js_str(o, "type", "string");
        js_close(o, '}');
    }
    js_open(o, "status", '{');
    js_str(o, "type", "integer");
    js_close(o, '}');
    ref(o, "answer", "schemas", "Answer");
    js_close(o, '}');
    js_open(o, "required", '[');
    for (size_t i = 0; texts[i] != NULL; i++) {
        js_str(o, NULL, texts[i]);
    }
    js_str(o, NULL, "status");
    js_close(o, ']');
    codes(o);
    js_close(o, '}');
}

static void
schemas(struct out *o)
{
    js_open(o, "schemas", '{');
    js_open(o, "Object", '{');
    js_str(o, "type", "object");
    js_close(o, '}');
    js_open(o, "Text", '{');
    js_str(o, "type", "string");
    js_close(o, '}');
    js_open(o, "Answer", '{');
    js_str(o, "type", "object");
    js_str(o, "description", "what `jangbu apply` prints for a command: docs/vocabulary.md");
    js_open(o, "properties", '{');
    js_open(o, "ok", '{');
    js_str(o, "type", "boolean");
    js_close(o, '}');
    js_open(o, "seq", '{');
    js_str(o, "type", "integer");
    js_close(o, '}');
    js_close(o, '}');
    js_open(o, "required", '[');
    js_str(o, NULL, "ok");
    js_close(o, ']');
    js_close(o, '}');
    problem_schema(o);
    commands_schema(o);
    tickets_schema(o);
    events_schema(o);
    js_close(o, '}');
}

static void
header(struct out *o, const char *name, const char *type, const char *description)
{
    js_open(o, name, '{');
    js_str(o, "description", description);
    js_open(o, "schema", '{');
    js_str(o, "type", type);
    js_close(o, '}');
    js_close(o, '}');
}

static void
components(struct out *o)
{
    js_open(o, "components", '{');
    js_open(o, "securitySchemes", '{');
    js_open(o, "token", '{');
    js_str(o, "type", "http");
    js_str(o, "scheme", "bearer");
    js_close(o, '}');
    js_close(o, '}');
    js_open(o, "headers", '{');
    header(o, "Jangbu-Seq", "integer", "the number of the last event that the answer knows");
    header(o, "Jangbu-Ledger", "string", "which ledger it is of");
    header(o, "ETag", "string", "version, free cash and dormant free cash of the wallet");
    header(o, "Idempotent-Replayed", "string", "true: the answer is that of the first request");
    js_close(o, '}');
    js_open(o, "responses", '{');
    js_open(o, "Problem", '{');
    js_str(o, "description", "it was refused, or could not be done; code says why");
    js_open(o, "content", '{');
    content(o, "application/problem+json", "Problem");
    js_close(o, '}');
    js_close(o, '}');
    js_close(o, '}');
    schemas(o);
    js_close(o, '}');
}

/* ---- the document ---- */

static void
document(struct out *o)
{
    js_open(o, NULL, '{');
    js_str(o, "openapi", "3.1.0");
    js_open(o, "info", '{');
    js_str(o, "title", "jangbu");
    js_str(o, "version", JB_VERSION_STRING);
    js_str(o, "summary", "a ledger of prepaid cash over HTTP");
    js_open(o, "license", '{');
    js_str(o, "name", "Apache-2.0");
    js_str(o, "identifier", "Apache-2.0");
    js_close(o, '}');
    js_close(o, '}');
    js_open(o, "servers", '[');
    js_open(o, NULL, '{');
    js_str(o, "url", "/");
    js_close(o, '}');
    js_close(o, ']');
    paths(o);
    components(o);
    js_close(o, '}');
}

#define LINE_BYTES 90

static void
line_break(struct out *to, unsigned depth)
{
    out_char(to, '\n');
    for (unsigned i = 0; i < depth; i++) {
        out_char(to, ' ');
    }
}

/* Bytes of the object or list that begins there, where it holds no other and is short; 0: it does
 * not fit in a line. */
static size_t
in_one_line(const char *s, size_t n)
{
    bool quoted = false;
    for (size_t i = 1; i < n && i < LINE_BYTES; i++) {
        quoted = s[i] == '"' ? !quoted : quoted;
        if (quoted || s[i] == '"') {
            i += s[i] == '\\' ? 1 : 0;
        } else if (s[i] == '}' || s[i] == ']') {
            return i + 1;
        } else if (s[i] == '{' || s[i] == '[') {
            return 0;
        }
    }
    return 0;
}

/* A member, or item, a line. */
static void
broken_into_lines(struct out *to, const char *s, size_t n)
{
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        const size_t whole =
            !quoted && (s[i] == '{' || s[i] == '[') ? in_one_line(s + i, n - i) : 0;
        if (whole > 0) {
            out_bytes(to, s + i, whole);
            i += whole - 1;
            continue;
        }
        const char c = s[i];
        const bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';
        quoted = c == '"' ? !quoted : quoted;
        if (quoted || c == '"') {
            out_char(to, c);
            if (c == '\\') {
                out_char(to, s[++i]);
            }
            continue;
        }
        if (closes) {
            line_break(to, depth - 1);
        }
        depth -= closes ? 1 : 0;
        out_char(to, c);
        depth += opens ? 1 : 0;
        if (c == ',' || opens) {
            line_break(to, depth);
        }
        if (c == ':') {
            out_char(to, ' ');
        }
    }
    out_char(to, '\n');
}

void
openapi_json(struct out *o)
{
    struct out flat = {.first = true};
    document(&flat);
    if (flat.no_memory) {
        o->no_memory = true;
    } else {
        broken_into_lines(o, flat.at, flat.n);
    }
    free(flat.at);
}

enum handled
openapi_get(struct exchange *x)
{
    const struct out *document = &x->gateway->openapi;
    exchange_answer(x, 200, "application/json");
    x->answer.whole = (struct jb_text){document->at, document->n};
    return ANSWERED;
}

/* The exports that are a table: CSV and JSON Lines. */
#include <stdlib.h>
#include <string.h>

#include "event_json.h"
#include "rows_json.h"
#include "export.h"
#include "ids.h"

static void
csv_text(struct out *o, const char *s, size_t n, bool guarded)
{
    bool plain = true;
    for (size_t i = 0; i < n; i++) {
        plain &= s[i] != ',' && s[i] != '"' && s[i] != '\n' && s[i] != '\r';
    }
    out_str(o, plain ? "" : "\"");
    out_str(o, guarded ? "'" : "");
    for (size_t i = 0; i < n && !plain; i++) {
        if (s[i] == '"') {
            out_char(o, '"');
        }
        out_char(o, s[i]);
    }
    if (plain) {
        out_bytes(o, s, n);
    }
    out_str(o, plain ? "" : "\"");
}

/* A cell that a spreadsheet would calculate (= + - @, tab, line end in front) gets a ' in front of
 * it. Only texts: figures are ours. */
void
csv_cell(struct out *o, struct jb_text t)
{
    if (t.s != NULL) {
        csv_text(o, t.s, t.n, t.n > 0 && memchr("=+-@\t\r", t.s[0], 6) != NULL);
    }
}

static bool
is_late(const struct app *app, const struct jb_event *e)
{
    return e->posted_on != JB_NO_DAY &&
           e->posted_on > jb_day_of(e->occurred_at, app->info.utc_offset_s);
}

/* The event as `jangbu log --json` has it, and behind it the figures that a table has. */
static jb_status
json_row(struct app *app, const struct jb_event *e, const struct event_ids *ids, bool people,
         struct out *o, struct jb_error *err)
{
    struct part_sums s = parts_sum(e);
    event_json_open(o, e, ids, app->info.utc_offset_s);
    js_bool(o, "late", is_late(app, e));
    js_int(o, "free", s.free);
    js_int(o, "paid", s.paid);
    js_int(o, "debt", s.debt);
    js_int(o, "lapsed", s.lapsed);
    js_int(o, "effect", jb_event_effect(e));
    jb_status status = people ? people_json(o, app->ledger, e, err) : JB_OK;
    js_close(o, '}');
    js_line_end(o);
    return status;
}

/* What a gateway's file is matched by. */
static void
csv_references(struct out *o, const struct jb_event *e)
{
    bool charge = e->type == JB_EV_CHARGE_SETTLED, repaid = e->type == JB_EV_DEBT_REPAID;
    const struct jb_text none = {NULL, 0};
    const char *method =
        charge ? jb_name_word(jb_names_get(JB_LIST_METHOD), e->charge_settled.method) : NULL;
    out_char(o, ',');
    out_str(o, method != NULL ? method : "");
    out_char(o, ',');
    csv_cell(o, charge ? e->charge_settled.pg : repaid ? e->debt_repaid.pg : none);
    out_char(o, ',');
    csv_cell(o, charge ? e->charge_settled.txn_ref : repaid ? e->debt_repaid.txn_ref : none);
    out_char(o, ',');
    csv_cell(o, charge ? e->charge_settled.approve_no : none);
    out_char(o, ',');
    csv_cell(o, e->flags & JB_EVF_KEY ? e->key : none);
}

/* A text, or in brackets why there is none. */
static void
csv_person(struct out *o, const char *text, size_t n, jb_person_why why)
{
    char gone[40];
    snprintf(gone, sizeof gone, "(%s)", jb_person_why_word(why));
    csv_cell(o, n > 0                ? (struct jb_text){text, n}
                : why != JB_WHY_NONE ? jb_text_of(gone)
                                     : (struct jb_text){NULL, 0});
}

/* The wallet's name now, the actor, the note. */
static jb_status
csv_people(struct app *app, const struct jb_event *e, struct jb_text wallet, struct out *o,
           struct jb_error *err)
{
    const uint64_t refs[2] = {(e->flags & JB_EVF_ACTOR) != 0 ? e->actor : 0,
                              (e->flags & JB_EVF_NOTE) != 0 ? e->note : 0};
    char text[JB_PERSON_TEXT_BYTES];
    size_t n = 0;
    jb_person_why why = JB_WHY_NONE;
    jb_status status =
        wallet.s != NULL ? jb_wallet_name_get(app->ledger, wallet, text, &n, &why, err) : JB_OK;
    out_char(o, ',');
    csv_person(o, text, n, why);
    for (int i = 0; i < 2 && status == JB_OK; i++) {
        n = 0;
        why = JB_WHY_NONE;
        status = refs[i] != 0 ? jb_person_get(app->ledger, refs[i], text, &n, &why, err) : JB_OK;
        out_char(o, ',');
        csv_person(o, text, n, why);
    }
    return status;
}

static jb_status
csv_row(struct app *app, const struct jb_event *e, struct jb_text wallet, bool people,
        struct out *o, struct jb_error *err)
{
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    char id[JB_ID_BYTES_MAX + 1];
    struct part_sums s = parts_sum(e);
    const jb_amount figures[] = {jb_event_amount(e), s.free, s.paid, s.debt, s.lapsed,
                                 jb_event_effect(e)};
    out_uint(o, e->seq);
    out_char(o, ',');
    out_str(o, type != NULL ? type->name : "unknown");
    out_char(o, ',');
    csv_cell(o, wallet);
    out_char(o, ',');
    app_event_id(app, e, id);
    csv_cell(o, (struct jb_text){id, strlen(id)});
    out_char(o, ',');
    if (e->recorded_at != JB_NO_INSTANT) {
        out_instant(o, e->recorded_at, app->info.utc_offset_s);
    }
    out_char(o, ',');
    if (e->occurred_at != JB_NO_INSTANT) {
        out_instant(o, e->occurred_at, app->info.utc_offset_s);
    }
    out_char(o, ',');
    if (e->posted_on != JB_NO_DAY) {
        out_day(o, e->posted_on);
    }
    out_char(o, ',');
    out_str(o, is_late(app, e) ? "true" : "false");
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        out_char(o, ',');
        out_int(o, figures[i]);
    }
    out_char(o, ',');
    out_str(o, app->info.currency);
    out_char(o, ',');
    out_uint(o, app->info.exponent);
    csv_references(o, e);
    jb_status status = people ? csv_people(app, e, wallet, o, err) : JB_OK;
    out_char(o, '\n');
    return status;
}

/* An export as it is written. */
struct writing {
    struct app *app;
    bool csv, people;
    FILE *file;
    struct progress *progress;
    jb_seq written, last;
    jb_cursor *c;
    jb_seq next; /* the event that the cursor gives next; 0: it is to be opened */
    struct out o;
    struct ids known;
};

/* Event seq, behind which `more` follow it in a row. Many in a row are read on from one to the
 * next, a few are looked up. */
static jb_status
event_at(struct writing *w, jb_seq seq, jb_seq more, const struct jb_event **ret,
         struct jb_error *err)
{
    if (seq != w->next && more >= 64) {
        w->c = jb_cursor_close(w->c);
        w->next = seq;
    }
    jb_status status = w->c == NULL ? jb_cursor_open(w->app->ledger, seq, &w->c, err) : JB_OK;
    if (status != JB_OK || seq != w->next) {
        return status == JB_OK ? jb_cursor_at(w->c, seq, ret, err) : status;
    }
    w->next++;
    return jb_cursor_next(w->c, ret, err);
}

static jb_status
write_row(struct writing *w, const struct jb_event *e, struct jb_error *err)
{
    const struct jb_text none = {NULL, 0};
    struct event_ids ids = {0};
    jb_status status = ids_of_event(&w->known, w->app->ledger, e, &ids, err);
    if (status != JB_OK) {
        return status;
    }
    return w->csv ? csv_row(w->app, e, e->wallet != 0 ? ids.wallet : none, w->people, &w->o, err)
                  : json_row(w->app, e, &ids, w->people, &w->o, err);
}

/* *ret_gone: whoever reads the export has gone. */
static jb_status
write_run(struct writing *w, const struct export_run *run, bool *ret_gone, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (jb_seq i = 0; i < run->n && status == JB_OK && !*ret_gone; i++) {
        const struct jb_event *e;
        status = event_at(w, run->first + i, run->n - i - 1, &e, err);
        status = status == JB_OK ? write_row(w, e, err) : status;
        if (status == JB_OK && w->o.n > 60000) {
            jb_cursor_rest(w->c); /* a slow reader of the export holds no snapshot */
            *ret_gone = !export_flush(&w->o, w->file);
        }
        progress_show(w->progress, ++w->written, w->last);
    }
    return status;
}

jb_status
export_rows(struct app *app, jb_seq last, bool csv, bool people, FILE *file, struct progress *p,
            struct jb_error *err)
{
    struct writing w = {.app = app,
                        .csv = csv,
                        .people = people,
                        .file = file,
                        .progress = p,
                        .last = last,
                        .o = {.first = true}};
    struct export_run *runs;
    size_t n;
    bool gone = false;
    jb_status status = export_sort(app->ledger, last, &runs, &n, err);
    if (status != JB_OK) {
        return status;
    }
    if (csv) {
        out_str(&w.o, "seq,type,wallet,id,recorded_at,occurred_at,posted_on,late,amount,free,paid,"
                      "debt,lapsed,effect,currency,exponent,method,pg,txn_ref,approve_no,key");
        out_str(&w.o, people ? ",wallet_name,actor,note\n" : "\n");
    }
    for (size_t i = 0; i < n && status == JB_OK && !gone; i++) {
        status = write_run(&w, &runs[i], &gone, err);
    }
    if (status == JB_OK && w.o.no_memory) {
        status = app_no_memory(err);
    }
    export_flush(&w.o, file);
    free(w.o.at);
    ids_free(&w.known);
    jb_cursor_close(w.c);
    free(runs);
    return status;
}

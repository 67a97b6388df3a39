/* How a difference is said: what stands there, and what the rules say. */
#include <stdarg.h>
#include <stdio.h>

#include "replay/rules/inner.h"

#define PARTS_SAID 4

static void
say_list(struct sentence *s, const char *format, va_list args)
{
    int n = vsnprintf(s->text + s->n, sizeof s->text - s->n, jb_tr(format), args);
    s->n += n < 0 ? 0 : (size_t)n;
    s->n = s->n < sizeof s->text ? s->n : sizeof s->text - 1;
}

void
jb_say(struct sentence *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_list(s, format, args);
    va_end(args);
}

static void
say_part(struct sentence *s, const struct jb_part *p, bool back)
{
    switch ((enum jb_part_kind)p->kind) {
    case JB_PART_DEBT:
        jb_say(s, back ? "%lld to the debt" : "a debt of %lld", (long long)p->amount);
        break;
    case JB_PART_LOT:
        jb_say(s, back ? "%lld to lot %u" : "%lld from lot %u", (long long)p->amount, p->ordinal);
        break;
    case JB_PART_GRANT:
        jb_say(s, back ? "%lld to grant %u" : "%lld from grant %u", (long long)p->amount,
               p->ordinal);
        break;
    case JB_PART_LAPSED:
        jb_say(s, "%lld of grant %u lapsed", (long long)p->amount, p->ordinal);
        break;
    }
}

void
jb_say_parts(struct sentence *s, struct jb_parts parts, bool back)
{
    for (uint32_t i = 0; i < parts.n && i < PARTS_SAID; i++) {
        jb_say(s, i > 0 ? ", " : "");
        say_part(s, &parts.at[i], back);
    }
    if (parts.n > PARTS_SAID) {
        jb_say(s, " and %u more", parts.n - PARTS_SAID);
    }
    if (parts.n == 0) {
        jb_say(s, "nothing");
    }
}

void
jb_say_figures(struct sentence *s, const struct jb_figure *figures, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const char *word = jb_figure_word(figures[i].name);
        jb_say(s, "%s%s %lld", i > 0 ? ", " : " (", word != NULL ? word : "?",
               (long long)figures[i].value);
    }
    jb_say(s, n > 0 ? ")" : "");
}

void
jb_say_value(struct sentence *s, const struct jb_event *e, const struct jb_field_info *f)
{
    const void *at = (const char *)e + f->offset;
    const struct jb_text *text = at;
    char buffer[64];
    const char *word;
    switch (f->kind) {
    case JB_FK_TEXT:
    case JB_FK_OPT_TEXT:
        if (text->s != NULL) {
            jb_say(s, "%.*s", (int)text->n, text->s);
        } else {
            jb_say(s, "none");
        }
        break;
    case JB_FK_ORDINAL:
    case JB_FK_UINT:
        jb_say(s, "%u", *(const uint32_t *)at);
        break;
    case JB_FK_NAME:
        word = jb_name_word(f->names, *(const uint32_t *)at);
        jb_say(s, "%s", word != NULL ? word : jb_tr("none"));
        break;
    case JB_FK_BOOL:
        jb_say(s, *(const bool *)at ? "true" : "false");
        break;
    case JB_FK_DAY:
        jb_say(s, "%s", jb_day_print(*(const jb_day *)at, buffer));
        break;
    case JB_FK_OPT_INSTANT:
        if (*(const jb_instant *)at == JB_NO_INSTANT) {
            jb_say(s, "none");
        } else {
            jb_instant_print(*(const jb_instant *)at, 0, buffer);
            jb_say(s, "%s", buffer);
        }
        break;
    case JB_FK_SPLIT:
    case JB_FK_PARTS_FROM:
        jb_say_parts(s, *(const struct jb_parts *)at, false);
        break;
    case JB_FK_PARTS_TO:
        jb_say_parts(s, *(const struct jb_parts *)at, true);
        break;
    case JB_FK_AMOUNT:
    case JB_FK_AMOUNT0:
    case JB_FK_INT:
    case JB_FK_REF:
    case JB_FK_SEQ:
        jb_say(s, "%lld", (long long)*(const int64_t *)at);
        break;
    case JB_FK_ID16:
    case JB_FK_FIGURES:
    case JB_FK_TOTALS:
        break;
    }
}

void
jb_refute(struct jb_judge *r, const struct jb_event *e, const struct sentence *s)
{
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    jb_found(r->f, "rules", e->seq, r->frame, 0, "event %llu %s: %s", (unsigned long long)e->seq,
             type != NULL ? type->name : "?", s->text);
}

void
jb_refute_text(struct jb_judge *r, const struct jb_event *e, const char *format, ...)
{
    struct sentence s = {.n = 0};
    va_list args;
    va_start(args, format);
    say_list(&s, format, args);
    va_end(args);
    jb_refute(r, e, &s);
}

void
jb_refute_at(struct jb_judge *r, jb_seq seq, const char *format, ...)
{
    struct sentence s = {.n = 0};
    va_list args;
    va_start(args, format);
    say_list(&s, format, args);
    va_end(args);
    jb_found(r->f, "rules", seq, r->frame, 0, "event %llu %s", (unsigned long long)seq, s.text);
}

/* --people: the personal texts that an event names by reference. */
#include <string.h>

#include "app.h"
#include "people.h"

/* The text behind a reference. False: it cannot be read (said on standard error). *ret NULL: there
 * is no reference, or the text is forgotten. */
static bool
look_up(struct app *app, uint64_t ref, char buf[JB_PERSON_TEXT_BYTES], const char **ret)
{
    size_t n = 0;
    *ret = NULL;
    if (ref == 0) {
        return true;
    }
    if (jb_person_text(app->ledger, ref, buf, &n, &app->err) != JB_OK) {
        app_fail(app, &app->err);
        return false;
    }
    buf[n] = '\0';
    *ret = n > 0 ? buf : NULL;
    return true;
}

static void
show(struct app *app, const char *name, uint64_t ref, const char *text)
{
    char number[120];
    out_str(&app->out, "  ");
    out_str(&app->out, tr(name));
    out_char(&app->out, ' ');
    if (text == NULL) {
        snprintf(number, sizeof number, tr("(forgotten, reference %llu)"), (unsigned long long)ref);
        out_str(&app->out, number);
        return;
    }
    for (const char *c = text; *c != '\0'; c++) {
        out_char(&app->out, *c == '\n' || *c == '\r' || *c == '\t' ? ' ' : *c);
    }
}

static bool
one(struct app *app, const char *name, uint64_t ref)
{
    char buf[JB_PERSON_TEXT_BYTES];
    const char *text;
    if (ref == 0) {
        return true;
    }
    if (!look_up(app, ref, buf, &text)) {
        return false;
    }
    show(app, name, ref, text);
    return true;
}

bool
people_of_event(struct app *app, const struct jb_event *e)
{
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    bool ok = one(app, SAID("actor"), e->flags & JB_EVF_ACTOR ? e->actor : 0) &&
              one(app, SAID("note"), e->flags & JB_EVF_NOTE ? e->note : 0);
    for (uint32_t i = 0; type != NULL && i < type->fields_n && ok; i++) {
        const struct jb_field_info *f = &type->fields[i];
        uint64_t ref;
        if (f->kind == JB_FK_REF) {
            memcpy(&ref, (const char *)e + f->offset, sizeof ref);
            ok = one(app, f->name, ref);
        }
    }
    return ok;
}

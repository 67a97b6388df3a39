/* --people: the personal texts that an event names by reference. */
#include <string.h>

#include "app.h"
#include "people.h"

bool
people_text(struct app *app, uint64_t ref, char buf[JB_PERSON_TEXT_BYTES], const char **ret,
            jb_person_why *ret_why)
{
    size_t n = 0;
    *ret = NULL;
    if (jb_person_get(app->ledger, ref, buf, &n, ret_why, &app->err) != JB_OK) {
        app_fail(app, &app->err);
        return false;
    }
    buf[n] = '\0';
    *ret = n > 0 ? buf : NULL;
    return true;
}

const char *
people_why(jb_person_why why)
{
    return why == JB_WHY_SEALED ? tr("sealed") : why == JB_WHY_LOST ? tr("lost") : tr("forgotten");
}

static void
show(struct app *app, const char *name, uint64_t ref, const char *text, jb_person_why why)
{
    char number[120];
    out_str(&app->out, "  ");
    out_str(&app->out, tr(name));
    out_char(&app->out, ' ');
    if (text == NULL) {
        snprintf(number, sizeof number, tr("(%s, reference %llu)"), people_why(why),
                 (unsigned long long)ref);
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
    jb_person_why why;
    if (ref == 0) {
        return true;
    }
    if (!people_text(app, ref, buf, &text, &why)) {
        return false;
    }
    show(app, name, ref, text, why);
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

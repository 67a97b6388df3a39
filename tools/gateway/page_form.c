/* Forms of the page: how they are written, and read when they come back. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_json.h"
#include "page.h"

/* ---- written ---- */

void
form_hidden(struct page *p, const char *name, struct jb_text value)
{
    out_str(p->o, "<input type=\"hidden\"");
    html_word(p->o, "name", name);
    out_str(p->o, " value=\"");
    html_text(p->o, value);
    out_str(p->o, "\">");
}

void
form_csrf(struct page *p)
{
    form_hidden(p, "csrf", jb_text_of(p->session.csrf));
}

void
form_begin(struct page *p, uint32_t op)
{
    const struct jb_op_info *info = jb_op_get(op);
    out_str(p->o, "<form class=\"command\" method=\"post\"");
    html_word(p->o, "action", p->session.operates ? "/o/do" : "/w/do");
    out_str(p->o, ">");
    form_csrf(p);
    form_hidden(p, "op", jb_text_of(info != NULL ? info->name : ""));
}

/* The words of a member as a list to choose from. */
static void
choices(struct page *p, unsigned field, bool required, const char *id, struct jb_text value)
{
    const struct jb_command_field_info *f = jb_command_field_get(field);
    out_str(p->o, "<select");
    html_word(p->o, "id", id);
    html_word(p->o, "name", f->name);
    out_str(p->o, required ? " required>" : "><option value=\"\"></option>");
    for (uint32_t i = 0; i < f->names->n; i++) {
        const char *word = f->names->words[i];
        if (word != NULL && command_may_say(f->names, i)) {
            const bool chosen =
                value.s != NULL && value.n == strlen(word) && memcmp(value.s, word, value.n) == 0;
            out_str(p->o, "<option");
            html_word(p->o, "value", word);
            out_str(p->o, chosen ? " selected>" : ">");
            html_str(p->o, page_choice_word(field, i));
            out_str(p->o, "</option>");
        }
    }
    out_str(p->o, "</select>\n");
}

static const char *
input_kind(jb_command_kind kind)
{
    switch (kind) {
    case JB_CK_AMOUNT:
    case JB_CK_AMOUNT0:
        return "text\" inputmode=\"numeric\" class=\"r";
    case JB_CK_UINT:
    case JB_CK_VALUE:
        return "text\" inputmode=\"numeric";
    case JB_CK_DAY:
        return "date";
    case JB_CK_MONTH:
        return "text\" placeholder=\"2026-03";
    case JB_CK_EMAIL:
        return "email";
    case JB_CK_BOOL:
        return "checkbox\" value=\"true";
    case JB_CK_ID:
    case JB_CK_SHORT:
    case JB_CK_NAME:
    case JB_CK_TEXT:
    case JB_CK_WORD:
    case JB_CK_INSTANT:
    case JB_CK_ACTOR:
    case JB_CK_COMMANDS:
    case JB_CK_KEY:
    case JB_CK_REF:
    case JB_CK_CALLER:
    case JB_CK_SEARCH_ID:
    case JB_CK_BIZ:
    case JB_CK_LINE:
        return "text";
    }
    return "text";
}

void
form_field(struct page *p, unsigned field, bool required, struct jb_text value)
{
    const struct jb_command_field_info *f = jb_command_field_get(field);
    char id[64];
    if (f == NULL) {
        return;
    }
    /* One page may have the same field more than once: where it begins in the page is its own. */
    snprintf(id, sizeof id, "f-%s-%zu", f->name, p->o->n);
    out_str(p->o, "<p class=\"field\"><label");
    html_word(p->o, "for", id);
    out_char(p->o, '>');
    html_str(p->o, page_field_word(field));
    if (!required) {
        html_element(p->o, "span", "optional", tr(" (optional)"));
    }
    out_str(p->o, "</label>");
    if (f->kind == JB_CK_WORD && f->names != NULL) {
        choices(p, field, required, id, value);
    } else {
        out_str(p->o, "<input autocomplete=\"off\" type=\"");
        out_str(p->o, input_kind(f->kind));
        out_char(p->o, '"');
        html_word(p->o, "id", id);
        html_word(p->o, "name", f->name);
        if (value.s != NULL && f->kind != JB_CK_BOOL) {
            out_str(p->o, " value=\"");
            html_text(p->o, value);
            out_char(p->o, '"');
        }
        out_str(p->o, required && f->kind != JB_CK_BOOL ? " required>" : ">");
    }
    out_str(p->o, "</p>\n");
}

void
form_end(struct page *p, const char *button)
{
    out_str(p->o, "<p class=\"do\"><button>");
    html_str(p->o, button);
    out_str(p->o, "</button></p></form>\n");
}

bool
form_takes(unsigned field)
{
    return field != JB_CF_COMMANDS && field != JB_CF_KEY && field != JB_CF_ACTOR &&
           field != JB_CF_CLOCK && field != JB_CF_EXPECT && field != JB_CF_CALLER;
}

/* ---- read ---- */

static int
nibble(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* In place: what a form's text means is never longer. SIZE_MAX: it is none. */
static size_t
decode(char *s, size_t n)
{
    size_t to = 0;
    for (size_t i = 0; i < n; i++, to++) {
        if (s[i] == '%') {
            const int high = i + 2 < n ? nibble(s[i + 1]) : -1,
                      low = i + 2 < n ? nibble(s[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return SIZE_MAX;
            }
            s[to] = (char)(high * 16 + low);
            i += 2;
        } else {
            s[to] = s[i] == '+' ? ' ' : s[i];
        }
    }
    return jb_utf8_valid(s, to, NULL) ? to : SIZE_MAX;
}

static bool
pair_read(struct form_pair *pair, char *s, size_t n)
{
    char *equals = memchr(s, '=', n);
    char *value = equals != NULL ? equals + 1 : s + n;
    const size_t name_n = decode(s, (size_t)(equals != NULL ? equals - s : (ptrdiff_t)n));
    const size_t value_n = decode(value, (size_t)(s + n - value));
    *pair = (struct form_pair){{s, name_n}, {value, value_n}};
    return name_n != SIZE_MAX && value_n != SIZE_MAX;
}

static bool
pairs_read(struct form *f, size_t n)
{
    for (size_t i = 0; i < n;) {
        char *end = memchr(f->text + i, '&', n - i);
        const size_t length = end != NULL ? (size_t)(end - f->text) - i : n - i;
        if (f->n == FORM_PAIRS_MAX || !pair_read(&f->at[f->n++], f->text + i, length)) {
            return false;
        }
        i += length + 1;
    }
    return true;
}

struct jb_text
form_value(const struct form *f, const char *name)
{
    const size_t n = strlen(name);
    for (size_t i = 0; i < f->n; i++) {
        if (f->at[i].name.n == n && memcmp(f->at[i].name.s, name, n) == 0 && f->at[i].value.n > 0) {
            return f->at[i].value;
        }
    }
    return (struct jb_text){NULL, 0};
}

/* "http://127.0.0.1:8080" against "127.0.0.1:8080". Browsers say where a form that is posted comes
 * from; who does not is no browser, and has no cookie that somebody else could use. */
static bool
own_origin(const struct exchange *x)
{
    const struct jb_text origin = exchange_header(x, "Origin"), host = exchange_header(x, "Host");
    if (origin.s == NULL) {
        return true;
    }
    for (size_t i = 0; i + 3 < origin.n; i++) {
        if (memcmp(origin.s + i, "://", 3) == 0) {
            const struct jb_text rest = {origin.s + i + 3, origin.n - i - 3};
            return host.s != NULL && rest.n == host.n && strncasecmp(rest.s, host.s, host.n) == 0;
        }
    }
    return false;
}

static bool
csrf_is_right(const struct page *p, const struct form *f)
{
    const struct jb_text csrf = form_value(f, "csrf");
    return p->cookie.s == NULL ||
           (csrf.n == CSRF_TEXT - 1 && sodium_memcmp(csrf.s, p->session.csrf, CSRF_TEXT - 1) == 0);
}

bool
form_read(struct page *p, struct form *f)
{
    static const char type[] = "application/x-www-form-urlencoded";
    const struct exchange *x = p->x;
    f->n = 0;
    f->text = NULL;
    if (x->type.n != sizeof type - 1 || strncasecmp(x->type.s, type, x->type.n) != 0) {
        page_wrong(p, 415, tr("That did not work"), tr("What was sent is no form of this page."));
        return false;
    }
    f->text = malloc(x->body.n + 1);
    if (f->text == NULL) {
        p->o->no_memory = true;
        return false;
    }
    memcpy(f->text, x->body.s != NULL ? x->body.s : "", x->body.n);
    f->text[x->body.n] = '\0';
    if (!pairs_read(f, x->body.n)) {
        page_wrong(p, 400, tr("That did not work"), tr("What was sent is no form of this page."));
        return false;
    }
    if (!own_origin(x) || !csrf_is_right(p, f)) {
        page_wrong(p, 403, tr("That did not work"),
                   tr("The form does not belong to this session. Nothing was done: go back and try "
                      "again."));
        return false;
    }
    return true;
}

void
form_free(struct form *f)
{
    free(f->text);
    f->text = NULL;
}

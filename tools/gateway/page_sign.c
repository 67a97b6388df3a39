/* How a session of the page begins and ends; the style sheet and what else is embedded. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assets.h"
#include "gateway.h"
#include "members.h"
#include "page_holder.h"
#include "problem.h"

/* ---- tickets ---- */

/* What POST /v1/tickets asks for: a session of that wallet, or of an operator, by his own word: a
 * wallet that was forgotten is none. */
struct ticket {
    struct jb_text wallet, actor;
    uint8_t operates;
    uint64_t ttl;
    uint32_t lang; /* enum query_lang */
};

static const char *const langs[] = {"en", "ko", NULL};
static const struct member_row ticket_rows[] = {
    {"wallet", MEMBER_TEXT, offsetof(struct ticket, wallet), 0, JB_ID_BYTES_MAX, NULL},
    {"operator", MEMBER_FLAG, offsetof(struct ticket, operates), 0, 0, NULL},
    {"actor", MEMBER_TEXT, offsetof(struct ticket, actor), 0, JB_ID_BYTES_MAX, NULL},
    {"ttl", MEMBER_NUMBER, offsetof(struct ticket, ttl), 1, TICKET_TTL_MAX, NULL},
    {"lang", MEMBER_WORD, offsetof(struct ticket, lang), 0, 0, langs}};

const struct member_row *
ticket_member_get(size_t i)
{
    return i < sizeof ticket_rows / sizeof *ticket_rows ? &ticket_rows[i] : NULL;
}

static void
copy_text(char *to, size_t size, struct jb_text t)
{
    snprintf(to, size, "%.*s", (int)(t.n < size ? t.n : 0), t.s != NULL ? t.s : "");
}

static void
ticket_give(struct exchange *x, const struct ticket *t)
{
    struct session s = {.operates = t->operates != 0, .who = *x->who};
    char text[SECRET_TEXT];
    struct out *o = &x->answer.body;
    copy_text(s.wallet, sizeof s.wallet, t->wallet);
    copy_text(s.actor, sizeof s.actor, t->actor);
    s.lang = t->lang == QUERY_LANG_KO   ? JB_LANG_KO
             : t->lang == QUERY_LANG_EN ? JB_LANG_EN
                                        : JB_LANG_UNSAID;
    pages_ticket(x->gateway->pages, &s, (unsigned)t->ttl, text);
    o->first = true;
    js_open(o, NULL, '{');
    js_str(o, "ticket", text);
    js_member(o, "path");
    out_str(o, s.operates ? "\"/o?ticket=" : "\"/w?ticket=");
    out_str(o, text);
    out_char(o, '"');
    js_uint(o, "expires_in", t->ttl);
    js_close(o, '}');
    js_line_end(o);
    exchange_set_header(x, "Cache-Control", "no-store");
    exchange_answer(x, 200, "application/json");
    sodium_memzero(text, sizeof text);
}

/* A ticket for what is not there, or none of its affair, would be one that opens nothing. */
static bool
ticket_wallet_is_there(struct exchange *x, const struct ticket *t)
{
    uint32_t number;
    struct jb_error err;
    if (t->wallet.s == NULL) {
        return true;
    }
    if (!auth_wallet(x->who, t->wallet)) {
        problem(x, GATEWAY_FORBIDDEN, tr("that wallet is none of its"));
        return false;
    }
    const jb_status status = jb_wallet_number(x->gateway->ledger, t->wallet, &number, &err);
    if (status != JB_OK) {
        problem_status(x, status, &err);
    }
    return status == JB_OK;
}

static void
ticket_read(struct exchange *x, struct json_pool *pool)
{
    struct ticket t = {.ttl = TICKET_TTL_MAX, .lang = QUERY_LANG_OF_HANDLE};
    struct bad_line bad = {0};
    uint64_t has;
    json_t *root = parse_begin(pool, TEXT_OPTIONS, x->body.s, x->body.n, &bad);
    const bool ok =
        root != NULL && members_read(root, ticket_rows, sizeof ticket_rows / sizeof *ticket_rows,
                                     UINT64_MAX, NULL, "tickets", &t, &has, &bad);
    if (!parse_end(pool, ok, &bad)) {
        problem(x, bad.no_memory ? GATEWAY_NO_MEMORY : GATEWAY_BAD_REQUEST, bad.message);
    } else if (t.wallet.n > JB_ID_BYTES_MAX || t.actor.n > JB_ID_BYTES_MAX) {
        problem(x, GATEWAY_BAD_REQUEST, tr("an id is longer than one can be"));
    } else if ((t.operates != 0) == (t.wallet.s != NULL)) {
        problem(x, GATEWAY_BAD_REQUEST,
                tr("name a wallet, or say \"operator\": true, and not both"));
    } else if (t.wallet.s == NULL && x->who->wallets[0] != '\0') {
        problem(x, GATEWAY_FORBIDDEN, tr("it may see some wallets only, and this is of all"));
    } else if (ticket_wallet_is_there(x, &t)) {
        ticket_give(x, &t);
    }
}

enum handled
tickets_post(struct exchange *x)
{
    SPEAK(x->lang);
    const char *no = !x->who->page ? tr("it may not open the page for others")
                     : !session_opened_by(x->who)
                         ? tr("it may ask some queries only, and the page shows what all of them "
                              "say")
                         : NULL;
    if (no != NULL) {
        problem(x, GATEWAY_FORBIDDEN, no);
        return ANSWERED;
    }
    struct json_pool *pool = json_pool_new();
    if (pool == NULL) {
        problem(x, GATEWAY_NO_MEMORY, NULL);
        return ANSWERED;
    }
    ticket_read(x, pool);
    json_pool_free(pool);
    return ANSWERED;
}

/* ---- in ---- */

static void
cookie_set(struct exchange *x, const char *cookie)
{
    char text[SECRET_TEXT + 80];
    snprintf(text, sizeof text, "__Host-jangbu=%s; Path=/; Secure; HttpOnly; SameSite=Strict%s",
             cookie, cookie[0] != '\0' ? "" : WIRE("; Max-Age=0")); /* without a text it ends */
    exchange_set_header(x, "Set-Cookie", text);
    sodium_memzero(text, sizeof text);
}

/* Browsers say that they take HTML; programs that fetch an address take anything, or say what. */
static bool
reads_pages(const struct exchange *x)
{
    static const char html[] = "text/html";
    const struct jb_text accept = exchange_header(x, "Accept");
    return accept.s == NULL || memmem(accept.s, accept.n, html, sizeof html - 1) != NULL;
}

/* Who comes from another site does not send a SameSite=Strict cookie along, nor where he is sent on
 * by a redirect. So this page goes on by itself, and has a link for who waits: what follows comes
 * from here, and shows whether somebody is signed in already. */
static void
go_on(struct page *p, const struct session *s, struct jb_text ticket)
{
    struct out *o = p->o;
    char where[SECRET_TEXT + 24];
    snprintf(where, sizeof where, "/%c?go=1&ticket=%.*s", s->operates ? 'o' : 'w', (int)ticket.n,
             ticket.s);
    if (!reads_pages(p->x)) {
        exchange_answer(p->x, 200, "text/plain; charset=utf-8");
        out_str(o, tr("A browser goes on from here by itself. Without one, ask for this, once, and "
                      "send the cookie that comes with it from then on:\n"));
        out_str(o, where);
        out_char(o, '\n');
        return;
    }
    exchange_answer(p->x, 200, "text/html; charset=utf-8");
    out_str(o, "<!doctype html>\n<html");
    html_word(o, "lang", p->lang == JB_LANG_KO ? "ko" : "en");
    out_str(o, "><head><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
               "<meta http-equiv=\"refresh\" content=\"0;url=");
    html_str(o, where);
    out_str(o, "\"><link rel=\"stylesheet\" href=\"/assets/page.css\">"
               "<link rel=\"icon\" href=\"/assets/icon.svg\" type=\"image/svg+xml\">");
    html_element(o, "title", NULL, tr("One moment"));
    out_str(o, "</head><body><main>");
    html_element(o, "h1", NULL, tr("One moment"));
    out_str(o, "<p>");
    page_link(p, NULL, where, tr("Go on"));
    out_str(o, "</p></main></body></html>\n");
}

/* Who only looks whether the address is there (HEAD), or fetches it before anybody asks, does not
 * use the ticket up. */
static bool
only_looks(const struct exchange *x)
{
    const struct jb_text purpose = exchange_header(x, "Sec-Purpose");
    const struct jb_text old = exchange_header(x, "Purpose");
    return x->head || (purpose.n >= 8 && memcmp(purpose.s, "prefetch", 8) == 0) ||
           (old.n >= 8 && memcmp(old.s, "prefetch", 8) == 0);
}

/* It is the second step, and comes from the first: browsers say so, and nobody else can. */
static bool
comes_from_here(const struct exchange *x)
{
    static const char here[] = "same-origin";
    const struct jb_text site = exchange_header(x, "Sec-Fetch-Site");
    return exchange_query(x, "go").s != NULL &&
           (site.s == NULL || (site.n == sizeof here - 1 && memcmp(site.s, here, site.n) == 0));
}

static void
ticket_wrong(struct page *p)
{
    page_wrong(p, 403, tr("This address opens nothing any more"),
               tr("An address like this opens the page once, and not for long. Open it again "
                  "from the service that you came from."));
}

static bool
same_person(const struct session *a, const struct session *b)
{
    return a->operates == b->operates && strcmp(a->wallet, b->wallet) == 0 &&
           strcmp(a->actor, b->actor) == 0;
}

/* The ticket is used up, and the session that there was, if any, ends. */
static void
change_over(struct page *p, struct jb_text ticket)
{
    struct pages *pages = p->x->gateway->pages;
    struct session s;
    char cookie[SECRET_TEXT];
    if (!pages_redeem(pages, ticket, cookie, &s)) {
        ticket_wrong(p);
        return;
    }
    pages_end(pages, p->cookie);
    cookie_set(p->x, cookie);
    page_see_other(p, s.operates ? "/o" : "/w");
    sodium_memzero(cookie, sizeof cookie);
}

/* Somebody else is signed in here: an address that another sent him does not make him that one. */
static void
ask_first(struct page *p, struct jb_text ticket)
{
    page_begin(p, 200, tr("Somebody else is signed in here"), TAB_NONE);
    page_paragraph(p, NULL,
                   tr("The address that you opened signs somebody else in. If that is not what you "
                      "want, stay: nothing changes."));
    out_str(p->o, "<form class=\"command\" method=\"post\" action=\"/enter\">");
    form_csrf(p);
    form_hidden(p, "ticket", ticket);
    out_str(p->o, "<p class=\"do\"><button>");
    html_str(p->o, tr("Sign out here, and go on"));
    out_str(p->o, "</button> ");
    page_link(p, "button second", p->session.operates ? "/o" : "/w", tr("Stay"));
    out_str(p->o, "</p></form>\n");
    page_end(p);
}

enum handled
page_redeem(struct exchange *x, struct jb_text ticket)
{
    struct page p;
    struct session s;
    if (only_looks(x)) {
        exchange_answer(x, 204, "text/html; charset=utf-8");
        exchange_set_header(x, "Cache-Control", "no-store");
        return ANSWERED;
    }
    if (!page_enter(&p, x, PAGE_FOR_ALL)) {
        return page_leave(&p);
    }
    if (!pages_peek(x->gateway->pages, ticket, &s) || !page_session_allowed(&p, &s)) {
        ticket_wrong(&p);
    } else if (!comes_from_here(x)) {
        p.lang = s.lang != JB_LANG_UNSAID ? s.lang : p.lang;
        (void)lang_speak(p.lang);
        go_on(&p, &s, ticket);
    } else if (p.cookie.s != NULL && !same_person(&s, &p.session)) {
        ask_first(&p, ticket);
    } else {
        change_over(&p, ticket);
    }
    return page_leave(&p);
}

/* The button of ask_first. */
enum handled
page_enter_done(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_ALL)) {
        struct form f;
        if (form_read(&p, &f)) {
            const struct jb_text ticket = form_value(&f, "ticket");
            struct session s;
            if (pages_peek(x->gateway->pages, ticket, &s) && page_session_allowed(&p, &s)) {
                change_over(&p, ticket);
            } else {
                ticket_wrong(&p);
            }
        }
        form_free(&f);
    }
    return page_leave(&p);
}

static void
sign_in_form(struct page *p, const char *wrong)
{
    page_begin(p, wrong != NULL ? 401 : 200, tr("Sign in as an operator"), TAB_NONE);
    if (wrong != NULL) {
        page_alert(p, wrong, NULL);
    }
    out_str(p->o, "<section class=\"narrow\"><form class=\"command\" method=\"post\" "
                  "action=\"/o/sign-in\">\n<p class=\"field\"><label for=\"token\">");
    html_str(p->o, tr("Token"));
    out_str(p->o, "</label><input id=\"token\" name=\"token\" type=\"password\" required "
                  "autocomplete=\"off\" aria-describedby=\"token-hint\"></p>\n<p class=\"field\">"
                  "<label for=\"actor\">");
    html_str(p->o, tr("Your id in the ledger"));
    html_element(p->o, "span", "optional", tr(" (optional)"));
    out_str(p->o, "</label><input id=\"actor\" name=\"actor\" type=\"text\" "
                  "autocomplete=\"off\"></p>\n<p class=\"hint\" id=\"token-hint\">");
    html_str(p->o,
             tr("One that `jangbud token new` printed, with the scopes read and page. What you "
                "do here is written down under your id."));
    out_str(p->o, "</p>\n");
    form_end(p, tr("Sign in"));
    out_str(p->o, "</section>\n");
    page_end(p);
}

enum handled
page_sign_in(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_ALL)) {
        sign_in_form(&p, NULL);
    }
    return page_leave(&p);
}

/* former: the session that there was, which ends. */
static void
sign_in(struct page *p, const struct form *f, struct jb_text former)
{
    struct session s = {.operates = true, .lang = p->lang};
    const struct jb_text token = form_value(f, "token"), actor = form_value(f, "actor");
    char cookie[SECRET_TEXT];
    if (token.s == NULL || actor.n > JB_ID_BYTES_MAX ||
        !auth_token(p->x->gateway->auth, token, &s.who) || !session_opened_by(&s.who) ||
        s.who.wallets[0] != '\0') {
        sign_in_form(p, tr("That token opens nothing here."));
        return;
    }
    copy_text(s.actor, sizeof s.actor, actor.s != NULL ? actor : jb_text_of(s.who.name));
    pages_end(p->x->gateway->pages, former);
    pages_begin(p->x->gateway->pages, &s, cookie);
    cookie_set(p->x, cookie);
    page_see_other(p, "/o");
}

enum handled
page_sign_in_done(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_ALL)) {
        struct form f;
        const struct jb_text former = p.cookie;
        p.cookie = (struct jb_text){NULL, 0}; /* a session that there is has no say in a new one */
        if (form_read(&p, &f)) {
            sign_in(&p, &f, former);
        }
        form_free(&f);
    }
    return page_leave(&p);
}

enum handled
page_sign_out(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_BOTH)) {
        struct form f;
        if (form_read(&p, &f)) {
            pages_end(x->gateway->pages, p.cookie);
            cookie_set(x, "");
            p.cookie = (struct jb_text){NULL, 0};
            page_begin(&p, 200, tr("You are signed out"), TAB_NONE);
            page_paragraph(&p, NULL,
                           tr("This page opens again from the service that you came from."));
            page_end(&p);
        }
        form_free(&f);
    }
    return page_leave(&p);
}

/* ---- what is embedded ---- */

enum handled
page_asset(struct exchange *x)
{
    for (size_t i = 0; i < assets_n; i++) {
        const struct asset *a = &assets[i];
        if (x->params[0].n == strlen(a->name) &&
            memcmp(x->params[0].s, a->name, x->params[0].n) == 0) {
            out_bytes(&x->answer.body, a->at, a->n);
            exchange_set_header(x, "Cache-Control", "public, max-age=300");
            exchange_set_header(x, "Content-Security-Policy", "default-src 'none'");
            exchange_answer(x, 200, a->type);
            return ANSWERED;
        }
    }
    problem(x, GATEWAY_NOT_FOUND, NULL);
    return ANSWERED;
}

/* "/": whoever is signed in goes to his page. */
enum handled
page_home(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_ALL)) {
        page_see_other(&p, p.cookie.s != NULL && !p.session.operates ? "/w" : "/o");
    }
    return page_leave(&p);
}

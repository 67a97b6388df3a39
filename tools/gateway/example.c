#include "example.h"

#include <jangbu/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "assets.h"
#include "lang.h"

/* Who may do what in it, and when it ends: tools/example/month.jsonl. */
#define OPERATOR "op-7"
#define HOLDER "hong"
#define WALLET "W1"
#define LAST_DAY "2026-10-31"
#define UTC_OFFSET_S (9 * 3600)
/* Longer than tickets of a service live: somebody has to find the terminal. */
enum { EXAMPLE_TTL_S = 600 };

bool
example_asked(struct config *c, int *argc, char **argv)
{
    for (int i = 1; i + 1 < *argc; i++) {
        if (strcmp(argv[i], "--example") == 0) {
            snprintf(c->ledger, sizeof c->ledger, "%s", argv[i + 1]);
            snprintf(c->listen, sizeof c->listen, "127.0.0.1:0");
            snprintf(c->unix_path, sizeof c->unix_path, "none");
            c->log = LOG_FAILURES;
            memmove(argv + i, argv + i + 2, (size_t)(*argc - i - 2) * sizeof *argv);
            *argc -= 2;
            return true;
        }
    }
    return false;
}

/* The month with its days moved so that the last one is yesterday. Owned; NULL: no memory. */
static char *
moved_month(size_t *ret_n)
{
    const struct asset *month = &example_files[0];
    char *text = malloc(month->n);
    jb_day last, day;
    char to[JB_DAY_TEXT_BYTES];
    if (text == NULL || !jb_day_parse(LAST_DAY, strlen(LAST_DAY), &last)) {
        free(text);
        return NULL;
    }
    const jb_day by = jb_day_of((jb_instant)time(NULL) * JB_US_PER_SECOND, UTC_OFFSET_S) - 1 - last;
    memcpy(text, month->at, month->n);
    for (size_t i = 0; i + 10 <= month->n; i++) {
        if (text[i + 4] == '-' && text[i + 7] == '-' && jb_day_parse(text + i, 10, &day)) {
            memcpy(text + i, jb_day_print(day + by, to), 10);
        }
    }
    *ret_n = month->n;
    return text;
}

static jb_status
apply_month(const char *dir, struct jb_error *err)
{
    size_t n = 0;
    char *month = moved_month(&n);
    jb_json *j = NULL;
    const char *text = NULL;
    jb_status status = month != NULL ? jb_json_open(dir, NULL, &j, &text) : JB_E_NOMEM;
    if (status == JB_OK) {
        jb_json_text_free(text);
        status = jb_json_apply(j, month, n, "{\"clock\":\"at\"}", &text, NULL);
    }
    if (status != JB_OK) {
        *err = (struct jb_error){.status = status};
        snprintf(err->text, sizeof err->text, "%s", text != NULL ? text : "");
    }
    jb_json_text_free(text);
    jb_json_close(j);
    free(month);
    return status;
}

jb_status
example_make(const char *dir, struct jb_error *err)
{
    const struct jb_init_options options = {
        .size = sizeof options, .operator_id = OPERATOR, .roles = JB_MATRICES};
    char log[CONFIG_TEXT_BYTES + 16];
    struct stat there;
    snprintf(log, sizeof log, "%s/log.mdb", dir);
    if (stat(log, &there) == 0) {
        return JB_OK;
    }
    const jb_status status = jb_init(dir, &options, err);
    return status == JB_OK ? apply_month(dir, err) : status;
}

static void
print_one(struct pages *p, const char *address, const char *what, const struct session *s)
{
    char ticket[SECRET_TEXT];
    pages_ticket(p, s, EXAMPLE_TTL_S, ticket);
    printf("%s\n    http://%s/%c?ticket=%s\n", what, address, s->operates ? 'o' : 'w', ticket);
}

void
example_print(struct pages *p, const char *address)
{
    struct session s = {.who = {.name = "example",
                                .caller = "example",
                                .read = true,
                                .write = true,
                                .people = true,
                                .page = true,
                                .ask_mask = UINT64_MAX}};
    memset(s.who.op_mask, 0xff, sizeof s.who.op_mask);
    snprintf(s.wallet, sizeof s.wallet, "%s", WALLET);
    snprintf(s.actor, sizeof s.actor, "%s", HOLDER);
    s.lang = JB_LANG_KO;
    print_one(p, address,
              tr("The page of a wallet's holder (each address opens once, within ten "
                 "minutes):"),
              &s);
    s = (struct session){.operates = true, .lang = JB_LANG_EN, .who = s.who};
    snprintf(s.actor, sizeof s.actor, "%s", OPERATOR);
    print_one(p, address, tr("The page of an operator:"), &s);
    printf("%s\n", tr("Ctrl-C ends it. The ledger is an example: nothing needs it."));
    fflush(stdout);
}

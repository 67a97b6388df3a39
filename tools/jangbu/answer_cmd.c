/* jangbu answer: the ten questions. */
#include <stdlib.h>
#include <string.h>

#include "around_json.h"
#include "lang.h"
#include "query.h"

/* Events behind an answer that are named in a line for people. */
#define EVENTS_NAMED 20

void
print_questions(FILE *to)
{
    for (uint32_t i = 1; i <= JB_QUESTIONS; i++) {
        fprintf(to, "  %2u  %s\n", i, jb_question_text(i, lang_now()));
    }
}

static void
print_events(struct app *app, const struct jb_reply *r)
{
    struct out o = {.first = true};
    uint32_t first = r->events_n > EVENTS_NAMED ? r->events_n - EVENTS_NAMED : 0;
    if (r->events_n == 0) {
        return;
    }
    for (uint32_t i = first; i < r->events_n; i++) {
        out_str(&o, i > first ? ", " : "");
        out_uint(&o, r->events[i]);
    }
    out_char(&o, '\0');
    const unsigned long long more = r->events_total - (r->events_n - first);
    if (o.no_memory) {
        app->out.no_memory = true;
    } else if (more > 0) {
        app_sentencef(app, "events %s and %llu before them", o.at, more);
    } else {
        app_sentencef(app, "events %s", o.at);
    }
    free(o.at);
}

/* The number of a question. False: said on standard error, and which there are. */
static bool
read_question(struct app *app, const char *text, uint64_t *ret)
{
    if (text != NULL && parse_number(text, JB_QUESTIONS, ret) && *ret > 0) {
        return true;
    }
    app_usage(app, "--question takes the number of one of the ten questions");
    print_questions(stderr);
    return false;
}

static int
answer(struct app *app, const struct query *q)
{
    const struct jb_question question = question_of(q);
    struct jb_reply *r;
    if (app->json) {
        return query_print(app, q);
    }
    if (jb_reply_get(app->views, &question, &r, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    app_sentence(app, r->text);
    print_events(app, r);
    jb_reply_free(r);
    return EXIT_DONE;
}

int
cmd_answer(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *number = NULL, *channel = NULL, *charge = NULL, *clock = NULL,
                                     *month = NULL;
    bool people = false;
    int n, code;
    uint64_t question;
    uint32_t of = 0;
    const struct option_row options[] = {{"question", NULL, &number},
                                         {"channel", NULL, &channel},
                                         {"charge", NULL, &charge},
                                         {"people", &people, NULL},
                                         {"clock", NULL, &clock},
                                         {"month", NULL, &month},
                                         {0}};
    if (!read_options(app, argc, argv, options, args, &n) ||
        !read_question(app, number, &question)) {
        return EXIT_USAGE;
    }
    if (n != 2) {
        return app_usage(app, "jangbu answer takes a ledger and a wallet");
    }
    if (!query_clock(app, clock) || !query_month(app, month, &of)) {
        return EXIT_USAGE;
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    if (!query_stand(app, clock)) {
        return app_fail(app, &app->err);
    }
    struct query q = query_about(app, QUERY_ANSWER, args[1]);
    q.question = question;
    q.channel = jb_text_of(channel);
    q.charge = jb_text_of(charge);
    q.month = of;
    q.people = people;
    return answer(app, &q);
}

/*
 * A ledger in JSON: what a binding calls (docs/json.md).
 *
 *   words DIR
 */
#include <jangbu/json.h>

#include <stdio.h>
#include <string.h>

static const char lines[] =
    "{\"op\":\"wallet.create\",\"wallet\":\"W1\",\"kind\":\"BUSINESS\",\"name\":\"Coffee\",\"key\":"
    "\"1\"}\n"
    "{\"op\":\"charge\",\"wallet\":\"W1\",\"charge\":\"C1\",\"amount\":50000,\"key\":\"2\"}\n"
    "{\"op\":\"consume\",\"wallet\":\"W1\",\"usage\":\"U1\",\"amount\":60000,\"key\":\"3\"}\n";
static const char query[] = "{\"ask\":\"balance\",\"wallet\":\"W1\"}";

/* Prints a text and gives it back. */
static jb_status
show(jb_status status, const char *text)
{
    fputs(text, stdout);
    jb_json_text_free(text);
    return status;
}

int
main(int argc, char **argv)
{
    jb_json *j;
    const char *text;
    if (argc != 2) {
        return 2;
    }
    jb_status status = jb_json_open(argv[1], "{\"init\":{\"currency\":\"KRW\"}}", &j, &text);
    if (show(status, text) == JB_OK) {
        status = jb_json_apply(j, lines, strlen(lines), NULL, &text, NULL);
        status = show(status, text);
    }
    if (status == JB_OK) {
        status = jb_json_ask(j, query, strlen(query), &text, NULL);
        status = show(status, text);
    }
    j = jb_json_close(j);
    return status == JB_OK ? 0 : 3;
}

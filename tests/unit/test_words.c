/*
 * The lists of words that the library gives are those of docs/format.md, number by number, and
 * none is missing on either side.
 *
 * test_words FORMAT.md
 */
#include <jangbu/command.h>

#include <string.h>

#include "../check.h"

#define DOCUMENT_MAX (1 << 20)

static char document[DOCUMENT_MAX];

/* How the document calls the lists, by enum jb_list. */
static const char *const lists[] = {
    [JB_LIST_WALLET_KIND] = "kind",
    [JB_LIST_WALLET_STATUS] = "wallet status",
    [JB_LIST_METHOD] = "method",
    [JB_LIST_ORIGIN] = "origin",
    [JB_LIST_REASON] = "reason",
    [JB_LIST_SCOPE] = "scope",
    [JB_LIST_FAILURE] = "why",
    [JB_LIST_POLICY] = "policy",
    [JB_LIST_GRANT_STATE] = "grant state",
    [JB_LIST_REFUND_STATE] = "refund state",
    [JB_LIST_ROLE] = "role",
    [JB_LIST_HOW] = "how",
    [JB_LIST_LEFT] = "left",
    [JB_LIST_CHANNEL_KIND] = "channel kind",
    [JB_LIST_SETTLEMENT] = "settlement",
    [JB_LIST_PERSON_STATE] = "person state",
    [JB_LIST_CHANNEL_STATE] = "channel state",
    [JB_LIST_BIZ_STATE] = "biz state",
    [JB_LIST_SALES_STATE] = "sales state",
    [JB_LIST_INVOICE_KIND] = "invoice kind",
    [JB_LIST_INVOICE_REASON] = "invoice reason",
    [JB_LIST_INVOICE_WHY] = "invoice why",
    [JB_LIST_MAIL_RESULT] = "mail result",
    [JB_LIST_INVOICE_STATE] = "invoice state",
};
enum { LISTS = sizeof lists / sizeof lists[0] };

/* Which list the row `| kind | 1 PERSONAL, ... |` is of; LISTS: of none. */
static unsigned
list_of(const char *row)
{
    unsigned i = 1;
    size_t n = strcspn(row + 2, "|");
    while (n > 0 && row[2 + n - 1] == ' ') {
        n--;
    }
    while (i < LISTS && (strlen(lists[i]) != n || memcmp(lists[i], row + 2, n) != 0)) {
        i++;
    }
    return i;
}

static void
check_row(const char *row, const struct jb_names *names)
{
    const char *at = strchr(row + 1, '|') + 1;
    uint32_t words = 0;
    for (; *at != '|'; at += strspn(at, ", ")) {
        char *behind;
        unsigned long number = strtoul(at, &behind, 10);
        const char *word = jb_name_word(names, (uint32_t)number);
        uint32_t back = UINT32_MAX;
        at = behind + strspn(behind, " ");
        size_t n = strcspn(at, ", |");
        must(word != NULL && strlen(word) == n && memcmp(word, at, n) == 0, row);
        must(jb_name_number(names, at, n, &back) && back == number, row);
        at += n;
        words++;
    }
    for (uint32_t i = 0; i < 1000; i++) {
        words -= jb_name_word(names, i) != NULL;
    }
    must(words == 0, row);
}

static unsigned
check_table(const char *name, bool seen[LISTS])
{
    char marker[64];
    unsigned rows = 0;
    snprintf(marker, sizeof marker, "<!-- table: %s -->\n\n", name);
    const char *row = strstr(document, marker);
    must(row != NULL, marker);
    row = strchr(strchr(row + strlen(marker), '\n') + 1, '\n') + 1; /* behind its head */
    for (; *row == '|'; row = strchr(row, '\n') + 1, rows++) {
        unsigned list = list_of(row);
        must(list < LISTS && !seen[list], row);
        seen[list] = true;
        check_row(row, jb_names_get((jb_list)list));
    }
    return rows;
}

int
main(int argc, char **argv)
{
    must(argc == 2, "usage: test_words FORMAT.md");
    FILE *f = fopen(argv[1], "r");
    must(f != NULL, argv[1]);
    must(fread(document, 1, sizeof document - 1, f) > 0, argv[1]);
    fclose(f);
    bool seen[LISTS] = {false};
    unsigned rows = check_table("names", seen) + check_table("states", seen);
    must(jb_names_get((jb_list)0) == NULL && jb_names_get((jb_list)LISTS) == NULL,
         "a list that this test does not know");
    must(rows == LISTS - 1, "a list that the document does not have");
    printf("%u lists\n", rows);
    return 0;
}

/* What `jangbud token --help` says: what may stand in a line of the file of tokens. */
#include <assert.h>
#include <string.h>

#include "auth_inner.h"
#include "lang.h"

/* What a principal is with that role. */
static const char *const roles[] = {
    [JB_ROLE_MASTER] = SAID("the person in charge of a wallet; may act as MEMBER, too"),
    [JB_ROLE_MEMBER] = SAID("whom the master lets use a wallet"),
    [JB_ROLE_CHANNEL_MASTER] = SAID("the person in charge of a channel; may act as MANAGER, too"),
    [JB_ROLE_MANAGER] = SAID("who works in a channel"),
    [JB_ROLE_AGENCY] = SAID("staff of an agency, which uses other people's wallets for them"),
    [JB_ROLE_OPERATOR] = SAID("a person of the service that keeps the ledger"),
    [JB_ROLE_GATEWAY] = SAID("the program that reports payments"),
    [JB_ROLE_SYSTEM] = SAID("the program that reports what was used"),
    [JB_ROLE_SELF] = SAID("whoever the command is about; every role may act so"),
};
static_assert(sizeof roles / sizeof roles[0] == JB_ROLES, "each role has a line");

#define COLUMNS 80
#define INDENT 4

/* Words one behind the other, on lines of so many columns. */
static void
word_print(FILE *to, const char *word, int *column)
{
    const int n = (int)strlen(word) + 1;
    if (*column + n > COLUMNS) {
        fputc('\n', to);
        *column = 0;
    }
    *column += fprintf(to, "%*s%s", *column == 0 ? INDENT : 1, "", word);
}

void
token_help(FILE *to)
{
    int column = 0;
    fputs(tr("usage: jangbud token new NAME --scope WORD[,WORD...] --tokens FILE [...]\n"
             "Makes a token, prints it once, and adds a line with its hash to FILE.\n\n"
             "  --tokens FILE    the file; or --config FILE, the settings that name it\n"
             "  --scope WORDS    what it may do; again for more\n"
             "  --caller C       the scope of its keys; NAME unless given\n"
             "  --role R         the role in which its actors act, and what that includes\n"
             "  --wallets PREFIX what the ids of its wallets begin with\n"
             "  --rate N         requests a second\n"
             "  --uid N          no token: that user of the Unix socket\n\n"
             "Scopes:\n"),
          to);
    for (size_t i = 0; i < SCOPES; i++) {
        fprintf(to, "  %-15s  %s\n", scopes[i].word, tr(scopes[i].what));
    }
    fputs(tr("\nRoles:\n"), to);
    for (uint32_t i = 1; i < JB_ROLES; i++) {
        fprintf(to, "  %-15s  %s\n", jb_names_get(JB_LIST_ROLE)->words[i], tr(roles[i]));
    }
    fputs(tr("\nQueries, behind read:\n"), to);
    for (unsigned i = 0; query_info_get(i) != NULL; i++) {
        word_print(to, query_info_get(i)->name, &column);
    }
    fputs(tr("\n\nCommands:\n"), to);
    column = 0;
    for (uint32_t i = 1; i < JB_OPS; i++) {
        if (jb_op_get(i) != NULL) {
            word_print(to, jb_op_get(i)->name, &column);
        }
    }
    fputc('\n', to);
}

/* The file of tokens, as auth.h says. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth_inner.h"
#include "lang.h"
#include "parse.h"

static_assert(TOKEN_HASH_BYTES == crypto_hash_sha256_BYTES, "SHA-256");

void
token_hash(const char *token, size_t n, uint8_t ret[TOKEN_HASH_BYTES])
{
    crypto_hash_sha256(ret, (const unsigned char *)token, n);
}

static bool
because(char *why, size_t size, const char *sentence, const char *word)
{
    snprintf(why, size, sentence, word);
    return false;
}

/* The whole word is a number up to max. */
static bool
number_read(const char *word, uint32_t max, uint32_t *ret)
{
    uint64_t n = 0;
    const size_t digits = strspn(word, "0123456789");
    if (digits == 0 || digits > 10 || word[digits] != '\0') {
        return false;
    }
    for (size_t i = 0; i < digits; i++) {
        n = n * 10 + (uint64_t)(word[i] - '0');
    }
    *ret = (uint32_t)n;
    return n <= max;
}

static bool
is_word(const char *word, size_t max)
{
    const size_t n = strlen(word);
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)word[i] <= ' ' || word[i] == 0x7f) {
            return false;
        }
    }
    return n > 0 && n <= max;
}

const struct scope scopes[SCOPES] = {
    [SCOPE_READ] = {"read", offsetof(struct principal, read),
                    SAID("all queries; read:QUERY, like read:balance: that one")},
    [SCOPE_WRITE] = {"write", offsetof(struct principal, write),
                     SAID("all commands; the name of one, like consume: that one")},
    [SCOPE_PEOPLE] = {"people", offsetof(struct principal, people),
                      SAID("personal texts: names, notes, reasons, actors; wallets by them")},
    [SCOPE_KEYLESS] = {"keyless", offsetof(struct principal, keyless),
                       SAID("commands without a key")},
    [SCOPE_PAGE] = {"page", offsetof(struct principal, page),
                    SAID("tickets, which open the page for others; with read")},
    [SCOPE_OPS] = {"ops", offsetof(struct principal, ops),
                   SAID("/readyz and /metrics, and with read /v1/people")},
};

/* Those, and the ops. */
static const char *
nth_scope(unsigned i)
{
    const struct jb_op_info *op = i >= SCOPES ? jb_op_get(i - SCOPES + 1) : NULL;
    return i < SCOPES                ? scopes[i].word
           : i < SCOPES + JB_OPS - 1 ? (op != NULL ? op->name : scopes[0].word)
                                     : NULL;
}

static const char *
nth_asked(unsigned i)
{
    const struct query_info *q = query_info_get(i);
    return q != NULL ? q->name : NULL;
}

static bool
scope_read(const char *word, struct principal *ret)
{
    const uint32_t op = jb_op_from_name(word, strlen(word));
    if (op != 0) {
        ret->op_mask[op / 64] |= UINT64_C(1) << (op % 64);
        ret->write = true;
        return true;
    }
    if (strncmp(word, "read:", 5) == 0) {
        const enum query_kind kind = query_called(word + 5, strlen(word + 5));
        ret->ask_mask |= kind < QUERIES ? UINT64_C(1) << kind : 0;
        ret->read = true;
        return kind < QUERIES;
    }
    for (size_t i = 0; i < SCOPES; i++) {
        if (strcmp(word, scopes[i].word) == 0) {
            *(bool *)((char *)ret + scopes[i].at) = true;
            ret->ask_mask = i == SCOPE_READ ? UINT64_MAX : ret->ask_mask;
            memset(ret->op_mask, 0xff, i == SCOPE_WRITE ? sizeof ret->op_mask : 0);
            return true;
        }
    }
    return false;
}

static bool
no_scope(const char *word, char *why, size_t size)
{
    const bool query = strncmp(word, "read:", 5) == 0;
    const char *near = query ? nearest_word(word + 5, strlen(word + 5), nth_asked)
                             : nearest_word(word, strlen(word), nth_scope);
    if (near == NULL) {
        return because(why, size, tr("there is no scope %.80s"), word);
    }
    snprintf(why, size, tr("there is no scope %.80s; do you mean %s%s?"), word,
             query ? WIRE("read:") : "", near);
    return false;
}

static bool
scopes_read(char *list, struct principal *ret, char *why, size_t size)
{
    char *rest;
    for (char *word = strtok_r(list, ",", &rest); word != NULL; word = strtok_r(NULL, ",", &rest)) {
        if (!scope_read(word, ret)) {
            return no_scope(word, why, size);
        }
    }
    return true;
}

static bool
text_read(const char *value, char *ret, size_t size)
{
    if (!is_word(value, size - 1)) {
        return false;
    }
    memcpy(ret, value, strlen(value) + 1);
    return true;
}

/* What is said twice is said two ways: *given has a bit of each option. */
static bool
first_of_name(const char *word, unsigned *given)
{
    static const char *const names[] = {"scopes", "caller", "role", "wallets", "rate"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(word, names[i]) == 0) {
            const bool first = (*given >> i & 1) == 0;
            *given |= 1U << i;
            return first;
        }
    }
    return true;
}

static bool
option_read(char *word, struct entry *ret, unsigned *given, char *why, size_t size)
{
    char *value = strchr(word, '=');
    bool ok = false;
    if (value == NULL) {
        return because(why, size, tr("an option is written NAME=VALUE, not %.80s"), word);
    }
    *value++ = '\0';
    if (!first_of_name(word, given)) {
        return because(why, size, tr("the option %.80s is there twice"), word);
    }
    if (strcmp(word, "scopes") == 0) {
        return scopes_read(value, &ret->who, why, size);
    }
    if (strcmp(word, "caller") == 0) {
        ok = text_read(value, ret->who.caller, sizeof ret->who.caller);
    } else if (strcmp(word, "role") == 0) {
        ok = text_read(value, ret->who.role, sizeof ret->who.role);
    } else if (strcmp(word, "wallets") == 0) {
        ok = text_read(value, ret->who.wallets, sizeof ret->who.wallets);
    } else if (strcmp(word, "rate") == 0) {
        ok = number_read(value, 1000000, &ret->who.rate);
    } else {
        return because(why, size, tr("there is no option %.80s"), word);
    }
    return ok || because(why, size, tr("the value of %.80s is none that it can have"), word);
}

static bool
proof_read(const char *word, struct entry *ret)
{
    size_t n = 0;
    if (strncmp(word, "uid:", 4) == 0) {
        ret->by_uid = true;
        return number_read(word + 4, UINT32_MAX, &ret->uid);
    }
    return strncmp(word, "sha256:", 7) == 0 && strlen(word + 7) == 2 * sizeof ret->hash &&
           sodium_hex2bin(ret->hash, sizeof ret->hash, word + 7, strlen(word + 7), NULL, &n,
                          NULL) == 0 &&
           n == sizeof ret->hash;
}

bool
token_line_read(char *line, struct entry *ret, bool *ret_empty, char *why, size_t size)
{
    static const char blanks[] = " \t\r";
    char *rest;
    unsigned given = 0;
    const size_t remark = strcspn(line, "#");
    *ret = (struct entry){.by_uid = false};
    if (line[remark] != '\0' && remark > 0 && strchr(blanks, line[remark - 1]) == NULL) {
        *ret_empty = false;
        return because(why, size, tr("a remark has a blank before its #, not %.80s"),
                       line + remark - 1);
    }
    line[remark] = '\0';
    const char *name = strtok_r(line, blanks, &rest);
    *ret_empty = name == NULL;
    if (name == NULL) {
        return true;
    }
    const char *proof = strtok_r(NULL, blanks, &rest);
    if (!text_read(name, ret->who.name, sizeof ret->who.name)) {
        return because(why, size, tr("a name has 1 to 63 bytes, not %.80s"), name);
    }
    if (proof == NULL || !proof_read(proof, ret)) {
        return because(why, size,
                       tr("behind the name %.80s stands sha256: and 64 hexadecimal digits, or "
                          "uid: and a number"),
                       name);
    }
    for (char *word = strtok_r(NULL, blanks, &rest); word != NULL;
         word = strtok_r(NULL, blanks, &rest)) {
        if (!option_read(word, ret, &given, why, size)) {
            return false;
        }
    }
    if (ret->who.caller[0] == '\0' &&
        !text_read(ret->who.name, ret->who.caller, sizeof ret->who.caller)) {
        return because(why, size, tr("a caller has at most 32 bytes: give one for %.80s"), name);
    }
    return true;
}

static jb_status
file_bad(struct jb_error *err, jb_status status, const char *path, const char *sentence)
{
    *err = (struct jb_error){.status = status, .os_errno = errno};
    snprintf(err->text, sizeof err->text, "%s: %s", path, sentence);
    return status;
}

static jb_status
whole_read(int fd, const char *path, char **ret, size_t *ret_n, struct jb_error *err)
{
    struct stat st;
    errno = 0;
    if (fstat(fd, &st) != 0) {
        return file_bad(err, JB_E_IO, path, tr("it cannot be looked at"));
    }
    if ((st.st_mode & 077) != 0 || (st.st_uid != geteuid() && st.st_uid != 0)) {
        return file_bad(err, JB_E_KEY, path,
                        tr("others can use this file: make it yours, with mode 0600"));
    }
    if (!S_ISREG(st.st_mode) || st.st_size > (off_t)TOKEN_FILE_BYTES) {
        return file_bad(err, JB_E_USAGE, path, tr("this is no file of tokens"));
    }
    const size_t size = (size_t)st.st_size;
    char *text = malloc(size + 1);
    size_t n = 0;
    for (ssize_t got = 1; text != NULL && got > 0 && n < size; n += (size_t)got) {
        got = read(fd, text + n, size - n);
        if (got < 0) {
            free(text);
            return file_bad(err, JB_E_IO, path, tr("it cannot be read"));
        }
    }
    if (text == NULL) {
        return file_bad(err, JB_E_NOMEM, path, tr("no memory"));
    }
    text[n] = '\0';
    /* What is cut off may be what a line takes from somebody. */
    if (n > 0 && (text[n - 1] != '\n' || memchr(text, '\0', n) != NULL)) {
        free(text);
        errno = 0;
        return file_bad(err, JB_E_USAGE, path,
                        tr("it is not whole: its last line has no end, or there is a NUL in it"));
    }
    *ret = text;
    *ret_n = n;
    return JB_OK;
}

jb_status
token_file_read(const char *path, char **ret, size_t *ret_n, struct jb_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return errno == ENOENT ? file_bad(err, JB_E_NOTFOUND, path,
                                          tr("there is no such file: `jangbud token new` makes it"))
                               : file_bad(err, JB_E_IO, path, tr("it cannot be opened"));
    }
    const jb_status status = whole_read(fd, path, ret, ret_n, err);
    close(fd);
    return status;
}

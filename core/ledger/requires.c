#include "storage/descriptors.h"
#include "ledger/requires.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define FILE_BYTES_MAX 4096
#define WORD_BYTES_MAX 32

enum line_kind { LINE_READ, LINE_WRITE, LINE_OTHER };

struct line {
    enum line_kind kind;
    char word[WORD_BYTES_MAX + 1]; /* of LINE_OTHER: how it begins */
};

/* The file, and where its next line begins. */
struct text {
    char bytes[FILE_BYTES_MAX + 1];
    size_t n, at;
    bool there;
};

/* Whether there is something of that name, whatever it is: a symbolic link that leads nowhere was
 * put there by somebody, too. */
static jb_status
is_there(const char *path, bool *ret, struct jb_error *err)
{
    struct stat st;
    *ret = lstat(path, &st) == 0;
    if (!*ret && errno == ENOTDIR) {
        return jb_fail(err, JB_E_NOTFOUND, "%.*s is not a ledger: it is not a directory",
                       (int)(strrchr(path, '/') - path), path);
    }
    return *ret || errno == ENOENT
               ? JB_OK
               : jb_fail_errno(err, JB_E_IO, errno, "cannot tell whether there is a %s", path);
}

/* Until the end, or one byte more than it may have. -1 with errno. */
static ssize_t
read_all(int fd, char bytes[FILE_BYTES_MAX + 1])
{
    size_t have = 0;
    while (have <= FILE_BYTES_MAX) {
        ssize_t got = read(fd, bytes + have, FILE_BYTES_MAX + 1 - have);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? -1 : (ssize_t)have;
        }
        have += (size_t)got;
    }
    return (ssize_t)have;
}

static jb_status
read_file(const char *dir, struct text *ret, struct jb_error *err)
{
    char path[4096];
    ret->n = ret->at = 0;
    ret->there = false;
    if (snprintf(path, sizeof path, "%s/requires", dir) >= (int)sizeof path) {
        return jb_fail(err, JB_E_USAGE, "the path of the ledger is too long");
    }
    jb_status status = is_there(path, &ret->there, err);
    if (status != JB_OK || !ret->there) {
        return status;
    }
    int fd = jb_descriptor_open(path, O_RDONLY | O_NONBLOCK, 0);
    ssize_t n = fd >= 0 ? read_all(fd, ret->bytes) : -1;
    int code = n < 0 ? errno : 0;
    if (fd >= 0) {
        close(fd);
    }
    if (code != 0) {
        return jb_fail_errno(err, JB_E_IO, code, "cannot read %s", path);
    }
    if (n > FILE_BYTES_MAX) {
        return jb_fail(err, JB_E_FORMAT, "%s is longer than this version reads. Use a newer jangbu",
                       path);
    }
    ret->n = (size_t)n;
    return JB_OK;
}

static bool
is_word(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '-')) {
            return false;
        }
    }
    return n >= 1 && n <= WORD_BYTES_MAX;
}

/* How a line begins, for a sentence: what is no letter, digit or sign of ASCII as a question mark.
 */
static void
show(const char *line, size_t n, char ret[WORD_BYTES_MAX + 1])
{
    n = n < WORD_BYTES_MAX ? n : WORD_BYTES_MAX;
    for (size_t i = 0; i < n; i++) {
        ret[i] = line[i] >= ' ' && line[i] <= '~' ? line[i] : '?';
    }
    ret[n] = '\0';
}

static bool
begins(const char *line, size_t n, const char *with)
{
    return n > strlen(with) && memcmp(line, with, strlen(with)) == 0;
}

/* The next line, by its length: any byte may stand in it. False at the end. Empty lines are passed
 * over. A line that does not end was cut off, and could have said anything. */
static bool
next_line(struct text *t, struct line *ret)
{
    while (t->at < t->n && t->bytes[t->at] == '\n') {
        t->at++;
    }
    if (t->at == t->n) {
        return false;
    }
    const char *line = t->bytes + t->at;
    const char *end = memchr(line, '\n', t->n - t->at);
    size_t n = end != NULL ? (size_t)(end - line) : t->n - t->at;
    t->at += n;
    *ret = (struct line){.kind = LINE_OTHER};
    if (end != NULL && begins(line, n, "read ") && is_word(line + 5, n - 5)) {
        ret->kind = LINE_READ;
        memcpy(ret->word, line + 5, n - 5);
    } else if (end != NULL && begins(line, n, "write ") && is_word(line + 6, n - 6)) {
        ret->kind = LINE_WRITE;
        memcpy(ret->word, line + 6, n - 6);
    } else {
        show(line, n, ret->word);
    }
    return true;
}

static jb_status
check_cluster(const char *dir, struct jb_error *err)
{
    char path[4096];
    bool there;
    if (snprintf(path, sizeof path, "%s/cluster", dir) >= (int)sizeof path) {
        return jb_fail(err, JB_E_USAGE, "the path of the ledger is too long");
    }
    jb_status status = is_there(path, &there, err);
    return status != JB_OK || !there
               ? status
               : jb_fail(err, JB_E_FORMAT,
                         "%s is part of a cluster (it has a file `cluster`): this program writes "
                         "to a ledger on its own only, and would part it from the others",
                         dir);
}

/* Whoever makes the file writes a line: in one without, it was lost. */
static jb_status
without_line(const char *dir, struct jb_error *err)
{
    return jb_fail(err, JB_E_FORMAT,
                   "%s/requires has no line: what it asks of programs that write was lost. Make it "
                   "again with the program that made it, or remove it if none did",
                   dir);
}

jb_status
jb_requires_check(const char *dir, bool write, struct jb_error *err)
{
    struct text text;
    struct line line;
    unsigned lines = 0;
    jb_status status = read_file(dir, &text, err);
    for (; status == JB_OK && next_line(&text, &line); lines++) {
        if (line.kind == LINE_OTHER) {
            return jb_fail(err, JB_E_FORMAT,
                           "%s/requires has a line that this version does not understand: "
                           "\"%s\". Use a newer jangbu",
                           dir, line.word);
        }
        if (line.kind == LINE_READ || write) {
            return jb_fail(err, JB_E_FORMAT,
                           line.kind == LINE_READ
                               ? "%s asks who reads it for \"%s\" (its file `requires`), which "
                                 "this version does not know. Use a newer jangbu"
                               : "%s asks who writes to it for \"%s\" (its file `requires`), "
                                 "which this version does not know. Use a newer jangbu",
                           dir, line.word);
        }
    }
    if (status != JB_OK || !write) {
        return status;
    }
    return text.there && lines == 0 ? without_line(dir, err) : check_cluster(dir, err);
}

jb_status
jb_requires_copy(const char *dir, const char *dest, struct jb_error *err)
{
    struct text text;
    char kept[FILE_BYTES_MAX + 1], path[4096];
    size_t kept_n = 0;
    struct line line;
    jb_status status = read_file(dir, &text, err);
    while (status == JB_OK && next_line(&text, &line)) {
        if (line.kind == LINE_OTHER) {
            return jb_fail(err, JB_E_FORMAT,
                           "%s/requires changed, and has a line that this version does not "
                           "understand: \"%s\"",
                           dir, line.word);
        }
        if (line.kind == LINE_READ) {
            kept_n += (size_t)snprintf(kept + kept_n, sizeof kept - kept_n, "read %s\n", line.word);
        }
    }
    if (status != JB_OK || kept_n == 0) {
        return status;
    }
    snprintf(path, sizeof path, "%s/requires", dest);
    int fd = jb_descriptor_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    bool ok = fd >= 0 && write(fd, kept, kept_n) == (ssize_t)kept_n && fsync(fd) == 0;
    int code = ok ? 0 : errno;
    if (fd >= 0) {
        close(fd);
    }
    return ok ? JB_OK : jb_fail_errno(err, JB_E_IO, code, "cannot make %s", path);
}

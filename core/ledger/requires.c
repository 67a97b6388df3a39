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

/* The whole file, ended by NUL. *ret_n 0: there is none, or it is empty. */
static jb_status
read_file(const char *dir, char text[FILE_BYTES_MAX + 1], size_t *ret_n, struct jb_error *err)
{
    char path[4096];
    *ret_n = 0;
    snprintf(path, sizeof path, "%s/requires", dir);
    int fd = jb_descriptor_open(path, O_RDONLY, 0);
    if (fd < 0 && errno == ENOENT) {
        return JB_OK;
    }
    ssize_t n = fd >= 0 ? read(fd, text, FILE_BYTES_MAX + 1) : -1;
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
    text[n] = '\0';
    *ret_n = (size_t)n;
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

/* The line at *at, and steps over it. False at the end. Empty lines are passed over. */
static bool
next_line(const char **at, struct line *ret)
{
    while (**at == '\n') {
        (*at)++;
    }
    size_t n = strcspn(*at, "\n");
    const char *line = *at;
    *at += n;
    *ret = (struct line){.kind = LINE_OTHER};
    if (n > 5 && strncmp(line, "read ", 5) == 0 && is_word(line + 5, n - 5)) {
        ret->kind = LINE_READ;
        memcpy(ret->word, line + 5, n - 5);
    } else if (n > 6 && strncmp(line, "write ", 6) == 0 && is_word(line + 6, n - 6)) {
        ret->kind = LINE_WRITE;
        memcpy(ret->word, line + 6, n - 6);
    } else {
        memcpy(ret->word, line, n < WORD_BYTES_MAX ? n : WORD_BYTES_MAX);
    }
    return n > 0;
}

static jb_status
check_cluster(const char *dir, struct jb_error *err)
{
    char path[4096];
    struct stat st;
    snprintf(path, sizeof path, "%s/cluster", dir);
    if (stat(path, &st) != 0) {
        return errno == ENOENT
                   ? JB_OK
                   : jb_fail_errno(err, JB_E_IO, errno, "cannot tell whether there is a %s", path);
    }
    return jb_fail(err, JB_E_FORMAT,
                   "%s is part of a cluster (it has a file `cluster`): this program writes to a "
                   "ledger on its own only, and would part it from the others",
                   dir);
}

jb_status
jb_requires_check(const char *dir, bool write, struct jb_error *err)
{
    char text[FILE_BYTES_MAX + 1];
    size_t n;
    jb_status status = read_file(dir, text, &n, err);
    struct line line;
    for (const char *at = text; status == JB_OK && n > 0 && next_line(&at, &line);) {
        if (line.kind == LINE_OTHER) {
            return jb_fail(err, JB_E_FORMAT,
                           "%s/requires has a line that this version does not understand: "
                           "\"%s\". Use a newer jangbu",
                           dir, line.word);
        }
        if (line.kind == LINE_READ || write) {
            return jb_fail(err, JB_E_FORMAT,
                           "%s asks who %s it for \"%s\" (its file `requires`), which this version "
                           "does not know. Use a newer jangbu",
                           dir, line.kind == LINE_READ ? "reads" : "writes to", line.word);
        }
    }
    return status == JB_OK && write ? check_cluster(dir, err) : status;
}

jb_status
jb_requires_copy(const char *dir, const char *dest, struct jb_error *err)
{
    char text[FILE_BYTES_MAX + 1], kept[FILE_BYTES_MAX + 1], path[4096];
    size_t n, kept_n = 0;
    jb_status status = read_file(dir, text, &n, err);
    struct line line;
    for (const char *at = text; status == JB_OK && n > 0 && next_line(&at, &line);) {
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

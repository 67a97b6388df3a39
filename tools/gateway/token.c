/* jangbud token: makes tokens. The token itself is printed once and stands nowhere. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "auth_inner.h"
#include "lang.h"
#include "parse.h"

#define SECRET_BYTES 32
#define TOKEN_PREFIX "jbt_"
#define TOKEN_BYTES                                                                                \
    (sizeof TOKEN_PREFIX +                                                                         \
     sodium_base64_ENCODED_LEN(SECRET_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING))

/* What may stand behind `new NAME`, and the option of the line that it becomes. */
static const struct {
    const char *flag, *option;
} flags[] = {{"--scope", "scopes"},    {"--caller", "caller"}, {"--role", "role"},
             {"--wallets", "wallets"}, {"--rate", "rate"},     {"--uid", NULL}};
#define FLAGS (sizeof flags / sizeof flags[0])
enum { SCOPE = 0, UID = FLAGS - 1 };

struct asked_for {
    const char *name;
    bool said;                               /* what is wrong */
    char value[FLAGS][TOKEN_LINE_BYTES / 2]; /* "": not given */
};

static int
say(const char *what, const char *which)
{
    fprintf(stderr, "jangbud: %s%s%s\n", which != NULL ? which : "", which != NULL ? ": " : "",
            what);
    return 2;
}

static int
usage(void)
{
    return say(tr("token new NAME --scope WORD[,WORD...] [--scope ...] [--caller C] [--role R] "
                  "[--wallets PREFIX] [--rate N] [--uid N]; `jangbud token --help` says what they "
                  "may be"),
               NULL);
}

static int
no_such(const char *word)
{
    char why[160];
    snprintf(why, sizeof why, tr("token %.64s is nothing that can be done; do you mean token new?"),
             word);
    return say(why, NULL);
}

/* Scopes may come in several flags. */
static bool
value_add(struct asked_for *a, size_t flag, const char *value)
{
    char *to = a->value[flag];
    const size_t n = strlen(to);
    const bool again = n > 0;
    if (value == NULL || value[0] == '\0' || strpbrk(value, " \t\r\n#") != NULL ||
        n + strlen(value) + 2 > sizeof a->value[flag] || (again && flag != SCOPE)) {
        return false;
    }
    snprintf(to + n, sizeof a->value[flag] - n, "%s%s", again ? "," : "", value);
    return true;
}

static const char *
nth_flag(unsigned i)
{
    return i < FLAGS ? flags[i].flag : NULL;
}

static bool
no_flag(const char *word, size_t n)
{
    const char *near = nearest_word(word, n, nth_flag);
    char why[160];
    if (near != NULL) {
        snprintf(why, sizeof why, tr("there is no option %.64s; do you mean %s?"), word, near);
    } else {
        snprintf(why, sizeof why, tr("there is no option %.80s"), word);
    }
    say(why, NULL);
    return false;
}

/* Takes `--flag VALUE` and `--flag=VALUE`. */
static bool
flags_read(struct asked_for *a, int argc, char *const *argv)
{
    for (int i = 0; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        const size_t n = equals != NULL ? (size_t)(equals - argv[i]) : strlen(argv[i]);
        size_t flag = 0;
        while (flag < FLAGS &&
               (strlen(flags[flag].flag) != n || memcmp(flags[flag].flag, argv[i], n) != 0)) {
            flag++;
        }
        if (flag == FLAGS && argv[i][0] != '-' && a->name == NULL) {
            a->name = argv[i];
            continue;
        }
        if (flag == FLAGS) {
            a->said = true;
            return no_flag(argv[i], n);
        }
        const char *value = equals != NULL ? equals + 1 : i + 1 < argc ? argv[++i] : NULL;
        if (!value_add(a, flag, value)) {
            return false;
        }
    }
    return a->name != NULL && a->value[SCOPE][0] != '\0' && strpbrk(a->name, " \t\r\n#") == NULL;
}

/* token "": the line is of a user of the Unix socket. */
static bool
line_make(const struct asked_for *a, char token[TOKEN_BYTES], char line[TOKEN_LINE_BYTES])
{
    uint8_t secret[SECRET_BYTES], hash[TOKEN_HASH_BYTES];
    char proof[80];
    token[0] = '\0';
    if (a->value[UID][0] != '\0') {
        snprintf(proof, sizeof proof, "uid:%.60s", a->value[UID]);
    } else {
        randombytes_buf(secret, sizeof secret);
        memcpy(token, TOKEN_PREFIX, sizeof TOKEN_PREFIX);
        sodium_bin2base64(token + sizeof TOKEN_PREFIX - 1, TOKEN_BYTES - sizeof TOKEN_PREFIX,
                          secret, sizeof secret, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        sodium_memzero(secret, sizeof secret);
        token_hash(token, strlen(token), hash);
        memcpy(proof, "sha256:", sizeof "sha256:");
        sodium_bin2hex(proof + 7, sizeof proof - 7, hash, sizeof hash);
    }
    int n = snprintf(line, TOKEN_LINE_BYTES, "%s %s", a->name, proof);
    for (size_t i = 0; i < UID && n < (int)TOKEN_LINE_BYTES; i++) {
        if (a->value[i][0] != '\0') {
            n += snprintf(line + n, TOKEN_LINE_BYTES - (size_t)n, " %s=%s", flags[i].option,
                          a->value[i]);
        }
    }
    return n < (int)TOKEN_LINE_BYTES;
}

static bool
all_written(int fd, const char *s, size_t n)
{
    while (n > 0) {
        const ssize_t w = write(fd, s, n);
        if (w <= 0 && errno != EINTR) {
            return false;
        }
        s += w > 0 ? w : 0;
        n -= w > 0 ? (size_t)w : 0;
    }
    return true;
}

/* The file anew, beside the old one and then in its place. */
static bool
file_replace(const char *path, const char *old, size_t old_n, const char *line)
{
    char beside[4096], folder[4096];
    const int n = snprintf(beside, sizeof beside, "%s.new", path);
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (n < 0 || (size_t)n >= sizeof beside || (unlink(beside) != 0 && errno != ENOENT)) {
        return false;
    }
    const int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return false;
    }
    const bool ended = old_n == 0 || old[old_n - 1] == '\n';
    bool ok = all_written(fd, old, old_n) && (ended || all_written(fd, "\n", 1)) &&
              all_written(fd, line, strlen(line)) && all_written(fd, "\n", 1) && fsync(fd) == 0;
    ok = close(fd) == 0 && ok && rename(beside, path) == 0;
    if (!ok) {
        unlink(beside);
        return false;
    }
    if (slash != NULL) {
        slash[slash == folder ? 1 : 0] = '\0';
    }
    const int dir = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ok = dir >= 0 && fsync(dir) == 0;
    if (dir >= 0) {
        close(dir);
    }
    return ok;
}

/* Under a lock of its own, so that of two that come at once neither is lost. */
static int
line_add(const char *path, const char *line)
{
    char lock_path[4096], *old = NULL;
    size_t old_n = 0;
    struct jb_error err = {.status = JB_OK};
    snprintf(lock_path, sizeof lock_path, "%s.lock", path);
    const int lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0 || flock(lock, LOCK_EX) != 0) {
        const int why = errno;
        if (lock >= 0) {
            close(lock);
        }
        return say(strerror(why), lock_path);
    }
    const jb_status status = token_file_read(path, &old, &old_n, &err);
    int ret = 0;
    if (status != JB_OK && status != JB_E_NOTFOUND) {
        ret = say(err.text, NULL);
    } else if (!file_replace(path, old != NULL ? old : "", old_n, line)) {
        ret = say(strerror(errno), path);
    }
    free(old);
    close(lock);
    return ret;
}

/* It would make a file that the daemon does not read: a name or a uid that is there already. */
static int
line_check(const char *path, const char *line)
{
    char copy[TOKEN_LINE_BYTES], why[300] = "";
    struct entry fresh, entry;
    char *text = NULL;
    size_t n;
    bool empty;
    struct jb_error err;
    snprintf(copy, sizeof copy, "%s", line);
    if (!token_line_read(copy, &fresh, &empty, why, sizeof why)) {
        return say(why, NULL);
    }
    if (token_file_read(path, &text, &n, &err) != JB_OK) {
        return 0; /* line_add says what there is to say */
    }
    int ret = 0;
    for (char *at = text; at != NULL && ret == 0;) {
        char *end = strchr(at, '\n');
        if (end != NULL) {
            *end++ = '\0';
        }
        if (token_line_read(at, &entry, &empty, why, sizeof why) && !empty &&
            (strcmp(entry.who.name, fresh.who.name) == 0 ||
             (entry.by_uid && fresh.by_uid && entry.uid == fresh.uid))) {
            ret = say(tr("there is a line of that name, or of that user, already"), fresh.who.name);
        }
        at = end;
    }
    free(text);
    return ret;
}

int
token_main(const char *path, int argc, char *const *argv)
{
    struct asked_for asked = {.name = NULL};
    char token[TOKEN_BYTES], line[TOKEN_LINE_BYTES];
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            token_help(stdout);
            return 0;
        }
    }
    if (argc < 1 || strcmp(argv[0], "new") != 0) {
        return argc < 1 ? usage() : no_such(argv[0]);
    }
    if (path == NULL || path[0] == '\0') {
        return say(tr("say with --tokens in which file"), NULL);
    }
    if (sodium_init() < 0) {
        return say(tr("libsodium does not begin"), NULL);
    }
    if (!flags_read(&asked, argc - 1, argv + 1)) {
        return asked.said ? 2 : usage();
    }
    if (!line_make(&asked, token, line)) {
        return say(tr("that is too long for a line"), NULL);
    }
    int ret = line_check(path, line);
    ret = ret == 0 ? line_add(path, line) : ret;
    if (ret == 0 && token[0] != '\0') {
        printf("%s\n", token);
    }
    sodium_memzero(token, sizeof token);
    return ret;
}

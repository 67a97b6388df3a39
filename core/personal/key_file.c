#include "personal/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "storage/descriptors.h"

#define WORD "jangbu-key-1"
#define LINE_BYTES_MAX 160
/* Two lines, and one byte more: what is longer is no key file. */
#define FILE_BYTES_MAX (2 * LINE_BYTES_MAX)
#define ID_CHARACTERS 32
#define ASIDE_BYTES 4 /* of a ledger id, in the name of a key that was put aside */
#define VARIANT sodium_base64_VARIANT_ORIGINAL
#define KEY_CHARACTERS 44
#define EPOCH_MAX UINT64_C(999999999999)

char *
jb_key_file_default(const char *dir)
{
    char *real = realpath(dir, NULL), *path = NULL;
    if (real == NULL || asprintf(&path, "%s.key", real) < 0) {
        path = NULL;
    }
    free(real);
    return path;
}

void
jb_key_make(uint64_t epoch, struct jb_people_key *ret)
{
    ret->epoch = epoch;
    randombytes_buf(ret->key, sizeof ret->key);
}

void
jb_key_file_wipe(struct jb_key_file *k)
{
    sodium_memzero(k, sizeof *k);
}

/* The directory that a path names something in; NULL: no memory. The caller frees it. */
static char *
folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL   ? strdup(".")
           : slash == path ? strdup("/")
                           : strndup(path, (size_t)(slash - path));
}

/* ---- names ---- */

/* Where it is before it has its name. NULL: no memory. */
static char *
new_name(const char *path)
{
    char *made = NULL;
    return asprintf(&made, "%s.new", path) >= 0 ? made : NULL;
}

/* Where the key of another ledger goes that lies there. NULL: no memory. */
static char *
aside_name(const char *made, const uint8_t ledger_id[16])
{
    char *aside = NULL, id[2 * ASIDE_BYTES + 1];
    sodium_bin2hex(id, sizeof id, ledger_id, ASIDE_BYTES);
    return asprintf(&aside, "%s.%s", made, id) >= 0 ? aside : NULL;
}

static bool
is_file(int fd, const char *path)
{
    struct stat own, named;
    return fstat(fd, &own) == 0 && lstat(path, &named) == 0 && own.st_ino == named.st_ino &&
           own.st_dev == named.st_dev;
}

static int
sync_folder(const char *path)
{
    char *folder = folder_of(path);
    int fd = folder != NULL ? jb_descriptor_open(folder, O_RDONLY | O_DIRECTORY, 0) : -1;
    int code = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0) {
        close(fd);
    }
    free(folder);
    return code == EINVAL ? 0 : code; /* some file systems have nothing to sync there */
}

/* A whole file gets a name that no other has. 0, or errno: EEXIST. */
static int
give_name(const char *made, const char *path)
{
    struct stat st;
    if (link(made, path) == 0) {
        return 0;
    }
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK) {
        return errno;
    }
    /* A file system without a second name for a file. */
    return lstat(path, &st) == 0 ? EEXIST : rename(made, path) == 0 ? 0 : errno;
}

/* ---- reading ---- */

static bool
take_word(const char **at, const char *word)
{
    size_t n = strlen(word);
    bool is = strncmp(*at, word, n) == 0;
    *at += is ? n : 0;
    return is;
}

static bool
take_id(const char **at, uint8_t ret[16])
{
    size_t n = 0;
    return strnlen(*at, ID_CHARACTERS) == ID_CHARACTERS &&
           sodium_hex2bin(ret, 16, *at, ID_CHARACTERS, NULL, &n, at) == 0 && n == 16;
}

static bool
take_epoch(const char **at, uint64_t *ret)
{
    const char *begin = *at;
    for (*ret = 0; **at >= '0' && **at <= '9' && *ret <= EPOCH_MAX / 10; ++*at) {
        *ret = *ret * 10 + (uint64_t)(**at - '0');
    }
    return *at != begin && *begin != '0' && (**at < '0' || **at > '9');
}

static bool
take_key(const char **at, uint8_t ret[JB_KEY_BYTES])
{
    size_t n = 0;
    return strnlen(*at, KEY_CHARACTERS) == KEY_CHARACTERS &&
           sodium_base642bin(ret, JB_KEY_BYTES, *at, KEY_CHARACTERS, NULL, &n, at, VARIANT) == 0 &&
           n == JB_KEY_BYTES;
}

static bool
take_line(const char **at, uint8_t ret_id[16], struct jb_people_key *ret)
{
    return take_word(at, WORD " ") && take_id(at, ret_id) && take_word(at, " ") &&
           take_epoch(at, &ret->epoch) && take_word(at, " ") && take_key(at, ret->key) &&
           take_word(at, "\n");
}

static jb_status
not_read(struct jb_error *err, int code, const char *path)
{
    return code == ENOENT ? jb_fail(err, JB_E_KEY, "there is no key file %s", path)
                          : jb_fail_errno(err, JB_E_KEY, code, "cannot read the key file %s", path);
}

static jb_status
check_kind(const char *path, const struct stat *st, struct jb_error *err)
{
    if (!S_ISREG(st->st_mode)) {
        return jb_fail(err, JB_E_KEY, "the key file %s is no file", path);
    }
    if (st->st_uid != geteuid()) {
        return jb_fail(err, JB_E_KEY, "the key file %s belongs to another user", path);
    }
    if ((st->st_mode & 077) != 0) {
        return jb_fail(err, JB_E_KEY,
                       "the key file %s can be used by others (mode %04o): chmod 600 it, and think "
                       "of who may have read it",
                       path, (unsigned)(st->st_mode & 07777));
    }
    return JB_OK;
}

/* Inside of the ledger it would go wherever that is copied to. */
static jb_status
check_outside(const char *path, const char *dir, struct jb_error *err)
{
    errno = 0;
    char *named = folder_of(path), *folder = named != NULL ? realpath(named, NULL) : NULL;
    char *ledger = folder != NULL ? realpath(dir, NULL) : NULL;
    int code = errno;
    bool known = folder != NULL && ledger != NULL;
    size_t n = known ? strlen(ledger) : 0;
    bool inside = known && strncmp(folder, ledger, n) == 0 &&
                  (folder[n] == '\0' || folder[n] == '/' || n == 1);
    free(ledger);
    free(folder);
    free(named);
    return inside  ? jb_fail(err, JB_E_KEY,
                             "the key file %s lies inside of the ledger: it would go wherever that "
                              "is copied to",
                             path)
           : known ? JB_OK
           : code == ENOMEM
               ? jb_fail(err, JB_E_NOMEM, "no memory to look for the key file %s", path)
               : jb_fail(err, JB_E_KEY, "there is no directory for the key file %s", path);
}

/* Until the end, or one byte more than it may have; -1 with errno. */
static ssize_t
read_all(int fd, char *bytes, size_t max)
{
    size_t have = 0;
    while (have < max) {
        ssize_t got = read(fd, bytes + have, max - have);
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

/* Whose key it may be. */
enum whose { OF_THIS_LEDGER, OF_ANOTHER };

static jb_status
parse(const char *path, const char *bytes, const uint8_t ledger_id[16], struct jb_key_file *ret,
      enum whose *ret_whose, struct jb_error *err)
{
    uint8_t id[16] = {0};
    const char *at = bytes;
    ret->n = 0;
    while (*at != '\0') {
        if (ret->n == JB_KEYS_MAX || !take_line(&at, id, &ret->keys[ret->n])) {
            return jb_fail(err, JB_E_KEY,
                           "the key file %s is damaged, or half of it is missing: put it back from "
                           "where keys are kept",
                           path);
        }
        if (memcmp(id, ledger_id, sizeof id) != 0) {
            *ret_whose = OF_ANOTHER;
            return jb_fail(err, JB_E_KEY, "the key file %s is that of another ledger", path);
        }
        ret->n++;
    }
    if (ret->n == 0 || (ret->n == 2 && ret->keys[1].epoch != ret->keys[0].epoch + 1)) {
        return jb_fail(err, JB_E_KEY,
                       "the key file %s has no key, or keys that do not belong "
                       "together",
                       path);
    }
    return JB_OK;
}

static int
open_to_read(const char *path)
{
    int fd;
    do {
        fd = jb_descriptor_open_locking(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

static jb_status
read_opened(int fd, const char *path, const char *dir, const uint8_t ledger_id[16],
            struct jb_key_file *ret, enum whose *ret_whose, struct jb_error *err)
{
    char bytes[FILE_BYTES_MAX + 2];
    struct stat st;
    *ret_whose = OF_THIS_LEDGER;
    jb_status status =
        fstat(fd, &st) == 0 ? check_kind(path, &st, err) : not_read(err, errno, path);
    ssize_t got = status == JB_OK ? read_all(fd, bytes, FILE_BYTES_MAX + 1) : 0;
    if (got < 0) {
        status = not_read(err, errno, path);
    }
    status = status == JB_OK ? check_outside(path, dir, err) : status;
    if (status == JB_OK) {
        size_t n = (size_t)got < sizeof bytes ? (size_t)got : 0;
        bytes[n] = '\0';
        status = strlen(bytes) == n && n <= FILE_BYTES_MAX
                     ? parse(path, bytes, ledger_id, ret, ret_whose, err)
                     : jb_fail(err, JB_E_KEY, "%s is no key file", path);
    }
    sodium_memzero(bytes, sizeof bytes);
    if (status != JB_OK) {
        jb_key_file_wipe(ret);
    }
    return status;
}

static jb_status
read_named(const char *path, const char *dir, const uint8_t ledger_id[16], struct jb_key_file *ret,
           enum whose *ret_whose, struct jb_error *err)
{
    int fd = open_to_read(path);
    *ret_whose = OF_THIS_LEDGER;
    jb_status status = fd >= 0 ? read_opened(fd, path, dir, ledger_id, ret, ret_whose, err)
                               : not_read(err, errno, path);
    jb_descriptor_close(fd);
    return status;
}

/* Reads this ledger's key that lies under another name, and gives it the name `path`, if no file
 * has that. False: it is not there. Its maker, while he lives, does that himself; and where it
 * cannot be done, the next one does it: with either name it is whole. */
static bool
adopt(const char *made, const char *path, const char *dir, const uint8_t ledger_id[16],
      struct jb_key_file *ret)
{
    struct jb_error ignored;
    enum whose whose;
    int fd = open_to_read(made);
    bool ok = fd >= 0 && read_opened(fd, made, dir, ledger_id, ret, &whose, &ignored) == JB_OK;
    if (ok && flock(fd, LOCK_EX | LOCK_NB) == 0 && is_file(fd, made) && fsync(fd) == 0 &&
        give_name(made, path) == 0) {
        (void)sync_folder(path);
        if (is_file(fd, made)) {
            unlink(made);
        }
    }
    jb_descriptor_close(fd);
    return ok;
}

/* An init that was killed once the ledger was there: its key has not got its name yet, or was put
 * aside by an init that found it. */
static bool
adopt_new(const char *path, const char *dir, const uint8_t ledger_id[16], struct jb_key_file *ret)
{
    char *made = new_name(path), *aside = made != NULL ? aside_name(made, ledger_id) : NULL;
    bool ok = aside != NULL &&
              (adopt(made, path, dir, ledger_id, ret) || adopt(aside, path, dir, ledger_id, ret));
    free(aside);
    free(made);
    return ok;
}

jb_status
jb_key_file_read(const char *path, const char *dir, const uint8_t ledger_id[16],
                 struct jb_key_file *ret, struct jb_error *err)
{
    struct stat st;
    enum whose whose;
    ret->n = 0;
    if (stat(path, &st) != 0 && errno == ENOENT && adopt_new(path, dir, ledger_id, ret)) {
        return JB_OK;
    }
    return read_named(path, dir, ledger_id, ret, &whose, err);
}

char *
jb_key_file_find(const char *path, const char *dir, const uint8_t ledger_id[16])
{
    struct jb_error ignored;
    struct jb_key_file keys;
    enum whose whose;
    if (read_named(path, dir, ledger_id, &keys, &whose, &ignored) == JB_OK || whose != OF_ANOTHER) {
        jb_key_file_wipe(&keys);
        return strdup(path);
    }
    char *made = new_name(path), *aside = made != NULL ? aside_name(made, ledger_id) : NULL;
    bool found = aside != NULL &&
                 (adopt(made, aside, dir, ledger_id, &keys) ||
                  read_named(aside, dir, ledger_id, &keys, &whose, &ignored) == JB_OK) &&
                 read_named(aside, dir, ledger_id, &keys, &whose, &ignored) == JB_OK;
    jb_key_file_wipe(&keys);
    free(made);
    if (found || aside == NULL) {
        return aside;
    }
    free(aside);
    return strdup(path);
}

/* ---- a FILE.new that is in the way ---- */

enum content { UNFINISHED, A_KEY, NO_KEY, NOT_READ };

/* A key is on disk before anything is sealed by it: half of its first line opens nothing, and
 * neither does a length whose bytes a crash of the machine has lost. What is longer than a key file
 * was never one, whatever it begins with. */
static enum content
content_of(int fd, uint8_t ret_id[16])
{
    char bytes[FILE_BYTES_MAX + 2];
    struct jb_people_key key;
    struct stat st;
    if (fstat(fd, &st) != 0 || (S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_SET) != 0)) {
        return NOT_READ;
    }
    ssize_t got = S_ISREG(st.st_mode) ? read_all(fd, bytes, FILE_BYTES_MAX + 1) : 0;
    if (got < 0) {
        return NOT_READ;
    }
    size_t n = (size_t)got;
    while (n > 0 && bytes[n - 1] == '\0') {
        n--;
    }
    bytes[n] = '\0';
    const char *at = bytes;
    size_t begun = n < strlen(WORD " ") ? n : strlen(WORD " ");
    bool is_key = take_line(&at, ret_id, &key);
    bool is_half = st.st_size <= FILE_BYTES_MAX && n < LINE_BYTES_MAX &&
                   strncmp(bytes, WORD " ", begun) == 0 && memchr(bytes, '\n', n) == NULL &&
                   memchr(bytes, '\0', n) == NULL;
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(&key, sizeof key);
    return !S_ISREG(st.st_mode) ? NO_KEY : is_key ? A_KEY : is_half ? UNFINISHED : NO_KEY;
}

static bool
same_content(const char *one, const char *other)
{
    char a[FILE_BYTES_MAX + 1], b[FILE_BYTES_MAX + 1];
    int of_one = open_to_read(one), of_other = open_to_read(other);
    ssize_t n = of_one >= 0 ? read_all(of_one, a, sizeof a) : -1;
    bool same = n >= 0 && n < (ssize_t)sizeof a && of_other >= 0 &&
                read_all(of_other, b, sizeof b) == n && memcmp(a, b, (size_t)n) == 0;
    sodium_memzero(a, sizeof a);
    sodium_memzero(b, sizeof b);
    jb_descriptor_close(of_one);
    jb_descriptor_close(of_other);
    return same;
}

static jb_status
not_moved(struct jb_error *err, int code, const char *made)
{
    return jb_fail_errno(err, code == ENOMEM ? JB_E_NOMEM : JB_E_KEY, code,
                         "%s holds the key of another ledger, and cannot be put aside", made);
}

/* A ledger may be there that nobody has opened since, and this is its only key. */
static jb_status
put_aside(const char *made, const uint8_t ledger_id[16], struct jb_error *err)
{
    char *aside = aside_name(made, ledger_id);
    if (aside == NULL) {
        return not_moved(err, ENOMEM, made);
    }
    int code = give_name(made, aside);
    jb_status status = JB_OK;
    if (code == EEXIST && !same_content(made, aside)) {
        status = jb_fail(err, JB_E_EXISTS,
                         "%s holds the key of another ledger, and %s is there already: put one of "
                         "them where keys are kept",
                         made, aside);
    } else if (code != 0 && code != EEXIST) {
        status = not_moved(err, code, made);
    }
    code = status == JB_OK ? sync_folder(made) : 0;
    if (code == 0 && status == JB_OK && unlink(made) != 0 && errno != ENOENT) {
        code = errno;
    }
    free(aside);
    return code == 0 ? status : not_moved(err, code, made);
}

static jb_status
in_the_way(struct jb_error *err, jb_status status, const char *made)
{
    return jb_fail(err, status,
                   "%s is in the way, and is no key: the key file has that name until it is whole. "
                   "Move it elsewhere, or take another key file",
                   made);
}

/* ---- writing ---- */

static size_t
print(const struct jb_key_file *k, const uint8_t ledger_id[16], char ret[FILE_BYTES_MAX + 1])
{
    size_t n = 0;
    for (unsigned i = 0; i < k->n; i++) {
        char id[ID_CHARACTERS + 1], key[KEY_CHARACTERS + 1];
        sodium_bin2hex(id, sizeof id, ledger_id, 16);
        sodium_bin2base64(key, sizeof key, k->keys[i].key, JB_KEY_BYTES, VARIANT);
        n += (size_t)snprintf(ret + n, LINE_BYTES_MAX, WORD " %s %llu %s\n", id,
                              (unsigned long long)k->keys[i].epoch, key);
        sodium_memzero(key, sizeof key);
    }
    return n;
}

/* 0, or errno. */
static int
write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return done < 0 ? errno : ENOSPC;
        }
        bytes += done;
        n -= (size_t)done;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

static jb_status
not_written(struct jb_error *err, int code, const char *path)
{
    jb_status status = code == ENOSPC || code == EDQUOT ? JB_E_FULL
                       : code == EACCES || code == EROFS || code == EPERM || code == ENOENT
                           ? JB_E_KEY
                       : code == ENOMEM ? JB_E_NOMEM
                                        : JB_E_IO;
    return jb_fail_errno(err, status, code, "cannot write the key file %s", path);
}

/* 0, or errno; what was made is gone then. */
static int
write_file(const char *path, const uint8_t ledger_id[16], const struct jb_key_file *keys)
{
    char bytes[FILE_BYTES_MAX + 1];
    size_t n = print(keys, ledger_id, bytes);
    int fd = jb_descriptor_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    int code = fd < 0 ? errno : write_all(fd, bytes, n);
    sodium_memzero(bytes, sizeof bytes);
    if (fd >= 0) {
        close(fd);
        if (code != 0) {
            unlink(path);
        }
    }
    return code;
}

static jb_status
exists(const char *path, struct jb_error *err)
{
    return jb_fail(err, JB_E_EXISTS,
                   "there is a file %s already, and a key is never written over: take another "
                   "name, or remove it if no ledger needs it",
                   path);
}

/* ---- of a ledger that is being made ---- */

/* Opened and locked: who made it and was killed holds no lock any more. JB_END: it got its name
 * meanwhile. */
static jb_status
lock_one(const char *made, int *ret, struct jb_error *err)
{
    *ret = jb_descriptor_open_locking(made, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (*ret < 0) {
        return errno == ELOOP || errno == EISDIR || errno == ENXIO
                   ? in_the_way(err, JB_E_EXISTS, made)
                   : not_written(err, errno, made);
    }
    if (flock(*ret, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return jb_fail(err, JB_E_BUSY, "another program is making the key file %s", made);
    }
    return is_file(*ret, made) ? JB_OK : JB_END;
}

/* What somebody left who was killed makes room. JB_OK: it is empty and may be written; JB_END: look
 * again. */
static jb_status
clear(int fd, const char *made, struct jb_error *err)
{
    uint8_t id[16];
    struct stat st;
    switch (content_of(fd, id)) {
    case NOT_READ:
        return not_written(err, errno, made);
    case NO_KEY:
        return in_the_way(err, JB_E_EXISTS, made);
    case A_KEY: {
        jb_status status = put_aside(made, id, err);
        return status == JB_OK ? JB_END : status;
    }
    case UNFINISHED:
        break;
    }
    bool plain = fstat(fd, &st) == 0 && st.st_nlink == 1 && st.st_uid == geteuid() &&
                 (st.st_mode & 07077) == 0;
    if (plain && lseek(fd, 0, SEEK_SET) == 0 && ftruncate(fd, 0) == 0) {
        return JB_OK;
    }
    return unlink(made) == 0 || errno == ENOENT ? JB_END : not_written(err, errno, made);
}

/* The file before it has its name, empty and locked. */
static jb_status
lock_new(const char *made, int *ret, struct jb_error *err)
{
    jb_status status = JB_END;
    for (int i = 0; i < 100 && status == JB_END; i++) {
        status = lock_one(made, ret, err);
        status = status == JB_OK ? clear(*ret, made, err) : status;
        if (status != JB_OK) {
            jb_descriptor_close(*ret);
            *ret = -1;
        }
    }
    return status == JB_END
               ? jb_fail(err, JB_E_BUSY, "another program is making the key file %s", made)
               : status;
}

jb_status
jb_key_file_begin(struct jb_key_making *m, const char *path, const char *dir,
                  const uint8_t ledger_id[16], const struct jb_key_file *keys, struct jb_error *err)
{
    char bytes[FILE_BYTES_MAX + 1];
    struct stat st;
    *m = (struct jb_key_making){.path = path, .fd = -1};
    jb_status status = check_outside(path, dir, err);
    if (status != JB_OK) {
        return status;
    }
    if (lstat(path, &st) == 0) {
        return exists(path, err);
    }
    m->made = new_name(path);
    if (m->made == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory to look for the key file %s", path);
    }
    status = lock_new(m->made, &m->fd, err);
    if (status != JB_OK) {
        free(m->made);
        m->made = NULL;
        return status;
    }
    size_t n = print(keys, ledger_id, bytes);
    int code = write_all(m->fd, bytes, n);
    sodium_memzero(bytes, sizeof bytes);
    code = code == 0 ? sync_folder(path) : code;
    return code == 0 ? JB_OK : jb_key_file_end(m, not_written(err, code, path), err);
}

jb_status
jb_key_file_end(struct jb_key_making *m, jb_status status, struct jb_error *err)
{
    if (m->fd < 0) {
        return status;
    }
    if (status == JB_OK) {
        int code = give_name(m->made, m->path);
        bool made = is_file(m->fd, m->made), named = is_file(m->fd, m->path);
        if (named && made) {
            unlink(m->made);
            (void)sync_folder(m->path);
        } else if (code == EEXIST && !named) {
            status = jb_fail(err, JB_E_EXISTS,
                             "a file %s was made meanwhile; the key of the new ledger is in %s",
                             m->path, m->made);
        } else if (!named && !made) {
            status = not_written(err, code != 0 ? code : ENOENT, m->path);
        } /* else it is on disk by one of its names, and whoever opens the ledger finds it */
    } else if (is_file(m->fd, m->made)) {
        unlink(m->made);
    } else if (is_file(m->fd, m->path)) {
        unlink(m->path); /* who opened what was a ledger for a moment gave it its name */
    }
    jb_descriptor_close(m->fd);
    free(m->made);
    *m = (struct jb_key_making){.fd = -1};
    return status;
}

jb_status
jb_key_file_make(const char *path, const char *dir, const uint8_t ledger_id[16],
                 const struct jb_key_file *keys, struct jb_error *err)
{
    struct jb_key_making m;
    jb_status status = jb_key_file_begin(&m, path, dir, ledger_id, keys, err);
    return status == JB_OK ? jb_key_file_end(&m, JB_OK, err) : status;
}

/* What lies where a file is to be made that replaces another one. JB_E_KEY: it is no key. */
static jb_status
look_at(const char *made, enum content *ret, uint8_t ret_id[16], struct jb_error *err)
{
    struct stat st;
    *ret = UNFINISHED;
    if (lstat(made, &st) != 0) {
        return errno == ENOENT ? JB_OK : not_written(err, errno, made);
    }
    int fd = S_ISREG(st.st_mode) ? open_to_read(made) : -1;
    *ret = !S_ISREG(st.st_mode) ? NO_KEY : fd < 0 ? NOT_READ : content_of(fd, ret_id);
    jb_status status = *ret == NOT_READ ? not_written(err, errno, made)
                       : *ret == NO_KEY ? in_the_way(err, JB_E_KEY, made)
                                        : JB_OK;
    jb_descriptor_close(fd);
    return status;
}

/* What a killed one left goes; the key of another ledger is put aside. */
static jb_status
make_room(const char *made, const uint8_t ledger_id[16], struct jb_error *err)
{
    uint8_t id[16];
    enum content content;
    jb_status status = look_at(made, &content, id, err);
    if (status == JB_OK && content == A_KEY && memcmp(id, ledger_id, sizeof id) != 0) {
        return put_aside(made, id, err);
    }
    return status != JB_OK || unlink(made) == 0 || errno == ENOENT ? status
                                                                   : not_written(err, errno, made);
}

/* Nothing is begun that could not be ended. */
static jb_status
check_beside(const char *real, struct jb_error *err)
{
    uint8_t id[16];
    enum content content;
    char *made = new_name(real);
    jb_status status =
        made != NULL ? look_at(made, &content, id, err)
                     : jb_fail(err, JB_E_NOMEM, "no memory to look for the key file %s", real);
    free(made);
    return status;
}

jb_status
jb_key_file_check_writable(const char *path, struct jb_error *err)
{
    char *real = realpath(path, NULL), *folder = real != NULL ? folder_of(real) : NULL;
    int code =
        folder != NULL && access(real, W_OK) == 0 && access(folder, W_OK | X_OK) == 0 ? 0 : errno;
    jb_status status =
        code == 0 ? check_beside(real, err)
                  : jb_fail_errno(
                        err, JB_E_KEY, code,
                        "the key file %s cannot be replaced, as each change of the key wants; it "
                        "and its directory have to be writable",
                        path);
    free(folder);
    free(real);
    return status;
}

jb_status
jb_key_file_replace(const char *path, const uint8_t ledger_id[16], const struct jb_key_file *keys,
                    struct jb_error *err)
{
    /* Through a symbolic link: the file itself is replaced, and the link stays. */
    char *real = realpath(path, NULL), *made = NULL;
    if (real == NULL || asprintf(&made, "%s.new", real) < 0) {
        int code = errno;
        free(real);
        return not_written(err, code, path);
    }
    jb_status status = make_room(made, ledger_id, err);
    int code = status == JB_OK ? write_file(made, ledger_id, keys) : 0;
    if (code == 0 && status == JB_OK && rename(made, real) != 0) {
        code = errno;
        unlink(made);
    }
    code = code == 0 && status == JB_OK ? sync_folder(real) : code;
    free(made);
    free(real);
    return status != JB_OK ? status : code == 0 ? JB_OK : not_written(err, code, path);
}

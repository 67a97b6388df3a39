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

static jb_status
parse(const char *path, const char *bytes, const uint8_t ledger_id[16], struct jb_key_file *ret,
      struct jb_error *err)
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
        fd = jb_descriptor_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

/* Closes fd. */
static jb_status
read_opened(int fd, const char *path, const char *dir, const uint8_t ledger_id[16],
            struct jb_key_file *ret, struct jb_error *err)
{
    char bytes[FILE_BYTES_MAX + 2];
    struct stat st;
    jb_status status =
        fstat(fd, &st) == 0 ? check_kind(path, &st, err) : not_read(err, errno, path);
    ssize_t got = status == JB_OK ? read_all(fd, bytes, FILE_BYTES_MAX + 1) : 0;
    if (got < 0) {
        status = not_read(err, errno, path);
    }
    close(fd);
    status = status == JB_OK ? check_outside(path, dir, err) : status;
    if (status == JB_OK) {
        size_t n = (size_t)got < sizeof bytes ? (size_t)got : 0;
        bytes[n] = '\0';
        status = strlen(bytes) == n && n <= FILE_BYTES_MAX
                     ? parse(path, bytes, ledger_id, ret, err)
                     : jb_fail(err, JB_E_KEY, "%s is no key file", path);
    }
    sodium_memzero(bytes, sizeof bytes);
    if (status != JB_OK) {
        jb_key_file_wipe(ret);
    }
    return status;
}

/* An init that was killed once the ledger was there: its key has not got its name yet. False: there
 * is none of this ledger. */
static bool
adopt_new(const char *path, const char *dir, const uint8_t ledger_id[16], struct jb_key_file *ret)
{
    struct jb_error ignored;
    char *made = new_name(path);
    int fd = made != NULL ? open_to_read(made) : -1;
    bool ok = fd >= 0 && read_opened(fd, made, dir, ledger_id, ret, &ignored) == JB_OK;
    if (ok && give_name(made, path) == 0) {
        /* Where it cannot, the next one does: with either name it is whole, and on disk. */
        unlink(made);
        (void)sync_folder(path);
    }
    free(made);
    return ok;
}

jb_status
jb_key_file_read(const char *path, const char *dir, const uint8_t ledger_id[16],
                 struct jb_key_file *ret, struct jb_error *err)
{
    ret->n = 0;
    int fd = open_to_read(path);
    if (fd < 0 && errno == ENOENT) {
        if (adopt_new(path, dir, ledger_id, ret)) {
            return JB_OK;
        }
        fd = open_to_read(path); /* somebody else may have given it its name in between */
    }
    return fd >= 0 ? read_opened(fd, path, dir, ledger_id, ret, err) : not_read(err, errno, path);
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

static bool
is_file(int fd, const char *path)
{
    struct stat own, named;
    return fstat(fd, &own) == 0 && lstat(path, &named) == 0 && own.st_ino == named.st_ino &&
           own.st_dev == named.st_dev;
}

/* The file before it has its name, empty and locked: who made it and was killed holds no lock any
 * more. -1 with errno; EWOULDBLOCK: another init is at it. */
static int
lock_new(const char *made)
{
    for (int i = 0; i < 100; i++) {
        int fd = jb_descriptor_open_locking(made, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
        struct stat st;
        if (fd < 0 && errno != ELOOP) {
            return -1;
        }
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            jb_descriptor_close(fd);
            errno = EWOULDBLOCK;
            return -1;
        }
        bool plain = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
                     st.st_uid == geteuid() && (st.st_mode & 07077) == 0;
        if (plain && is_file(fd, made) && ftruncate(fd, 0) == 0) {
            return fd;
        }
        /* Renamed meanwhile, or something else of that name. */
        if (fd < 0 || is_file(fd, made)) {
            unlink(made);
        }
        jb_descriptor_close(fd);
    }
    errno = EWOULDBLOCK;
    return -1;
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
    m->fd = lock_new(m->made);
    if (m->fd < 0) {
        int code = errno;
        free(m->made);
        m->made = NULL;
        return code == EWOULDBLOCK
                   ? jb_fail(err, JB_E_BUSY, "another program is making the key file %s", path)
                   : not_written(err, code, path);
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

jb_status
jb_key_file_check_writable(const char *path, struct jb_error *err)
{
    char *real = realpath(path, NULL), *folder = real != NULL ? folder_of(real) : NULL;
    int code =
        folder != NULL && access(real, W_OK) == 0 && access(folder, W_OK | X_OK) == 0 ? 0 : errno;
    free(folder);
    free(real);
    return code == 0
               ? JB_OK
               : jb_fail_errno(
                     err, JB_E_KEY, code,
                     "the key file %s cannot be replaced, as each change of the key wants; it and "
                     "its directory have to be writable",
                     path);
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
    int code = unlink(made) == 0 || errno == ENOENT ? 0 : errno; /* one that was killed left it */
    code = code == 0 ? write_file(made, ledger_id, keys) : code;
    if (code == 0 && rename(made, real) != 0) {
        code = errno;
        unlink(made);
    }
    code = code == 0 ? sync_folder(real) : code;
    free(made);
    free(real);
    return code == 0 ? JB_OK : not_written(err, code, path);
}

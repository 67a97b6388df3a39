#include "ledger/making.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/internal.h"
#include "storage/descriptors.h"
#include "storage/place.h"

#define STAGE ".making"

/* In the order in which they are moved. */
static const char *const moved[] = {"requires", "secret", "people.mdb", "log.mdb"};
#define MOVED (sizeof moved / sizeof moved[0])
#define LOG (MOVED - 1)

static bool
is_moved(const char *name)
{
    for (size_t i = 0; i < LOG; i++) {
        if (strcmp(name, moved[i]) == 0) {
            return true;
        }
    }
    return false;
}

struct contents {
    bool log, stage, moved, more;
};

static bool
look_into(const char *dir, struct contents *ret)
{
    DIR *d = opendir(dir);
    if (d == NULL) {
        return false;
    }
    *ret = (struct contents){0};
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        const char *name = e->d_name;
        bool self = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
        bool log = strcmp(name, "log.mdb") == 0, stage = strcmp(name, STAGE) == 0;
        ret->log |= log;
        ret->stage |= stage;
        ret->moved |= is_moved(name);
        ret->more |= !self && !log && !stage && !is_moved(name);
    }
    closedir(d);
    return true;
}

static void
unlink_in(const char *dir, const char *name)
{
    char path[4096 + 256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    unlink(path);
}

static void
clear_stage(const struct jb_making *m)
{
    DIR *d = opendir(m->stage);
    if (d == NULL) {
        return;
    }
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (e->d_name[0] != '.') {
            unlink_in(m->stage, e->d_name);
        }
    }
    closedir(d);
    rmdir(m->stage);
}

/* What a killed one, or this one, left: the log first, so that it is never without the others. */
static void
clear(const struct jb_making *m)
{
    for (size_t i = MOVED; i-- > 0;) {
        unlink_in(m->dir, moved[i]);
    }
    clear_stage(m);
}

static jb_status
cannot_make(struct jb_error *err, int code, const char *dir)
{
    jb_status status = code == ENOENT                                     ? JB_E_NOTFOUND
                       : code == EROFS || code == EACCES || code == EPERM ? JB_E_READONLY
                       : code == ENOSPC || code == EDQUOT                 ? JB_E_FULL
                                                                          : JB_E_IO;
    return jb_fail_errno(err, status, code, "cannot make %s", dir);
}

/* What is there and cannot be looked into; or it is the machine that cannot. */
static jb_status
not_looked_into(const struct jb_making *m, int os_errno, struct jb_error *err)
{
    if (os_errno == ENOMEM) {
        return jb_fail(err, JB_E_NOMEM, "no memory to look into %s", m->dir);
    }
    bool there = os_errno == ENOTDIR || os_errno == EACCES || os_errno == EPERM;
    return there ? jb_fail_errno(err, JB_E_EXISTS, os_errno,
                                 "%s exists and is not a directory that can be read", m->dir)
                 : jb_fail_errno(err, JB_E_IO, os_errno, "cannot look into %s", m->dir);
}

static jb_status
lock(struct jb_making *m, struct jb_error *err)
{
    m->fd = jb_descriptor_open_locking(m->dir, O_RDONLY | O_DIRECTORY, 0);
    if (m->fd < 0) {
        return not_looked_into(m, errno, err);
    }
    return flock(m->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK
               ? JB_OK
               : jb_fail(err, JB_E_BUSY, "another program is making a ledger or a backup in %s",
                         m->dir);
}

static jb_status
check_empty(const struct jb_making *m, bool backup, struct jb_error *err)
{
    struct contents c;
    if (!look_into(m->dir, &c)) {
        return not_looked_into(m, errno, err);
    }
    if (c.log && !backup) {
        return jb_fail(err, JB_E_EXISTS, "there is a ledger in %s already; nothing was changed",
                       m->dir);
    }
    if (!c.log && !c.more && (c.stage || !c.moved)) {
        return JB_OK;
    }
    return backup ? jb_fail(err, JB_E_EXISTS,
                            "%s exists and is not an empty directory; a backup overwrites nothing",
                            m->dir)
                  : jb_fail(err, JB_E_EXISTS,
                            "%s is not empty; a ledger needs a directory of its own", m->dir);
}

static void
leave(struct jb_making *m)
{
    jb_descriptor_close(m->fd);
    m->fd = -1;
}

static bool
has(const char *dir, const char *name)
{
    char path[4096 + 256];
    struct stat st;
    return snprintf(path, sizeof path, "%s/%s", dir, name) < (int)sizeof path &&
           lstat(path, &st) == 0;
}

/* A ledger inside of another one goes wherever that one is moved, and with it when it is removed.
 */
static jb_status
check_not_inside(const char *dir, struct jb_error *err)
{
    char *place = jb_place_absolute(dir);
    if (place == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory to make %s", dir);
    }
    size_t n = strlen(place);
    while (n > 1 && place[n - 1] == '/') {
        place[--n] = '\0';
    }
    char *slash = strrchr(place, '/');
    slash[slash == place] = '\0';
    char *above = realpath(place, NULL);
    free(place);
    jb_status status = JB_OK;
    while (status == JB_OK && above != NULL && above[1] != '\0') {
        if (has(above, "log.mdb") && (has(above, "lock") || has(above, "secret"))) {
            status = jb_fail(err, JB_E_USAGE,
                             "%s lies inside of the ledger %s; a ledger and a backup need a "
                             "directory of their own",
                             dir, above);
        }
        slash = strrchr(above, '/');
        slash[slash == above] = '\0';
    }
    free(above);
    return status; /* a directory that is not there is said by who makes it */
}

jb_status
jb_making_begin(struct jb_making *m, const char *dir, bool backup, struct jb_error *err)
{
    *m = (struct jb_making){.dir = dir, .fd = -1};
    if (snprintf(m->stage, sizeof m->stage, "%s/" STAGE, dir) >= (int)sizeof m->stage) {
        return jb_fail(err, JB_E_USAGE, "the path of the ledger is too long");
    }
    jb_status status = check_not_inside(dir, err);
    if (status != JB_OK) {
        return status;
    }
    m->made_dir = mkdir(dir, 0700) == 0;
    if (!m->made_dir && errno != EEXIST) {
        return cannot_make(err, errno, dir);
    }
    status = jb_place_check(dir, NULL, err);
    status = status == JB_OK ? lock(m, err) : status;
    status = status == JB_OK ? check_empty(m, backup, err) : status;
    if (status == JB_OK) {
        clear(m);
        status = mkdir(m->stage, 0700) == 0 ? JB_OK : cannot_make(err, errno, m->stage);
    }
    if (status != JB_OK) {
        if (m->made_dir) {
            rmdir(dir);
        }
        leave(m);
    }
    return status;
}

static jb_status
move(const struct jb_making *m, const char *name, struct jb_error *err)
{
    char from[4096 + 256], to[4096 + 256];
    snprintf(from, sizeof from, "%s/%s", m->stage, name);
    snprintf(to, sizeof to, "%s/%s", m->dir, name);
    return rename(from, to) == 0 || errno == ENOENT ? JB_OK : cannot_make(err, errno, to);
}

static jb_status
move_all(const struct jb_making *m, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (size_t i = 0; i < LOG && status == JB_OK; i++) {
        status = move(m, moved[i], err);
    }
    /* They are on disk before it is: with the log's name it is a ledger. */
    status = status == JB_OK ? jb_sync_dir(m->dir, err) : status;
    status = status == JB_OK ? move(m, moved[LOG], err) : status;
    if (status == JB_OK) {
        clear_stage(m);
        status = jb_sync_dir(m->dir, err);
    }
    return status;
}

jb_status
jb_making_end(struct jb_making *m, jb_status status, struct jb_error *err)
{
    status = status == JB_OK ? move_all(m, err) : status;
    if (status != JB_OK) {
        clear(m);
        if (m->made_dir) {
            rmdir(m->dir);
        }
    }
    leave(m);
    return status;
}

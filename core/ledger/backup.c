/* A copy of the ledger while it is in use: LMDB copies from a snapshot, so what is committed
 * meanwhile is simply not in it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/threads.h"
#include "ledger/internal.h"
#include "ledger/making.h"
#include "storage/descriptors.h"

struct copying {
    struct jb_env *env;
    jb_lang lang;
    int fd;
    jb_status status;
    struct jb_error err;
    _Atomic bool done;
};

static void *
copy(void *data)
{
    struct copying *c = data;
    jb_lang_set(c->lang);
    c->status = jb_env_copy(c->env, c->fd, &c->err);
    c->done = true;
    return NULL;
}

static jb_status
copy_env(struct jb_env *env, const char *path, uint64_t all, jb_progress on_progress, void *data,
         struct jb_error *err)
{
    struct copying c = {.env = env,
                        .lang = jb_lang_now,
                        .fd = jb_descriptor_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600)};
    if (c.fd < 0) {
        return jb_fail_errno(err, errno == ENOSPC ? JB_E_FULL : JB_E_IO, errno, "cannot make %s",
                             path);
    }
    pthread_t thread;
    if (!jb_thread_start(&thread, copy, &c)) {
        close(c.fd);
        return jb_fail_errno(err, JB_E_NOMEM, EAGAIN, "cannot start a thread");
    }
    while (!c.done && on_progress != NULL) {
        struct stat st;
        struct timespec pause = {0, 50 * 1000 * 1000};
        on_progress(data, fstat(c.fd, &st) == 0 ? (uint64_t)st.st_size : 0, all);
        nanosleep(&pause, NULL);
    }
    pthread_join(thread, NULL);
    close(c.fd);
    if (c.status != JB_OK && err != NULL) {
        *err = c.err;
    }
    return c.status;
}

static jb_status
copy_files(jb_ledger *l, const char *stage, jb_progress on_progress, void *data,
           struct jb_error *err)
{
    char path[4096 + 16];
    uint64_t tree, file;
    jb_status status = jb_log_size(l->log, &tree, &file, err);
    if (status != JB_OK) {
        return status;
    }
    /* The log first: every reference in it is then in people.mdb's copy, which is taken later. */
    snprintf(path, sizeof path, "%s/log.mdb", stage);
    status = copy_env(jb_log_env(l->log), path, tree, on_progress, data, err);
    if (status == JB_OK && jb_personal_env(l->personal) != NULL) {
        snprintf(path, sizeof path, "%s/people.mdb", stage);
        status = copy_env(jb_personal_env(l->personal), path, tree, NULL, NULL, err);
    }
    if (status == JB_OK && l->has_secret) {
        status = jb_secret_write(stage, l->secret, l->identity.ledger_id, err);
    }
    status = status == JB_OK ? jb_requires_copy(l->dir, stage, err) : status;
    return status;
}

jb_status
jb_backup(jb_ledger *l, const char *dest, jb_progress on_progress, void *data, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    if (l == NULL || dest == NULL) {
        return jb_fail_null(err, "jb_backup");
    }
    struct jb_making m;
    jb_status status = jb_making_begin(&m, dest, true, err);
    return status == JB_OK ? jb_making_end(&m, copy_files(l, m.stage, on_progress, data, err), err)
                           : status;
}

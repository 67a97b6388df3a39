/* Writing a run: its rows come in order, so that each page is written once and nothing but one page
 * of each level is in memory, however large it gets. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "runs/run.h"
#include "storage/descriptors.h"

#define OUT_PAGES 16
/* What is on its way to the device holds up the log's syncs: so it is never much. */
#define SYNC_PAGES (JB_CHECKS ? 4 : 64)

jb_status
jb_run_errno(void)
{
    bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    bool short_of = errno == ENOMEM || errno == EMFILE || errno == ENFILE;
    return full ? JB_E_FULL : short_of ? JB_E_NOMEM : JB_E_IO;
}

static jb_status
write_at(int fd, const uint8_t *p, size_t n, uint64_t at)
{
    while (n > 0) {
        ssize_t wrote = pwrite(fd, p, n, (off_t)at);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            errno = wrote == 0 ? ENOSPC : errno;
            return jb_run_errno();
        }
        p += wrote;
        at += (uint64_t)wrote;
        n -= (size_t)wrote;
    }
    return JB_OK;
}

/* Waits until pages are with the device, where there are enough of them: whether it has stored them
 * is asked once, at the end. */
static jb_status
send(int fd, uint64_t *from, uint64_t to)
{
    const unsigned flags =
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (to - *from < SYNC_PAGES) {
        return JB_OK;
    }
    off_t at = (off_t)(*from * JB_RUN_PAGE_BYTES), n = (off_t)((to - *from) * JB_RUN_PAGE_BYTES);
    *from = to;
    /* Where there is no such call the sync at the end does all of it. */
    bool sent = sync_file_range(fd, at, n, flags) == 0 || errno == ENOSYS || errno == EINTR;
    return sent ? JB_OK : jb_run_errno();
}

static jb_status
write_out(struct jb_run_write *w)
{
    jb_status status =
        write_at(w->fd, w->out, w->out_n * JB_RUN_PAGE_BYTES, w->out_first * JB_RUN_PAGE_BYTES);
    w->out_first += w->out_n;
    w->out_n = 0;
    return status == JB_OK ? send(w->fd, &w->sent, w->out_first) : status;
}

jb_status
jb_run_write_begin(struct jb_run_write *w, const struct jb_run_place *place,
                   const struct jb_run_range *range, uint64_t rows_max)
{
    *w = (struct jb_run_write){.place = *place, .range = *range, .fd = -1, .rows_max = rows_max};
    w->lines = jb_filter_lines(rows_max);
    w->filter_pages = (w->lines + JB_FILTER_LINES_OF_PAGE - 1) / JB_FILTER_LINES_OF_PAGE;
    w->pages = w->out_first = w->sent = 1 + w->filter_pages;
    w->filter_sent = 1;
    w->out = malloc(OUT_PAGES * JB_RUN_PAGE_BYTES);
    w->level[0] = calloc(1, sizeof *w->level[0]);
    w->levels = 1;
    if (w->out == NULL || w->level[0] == NULL ||
        getrandom(&w->file, sizeof w->file, 0) != sizeof w->file) {
        return JB_E_NOMEM;
    }
    jb_run_name_new(w->file, w->name);
    w->fd = jb_descriptor_open_at_locking(place->dir, w->name, O_RDWR | O_CREAT | O_EXCL, 0600);
    /* Whoever finds it unlocked knows that nobody writes it any more, and removes it: also right
     * after it was made. */
    struct stat st;
    if (w->fd < 0 || flock(w->fd, LOCK_EX | LOCK_NB) != 0 || fstat(w->fd, &st) != 0) {
        return jb_run_errno();
    }
    return st.st_nlink > 0 ? JB_OK : JB_E_IO;
}

static jb_status
end_filter_page(struct jb_run_write *w)
{
    uint64_t no = 1 + w->filter_page;
    jb_run_page_seal(w->filter, w->file, no);
    jb_status status = write_at(w->fd, w->filter, JB_RUN_PAGE_BYTES, no * JB_RUN_PAGE_BYTES);
    memset(w->filter, 0, sizeof w->filter);
    w->filter_page++;
    return status == JB_OK ? send(w->fd, &w->filter_sent, no + 1) : status;
}

static jb_status
add_to_filter(struct jb_run_write *w, uint64_t hash)
{
    uint64_t line = jb_filter_line(hash, w->lines);
    jb_status status = JB_OK;
    while (status == JB_OK && w->filter_page < line / JB_FILTER_LINES_OF_PAGE) {
        status = end_filter_page(w);
    }
    jb_filter_put(w->filter + JB_FILTER_LINE * (1 + line % JB_FILTER_LINES_OF_PAGE), hash);
    return status;
}

static jb_status add_row(struct jb_run_write *w, unsigned level, const uint8_t *key, size_t key_n,
                         const void *value, size_t value_n);

/* The level's page gets the next number. */
static jb_status
end_page(struct jb_run_write *w, unsigned level, uint64_t *ret_no)
{
    struct jb_run_page_fill *f = w->level[level];
    jb_status status = w->out_n == OUT_PAGES ? write_out(w) : JB_OK;
    *ret_no = w->pages++;
    jb_run_page_end(f, level);
    memcpy(w->out + w->out_n * JB_RUN_PAGE_BYTES, f->page, JB_RUN_PAGE_BYTES);
    jb_run_page_seal(w->out + w->out_n * JB_RUN_PAGE_BYTES, w->file, *ret_no);
    w->out_n++;
    return status;
}

/* The level above leads to it. */
static jb_status
end_page_under(struct jb_run_write *w, unsigned level)
{
    uint64_t no;
    uint8_t value[8];
    jb_status status = end_page(w, level, &no);
    if (status == JB_OK && level + 1 == w->levels) {
        struct jb_run_page_fill *f =
            w->levels < JB_RUN_LEVELS_MAX ? calloc(1, sizeof *w->level[0]) : NULL;
        if (f == NULL) {
            return JB_E_NOMEM;
        }
        w->level[w->levels++] = f;
    }
    jb_put_le(value, 8, no);
    struct jb_run_page_fill *f = w->level[level];
    status =
        status == JB_OK ? add_row(w, level + 1, f->first, f->first_n, value, sizeof value) : status;
    jb_run_page_clear(f);
    return status;
}

static jb_status
add_row(struct jb_run_write *w, unsigned level, const uint8_t *key, size_t key_n, const void *value,
        size_t value_n)
{
    if (jb_run_page_add(w->level[level], key, key_n, value, value_n)) {
        return JB_OK;
    }
    jb_status status = end_page_under(w, level);
    return status == JB_OK && !jb_run_page_add(w->level[level], key, key_n, value, value_n)
               ? JB_E_USAGE
               : status;
}

jb_status
jb_run_write_row(struct jb_run_write *w, const uint8_t *key, size_t key_n, const void *value,
                 size_t value_n)
{
    const struct jb_run_page_fill *f = w->level[0];
    if (key_n < JB_RUN_HASH_BYTES || key_n > JB_RUN_KEY_MAX || value_n > JB_RUN_VALUE_MAX ||
        w->rows == w->rows_max) {
        return JB_E_USAGE;
    }
    const uint64_t hash = jb_run_hash(key);
    if (w->rows > 0 && hash <= w->hash) { /* seldom equal */
        int order = memcmp(f->last, key, f->last_n < key_n ? f->last_n : key_n);
        if (order == 0 && f->last_n == key_n) {
            return JB_OK;
        }
        if (order > 0 || (order == 0 && f->last_n > key_n)) {
            return JB_E_USAGE;
        }
    }
    w->rows++;
    w->hash = hash;
    jb_status status = add_to_filter(w, hash);
    return status == JB_OK ? add_row(w, 0, key, key_n, value, value_n) : status;
}

static jb_status
write_header(struct jb_run_write *w, uint64_t root, unsigned level, uint8_t page[JB_RUN_PAGE_BYTES])
{
    memset(page, 0, JB_RUN_PAGE_BYTES);
    memcpy(page + 8, "jangbuR1", 8);
    memcpy(page + 16, w->place.ledger_id, 16);
    const uint64_t head[] = {w->file, w->range.generation, w->range.first, w->range.last};
    const uint64_t tail[] = {w->rows, w->lines, w->pages, root, level};
    for (unsigned i = 0; i < 4; i++) {
        jb_put_le(page + 32 + (size_t)8 * i, 8, head[i]);
    }
    memcpy(page + 64, w->range.chain, 16);
    for (unsigned i = 0; i < 5; i++) {
        jb_put_le(page + 80 + (size_t)8 * i, 8, tail[i]);
    }
    jb_run_page_seal(page, jb_get_le(w->place.ledger_id, 8), 0);
    return write_at(w->fd, page, JB_RUN_PAGE_BYTES, 0);
}

static jb_status
finish(struct jb_run_write *w)
{
    jb_status status = JB_OK;
    uint64_t root = 0;
    unsigned level = 0;
    while (status == JB_OK && w->filter_page < w->filter_pages) {
        status = end_filter_page(w);
    }
    for (; status == JB_OK && level + 1 < w->levels; level++) {
        status = end_page_under(w, level);
    }
    status = status == JB_OK ? end_page(w, level, &root) : status;
    status = status == JB_OK ? write_out(w) : status;
    status = status == JB_OK ? write_header(w, root, level, w->out) : status;
    if (status != JB_OK) {
        return status;
    }
    char name[JB_RUN_NAME_BYTES];
    jb_run_name(&w->range, name);
    if (fsync(w->fd) != 0 || renameat(w->place.dir, w->name, w->place.dir, name) != 0) {
        return jb_run_errno();
    }
    w->name[0] = 0;
    return fsync(w->place.dir) == 0 ? JB_OK : jb_run_errno();
}

void
jb_run_write_drop(struct jb_run_write *w)
{
    for (unsigned i = 0; i < JB_RUN_LEVELS_MAX; i++) {
        free(w->level[i]);
        w->level[i] = NULL;
    }
    free(w->out);
    w->out = NULL;
    if (w->fd >= 0) {
        if (w->name[0] != 0) {
            unlinkat(w->place.dir, w->name, 0);
        }
        jb_descriptor_close(w->fd);
        w->fd = -1;
    }
}

jb_status
jb_run_write_finish(struct jb_run_write *w)
{
    jb_status status = finish(w);
    jb_run_write_drop(w);
    return status;
}

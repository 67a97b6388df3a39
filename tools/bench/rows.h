/* What was measured: a row for each figure, printed for people and for machines. */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct row {
    char name[64];
    int64_t per_second, p50_us, p99_us, p999_us, max_us;
    int64_t centibytes_per_event, cpu_ns_per_event;
    int64_t memory_bytes; /* when it was added: of its own, without mapped files */
};

int64_t now_us(void);
/* The processor's time of all threads: it moves less than the clock on a machine that is shared. */
int64_t cpu_ns(void);
/* The benchmark cannot go on. */
_Noreturn void give_up(const char *why);

/* Sorts calls_us. bytes and cpu (nanoseconds) are of all events. */
void add_row(const char *name, int64_t events, int64_t us, int64_t *calls_us, size_t calls,
             int64_t bytes, int64_t cpu);
/* The row of that name; NULL: it was not measured. The last, where there are several. */
const struct row *find_row(const char *name);
void print_rows(bool json);

#endif

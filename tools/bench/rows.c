#include "rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static struct row rows[256];
static size_t rows_n;

int64_t
now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void
give_up(const char *why)
{
    fprintf(stderr, "bench: %s\n", why);
    exit(3);
}

/* The value of the first line of a file of /proc that begins so; what JSON would have to escape is
 * left out. */
static void
proc_line(const char *path, const char *begin, char *ret, size_t size)
{
    char line[256];
    FILE *f = fopen(path, "r");
    snprintf(ret, size, "unknown");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, begin, strlen(begin)) != 0) {
            continue;
        }
        const char *value = strchr(line, ':') != NULL ? strchr(line, ':') + 1 : line;
        value += strspn(value, " \t");
        size_t n = strcspn(value, "\n\"\\");
        snprintf(ret, size, "%.*s", (int)n, value);
        break;
    }
    if (f != NULL) {
        fclose(f);
    }
}

/* What the process has of its own, without pages of mapped files; 0: not known. */
static int64_t
own_memory(void)
{
    char line[64];
    proc_line("/proc/self/status", "RssAnon", line, sizeof line);
    return strtoll(line, NULL, 10) * 1024;
}

static int
compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

void
add_row(const char *name, int64_t events, int64_t us, int64_t *calls_us, size_t calls,
        int64_t bytes, int64_t cpu)
{
    if (rows_n == sizeof rows / sizeof rows[0] || calls == 0) {
        give_up("no room for a row, or nothing was measured");
    }
    struct row *r = &rows[rows_n++];
    qsort(calls_us, calls, sizeof *calls_us, compare);
    snprintf(r->name, sizeof r->name, "%s", name);
    r->per_second = events * 1000000 / (us > 0 ? us : 1);
    r->p50_us = calls_us[calls / 2];
    r->p99_us = calls_us[calls * 99 / 100];
    r->p999_us = calls_us[calls * 999 / 1000];
    r->max_us = calls_us[calls - 1];
    r->centibytes_per_event = events > 0 ? bytes * 100 / events : 0;
    r->memory_bytes = own_memory();
    r->cpu_ns_per_event = events > 0 ? cpu / events : 0;
}

const struct row *
find_row(const char *name)
{
    for (size_t i = rows_n; i > 0; i--) {
        if (strcmp(rows[i - 1].name, name) == 0) {
            return &rows[i - 1];
        }
    }
    return NULL;
}

static void
print_json(int64_t peak)
{
    char cpu[128], memory[64], load[64];
    struct utsname u;
    proc_line("/proc/cpuinfo", "model name", cpu, sizeof cpu);
    proc_line("/proc/meminfo", "MemTotal", memory, sizeof memory);
    proc_line("/proc/loadavg", "", load, sizeof load);
    if (uname(&u) != 0) {
        snprintf(u.release, sizeof u.release, "unknown");
    }
    printf("{\"machine\":{\"processor\":\"%s\",\"processors\":%ld,\"memory\":\"%s\",\"kernel\":\"%"
           "s\",\"load_afterwards\":\"%s\"},\"rows\":[",
           cpu, sysconf(_SC_NPROCESSORS_ONLN), memory, u.release, load);
    for (size_t i = 0; i < rows_n; i++) {
        const struct row *r = &rows[i];
        printf("%s{\"name\":\"%s\",\"per_second\":%lld,\"p50_us\":%lld,\"p99_us\":%lld,\"p999_us\":"
               "%lld,\"max_us\":%lld,\"centibytes_per_event\":%lld,\"cpu_ns\":%lld,\"memory_"
               "bytes\":%lld}",
               i > 0 ? "," : "", r->name, (long long)r->per_second, (long long)r->p50_us,
               (long long)r->p99_us, (long long)r->p999_us, (long long)r->max_us,
               (long long)r->centibytes_per_event, (long long)r->cpu_ns_per_event,
               (long long)r->memory_bytes);
    }
    const struct row *batches = find_row("consume/batch8192/10k");
    printf("],\"bytes_per_event\":%lld.%02lld,\"peak_rss_bytes\":%lld}\n",
           batches != NULL ? (long long)(batches->centibytes_per_event / 100) : 0,
           batches != NULL ? (long long)(batches->centibytes_per_event % 100) : 0, (long long)peak);
}

void
print_rows(bool json)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    if (json) {
        print_json((int64_t)u.ru_maxrss * 1024);
        return;
    }
    printf("%-29s %10s %8s %8s %8s %8s %7s %9s\n", "", "per second", "p50 us", "p99 us", "p99.9 us",
           "max us", "cpu ns", "bytes");
    for (size_t i = 0; i < rows_n; i++) {
        const struct row *r = &rows[i];
        printf("%-29s %10lld %8lld %8lld %8lld %8lld %7lld %6lld.%02lld\n", r->name,
               (long long)r->per_second, (long long)r->p50_us, (long long)r->p99_us,
               (long long)r->p999_us, (long long)r->max_us, (long long)r->cpu_ns_per_event,
               (long long)(r->centibytes_per_event / 100),
               (long long)(r->centibytes_per_event % 100));
    }
    printf("latencies are of one call; cpu and bytes of one event; peak memory %ld MiB (clean "
           "pages of the mapped log included)\n",
           u.ru_maxrss / 1024);
}

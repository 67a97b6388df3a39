#include "pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static pid_t pager;

bool
pager_is_wanted(const char *text, size_t n)
{
    struct winsize size;
    if (pager != 0 || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) {
        return false;
    }
    size_t lines = 0;
    for (size_t i = 0; i < n; i++) {
        lines += text[i] == '\n';
    }
    return lines >= size.ws_row;
}

static bool
is_in_path(const char *name)
{
    const char *path = getenv("PATH");
    char file[4096];
    while (path != NULL) {
        const size_t n = strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%s", (int)n, path, name);
        if (n > 0 && access(file, X_OK) == 0) {
            return true;
        }
        path = path[n] == ':' ? path + n + 1 : NULL;
    }
    return false;
}

/* NULL: none. */
static const char *
command(void)
{
    const char *words = getenv("JANGBU_PAGER");
    words = words != NULL ? words : getenv("PAGER");
    if (words == NULL) {
        return is_in_path("less") ? "less" : NULL;
    }
    return words[0] == '\0' || strcmp(words, "cat") == 0 ? NULL : words;
}

/* A shell that reads from the pipe; it hears Ctrl-C, and this program does not while there is one.
 */
static bool
begin_shell(char *line, int from)
{
    char *const arguments[] = {(char *)(size_t) "sh", (char *)(size_t) "-c", line, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    struct sigaction before, ignored = {.sa_handler = SIG_IGN};
    sigset_t heard;
    sigemptyset(&ignored.sa_mask);
    sigemptyset(&heard);
    sigaction(SIGINT, &ignored, &before);
    if (before.sa_handler != SIG_IGN) {
        sigaddset(&heard, SIGINT);
    }
    bool begun = posix_spawn_file_actions_init(&actions) == 0;
    begun = posix_spawnattr_init(&attributes) == 0 && begun;
    begun = begun && posix_spawnattr_setsigdefault(&attributes, &heard) == 0 &&
            posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF) == 0 &&
            posix_spawn_file_actions_adddup2(&actions, from, STDIN_FILENO) == 0 &&
            posix_spawn(&pager, "/bin/sh", &actions, &attributes, arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (!begun) {
        pager = 0;
        sigaction(SIGINT, &before, NULL);
    }
    return begun;
}

void
pager_begin(void)
{
    const char *words = command();
    int ends[2];
    if (words == NULL || pipe2(ends, O_CLOEXEC) != 0) {
        return;
    }
    /* What fits on one screen is left there, colours are kept; as git has it. The words are a line
     * for the shell: they may set variables, and be a pipe. Where there is no such program its
     * text is shown as it stands. Ctrl-C is the pager's: neither that shell nor this program leaves
     * the terminal before it does. */
    char *line = NULL;
    if (asprintf(&line,
                 "trap : INT\nexport LESS=\"${LESS-FRX}\"\n%s\ncode=$?\n"
                 "[ $code -ne 126 ] && [ $code -ne 127 ] || exec cat",
                 words) < 0) {
        close(ends[0]);
        close(ends[1]);
        return;
    }
    const bool begun = begin_shell(line, ends[0]);
    free(line);
    if (begun) {
        dup2(ends[1], STDOUT_FILENO);
    }
    close(ends[0]);
    close(ends[1]);
}

void
pager_end(void)
{
    if (pager == 0) {
        return;
    }
    /* The pager sees the end; the number stays in use. */
    const int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nothing >= 0) {
        dup2(nothing, STDOUT_FILENO);
        close(nothing);
    }
    while (waitpid(pager, NULL, 0) < 0 && errno == EINTR) {
        continue;
    }
    pager = 0;
}

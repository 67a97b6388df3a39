/* Runs a fuzz target over the files of a folder, without a fuzzer: what was found once stays found.
 * usage: replay FOLDER */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
main(int argc, char **argv)
{
    DIR *d = argc > 1 ? opendir(argv[1]) : NULL;
    unsigned files = 0;
    for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        FILE *f = e->d_name[0] != '.' ? fopen(path, "rb") : NULL;
        if (f == NULL) {
            continue;
        }
        uint8_t *bytes = malloc(1 << 20);
        size_t n = bytes != NULL ? fread(bytes, 1, 1 << 20, f) : 0;
        uint8_t *exact = malloc(n + 1); /* of that size, so that a sanitizer sees a byte too far */
        for (size_t i = 0; i < n; i++) {
            exact[i] = bytes[i];
        }
        LLVMFuzzerTestOneInput(exact, n);
        free(exact);
        free(bytes);
        fclose(f);
        files++;
    }
    if (d != NULL) {
        closedir(d);
    }
    printf("%u inputs replayed\n", files);
    return files > 0 ? 0 : 1;
}

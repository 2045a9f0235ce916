/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_corpus.c - runs a fuzz target on files, so that its corpus is a test with every compiler.
 *
 * Each file is also run cut off at some lengths and with single bytes changed. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

enum { MAX_FILE_BYTES = 1024 * 1024, CHANGES = 200 };

/* On a copy of just that size, so that a sanitizer sees one byte too many. */
static void run(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len == 0 ? 1 : len);

    if (copy == NULL)
        abort();
    memcpy(copy, bytes, len);
    (void)LLVMFuzzerTestOneInput(copy, len); /* always 0; a fault aborts */
    free(copy);
}

static void run_variants(uint8_t *bytes, size_t len)
{
    size_t stride = len / CHANGES + 1;

    run(bytes, len);
    for (size_t i = 0; i < len; i += stride) {
        uint8_t was = bytes[i];

        run(bytes, i);
        bytes[i] ^= (uint8_t)(1 + i % 255);
        run(bytes, len);
        bytes[i] = was;
    }
}

static int run_file(const char *folder, const char *name)
{
    char path[1024];
    uint8_t *bytes = malloc(MAX_FILE_BYTES);
    FILE *file;
    size_t len;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (file == NULL || bytes == NULL) {
        printf("%s: cannot be read\n", path);
        free(bytes);
        return 1;
    }
    len = fread(bytes, 1, MAX_FILE_BYTES, file);
    (void)fclose(file); /* it was only read */
    run_variants(bytes, len);
    free(bytes);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    int passed = 0;
    int failed = 0;

    if (folder == NULL) {
        printf("usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] == '.')
            continue;
        if (run_file(argv[1], entry->d_name) == 0)
            passed++;
        else
            failed++;
    }
    (void)closedir(folder);
    printf("%s: %d passed, %d failed\n", argv[0], passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}

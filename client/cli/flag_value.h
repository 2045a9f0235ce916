/* SPDX-License-Identifier: Apache-2.0 */
/* The values of flags: how each kind is read, and what is said of one that cannot be. */
#ifndef VTS_CLI_FLAG_VALUE_H
#define VTS_CLI_FLAG_VALUE_H

#include "client/cli/flags.h"

/* Seen by the table of flags alone, which is easier to read so. */
enum vts_cli_kind {
    SWITCH,   /* no value; a bool */
    TEXT,     /* const char * */
    FILENAME, /* the same */
    FORMAT,   /* "text" or "json"; a bool */
    DURATION, /* double, seconds */
    NUMBER,   /* double */
    RETRIES,  /* int64_t, -1 for no limit */
    COUNT,    /* unsigned, at least 1 */
    INTEGER,  /* int */
    MODE,     /* enum vts_wait_mode */
    POLICY,   /* a preset of struct vts_poll_options */
    WORDS,    /* struct vts_cli_words; one more each time */
    PAIRS,    /* struct vts_cli_pairs; the same */
    FIELDS,   /* the same; NAME: VALUE, as HTTP has them */
    STATES,   /* struct vts_cli_states; the same */
};

struct vts_cli_flag {
    const char *name;
    int commands;
    enum vts_cli_kind kind;
    size_t offset; /* of its field in struct vts_cli_options */
    double min;    /* of DURATION, NUMBER and INTEGER, both included */
    double max;
    const char *env; /* NULL: none */
};

/* s; the longest that makes sense. */
#define VTS_CLI_A_YEAR (365.0 * 24 * 3600)

/* Reads the value into the flag's field, which may keep it; PAIRS and FIELDS are cut in two. False:
 * it is none. */
bool vts_cli_flag_value_read(const struct vts_cli_flag *flag, char *value,
                             struct vts_cli_options *options);

/* What it takes, in words; text is room that it may use. */
const char *vts_cli_flag_value_wanted(const struct vts_cli_flag *flag, char *text, size_t size);

#endif

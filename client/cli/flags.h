/* SPDX-License-Identifier: Apache-2.0 */
/* The flags: one table says which commands take them, how a value is read and where it goes. */
#ifndef VTS_CLI_FLAGS_H
#define VTS_CLI_FLAGS_H

#include <getopt.h>

#include "client/cli/options.h"

struct vts_cli_flag;

/* Room for a line about what is wrong. */
struct vts_cli_fault {
    char *text;
    size_t size;
};

enum { VTS_CLI_FIRST_LONG = 256 };

/* Fills long_options for getopt_long(), which then returns VTS_CLI_FIRST_LONG and more. */
void vts_cli_flags_list(struct option long_options[VTS_CLI_MAX_FLAGS + 1]);

/* "verbose" and so on, for what getopt_long() returned or left in optopt. */
const char *vts_cli_flag_name(int option);

/* Takes a flag for the command. value is "" for one that has none. False with a line in fault. */
bool vts_cli_flag_set(int option, char *value, struct vts_cli_options *options,
                      const struct vts_cli_fault *fault);

/* Takes a line of the file of options, unless the command does not take the flag, or it was given
 * already. value is NULL when the line has none. False with a line in fault. */
bool vts_cli_flag_set_from_file(const char *name, char *value, struct vts_cli_options *options,
                                const struct vts_cli_fault *fault);

/* A flag as a command has it. */
struct vts_cli_flag_view {
    const char *name;
    const char *help_name; /* of the flag that means the same and is explained */
    char letter;           /* '\0': none */
    bool takes_value;
    bool takes_file;
    bool is_repeatable;
    const char *words; /* all values there are, with blanks between; NULL: others */
};

/* The index-th flag that the command takes (those of VTS_CLI_COMMAND_NONE are those that every
 * command does); false: there are no more. */
bool vts_cli_flag_look(enum vts_cli_command command, size_t index,
                       struct vts_cli_flag_view *ret_view);

/* Takes what the environment says in place of flags. */
void vts_cli_flags_read_environment(struct vts_cli_options *options);

#endif

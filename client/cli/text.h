/* SPDX-License-Identifier: Apache-2.0 */
/* Text from elsewhere, made safe for a terminal and measured in its columns.
 *
 * Control characters would be commands to the terminal, and characters that turn the direction of
 * writing would make one thing look like another: both, and bytes that are no UTF-8, become \x1b or
 * \u202e in letters. */
#ifndef VTS_CLI_TEXT_H
#define VTS_CLI_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Once, before the others: sets the character type of the locale to UTF-8. */
void vts_cli_text_init(void);

/* Writes what fits into size bytes, NUL included, and into max_columns, and never half a
 * character. Returns the columns it takes; *ret_len, when not NULL, is the length in bytes. */
size_t vts_cli_text_escape(const char *text, char *out, size_t size, size_t max_columns,
                           size_t *ret_len);

void vts_cli_text_print(FILE *file, const char *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The macros of the project that belong to no module. */
#ifndef VTS_BASE_MACROS_H
#define VTS_BASE_MACROS_H

#include <stddef.h>

#define VTS_MUST_CHECK __attribute__((warn_unused_result))
#define VTS_PRINTF(fmt_index, args_index) __attribute__((format(printf, fmt_index, args_index)))
#define VTS_ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define VTS_CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#endif

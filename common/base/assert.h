/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of our own logic. They stay on in every build; no byte from a peer may reach one. */
#ifndef VTS_BASE_ASSERT_H
#define VTS_BASE_ASSERT_H

#define VTS_ASSERT(expr) ((expr) ? (void)0 : vts_assert_fail(#expr, __FILE__, __LINE__))
#define VTS_UNREACHABLE() vts_assert_fail("unreachable", __FILE__, __LINE__)

/* Prints the failed expression to stderr and aborts. */
_Noreturn void vts_assert_fail(const char *expr, const char *file, int line);

#endif

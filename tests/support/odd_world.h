/* SPDX-License-Identifier: Apache-2.0 */
/* A world that misbehaves, for a whole program: names that do not resolve, and clocks that jump.
 *
 * A program that is linked with it, and exports its symbols (ENABLE_EXPORTS), asks it in place of
 * the C library for addresses and for the time, and so do the shared libraries that it uses.
 * Nothing leaves this machine. May be called from any thread. */
#ifndef VTS_TESTS_ODD_WORLD_H
#define VTS_TESTS_ODD_WORLD_H

#include <stdint.h>

/* Names that end in ".example" are at 127.0.0.1, once the next so many look-ups have failed;
 * negative: all of them do. 0 at first. */
void odd_world_fail_names(long count);

/* Look-ups of such names do not return, until they are let go. */
void odd_world_hold_names(void);
void odd_world_let_go_names(void);

/* The wall's clock, or the one that never goes back, is so many seconds ahead of the real one
 * from now on; negative: behind, which only the wall's may be. */
void odd_world_set_wall(int64_t seconds);
void odd_world_set_monotonic(int64_t seconds);

#endif

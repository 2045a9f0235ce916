/* SPDX-License-Identifier: Apache-2.0 */
/* The jobs of one queue that may be leased, the next one first. One thread changes a line; whoever
 * has a reference may ask from any thread how far a job is from the front. */
#ifndef VTS_JOBS_LINE_H
#define VTS_JOBS_LINE_H

#include <stdatomic.h>

#include "common/base/str.h"
#include "common/base/tree.h"

struct vts_line;

/* Where a job stands. */
struct vts_job_place {
    int16_t priority; /* of no matter by age */
    int64_t create_ns;
    struct vts_str id;
};

/* ops order by a struct vts_job_place, and count. With one reference; NULL without memory. */
struct vts_line *vts_line_new(const struct vts_tree_ops *ops);
struct vts_line *vts_line_ref(struct vts_line *line);
/* Accepts NULL. */
void vts_line_unref(struct vts_line *line);

/* For the thread that changes the line. The tree is to look at. */
const struct vts_tree *vts_line_tree(const struct vts_line *line);
void vts_line_add(struct vts_line *line, const struct vts_job_place *place,
                  struct vts_tree_node *node);
void vts_line_remove(struct vts_line *line, const struct vts_job_place *place,
                     const struct vts_tree_node *node);
/* Forgets all jobs, which are about to be freed. */
void vts_line_clear(struct vts_line *line);

/* What was found before; zeroed at first. */
typedef _Atomic uint64_t vts_line_known;

/* The place in the line, counted from 1, of a job that stands there, or would. Unless the line has
 * changed since *known, nothing is looked up. From any thread. */
int32_t vts_line_position(struct vts_line *line, const struct vts_job_place *place,
                          vts_line_known *known);

#endif

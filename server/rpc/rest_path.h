/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of paths: "/v1/jobs/{job_id}:cancel" (https://google.aip.dev/127).
 *
 * A {field} stands for a segment, or for what stands in it before a ":". Inside server/rpc only. */
#ifndef VTS_RPC_REST_PATH_H
#define VTS_RPC_REST_PATH_H

#include "common/base/str.h"

enum { VTS_REST_VARIABLES_MAX = 4 };

/* What a template's variables stand for in one path. All is borrowed. */
struct vts_rest_match {
    size_t count;
    struct vts_str fields[VTS_REST_VARIABLES_MAX];
    struct vts_str values[VTS_REST_VARIABLES_MAX]; /* as sent: percent-encoded, never empty */
};

/* Whether text is a template that this can match. */
bool vts_rest_path_is_template(const char *text);
/* Whether the raw path is one of the template's. A variable has no "/" that is not percent-encoded,
 * and no ":" at all, so no path fits two templates that differ only by a ":verb". */
bool vts_rest_path_matches(const char *template, struct vts_str path,
                           struct vts_rest_match *ret_match);

#endif

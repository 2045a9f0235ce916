/* SPDX-License-Identifier: Apache-2.0 */
/* When a failed request may be sent again: apart from the schedule, which says when an answer that
 * tells of nothing new is followed by the next question.
 *
 * Two questions are asked. Whether the failure may pass, and the request may be repeated: by its
 * code, and by what the method says of itself. And whether there is room for it: each client has a
 * budget of retries, as gRPC has it (https://github.com/grpc/proposal, A6, "retry throttling"):
 * a failure takes a whole token, a success gives back a tenth of one, and below half of the tokens
 * nothing is sent again, so that a server in trouble is not asked more, but less. */
#ifndef VTS_CLIENT_RETRY_H
#define VTS_CLIENT_RETRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <vtstatus/client.h>

enum { VTS_RETRY_MAX_TENTHS = 100, VTS_RETRY_FAILURE_TENTHS = 10, VTS_RETRY_SUCCESS_TENTHS = 1 };

/* Callable from any thread. Zeroed, it is full. */
struct vts_retry_budget {
    atomic_int spent_tenths; /* of a token */
};

void vts_retry_note_success(struct vts_retry_budget *budget);
void vts_retry_note_failure(struct vts_retry_budget *budget);
bool vts_retry_has_room(const struct vts_retry_budget *budget);

/* Whether a call that ended so may be made again at once: nothing of it is known to have been
 * refused for good, and doing it twice does no harm. */
bool vts_retry_may_pass(enum vts_client_code code, bool is_repeatable);

#endif

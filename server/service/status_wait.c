/* SPDX-License-Identifier: Apache-2.0 */
/* status_wait.c - WaitStatus: one answer, held back until what is waited for has come, or the time
 * is over, or the server stops. Then it is the status as it is.
 */
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/service/status_calls.h"
#include "server/service/status_waiter.h"
#include "vtstatus/v1/status_service.pb-c.h"

struct status_wait {
    struct vts_call *call;
    struct vts_status_waiter *waiter;
    struct vts_timer timer;
};

static void answer(struct vts_call *call)
{
    struct status_wait *wait = vts_call_data(call);
    struct vts_status_view view;
    enum vts_err err;

    if (vts_call_is_over(call))
        return;
    vts_call_stop_timer(call, &wait->timer);
    err = vts_status_waiter_check(wait->waiter, vts_call_now_ns(call), &view);
    if (err == VTS_OK)
        vts_status_answer_view(call, vts_status_board_of(call), &view);
    else
        vts_status_refuse(call, err, vts_status_waiter_job_id(wait->waiter));
}

static void on_time(void *context)
{
    answer(context);
}

static void on_news(void *context)
{
    struct vts_call *call = context;
    struct status_wait *wait = vts_call_data(call);

    if (!vts_call_is_over(call) &&
        vts_status_waiter_is_settled(wait->waiter, vts_call_now_ns(call)))
        answer(call);
}

/* ---- the request ----------------------------------------------------------------------- */

/* Whether the timeout is one; for how long then to wait, which is at most max_ns. */
static bool read_timeout(const Google__Protobuf__Duration *timeout, int64_t max_ns,
                         int64_t *ret_wait_ns)
{
    int64_t wait_ns;

    *ret_wait_ns = max_ns;
    if (timeout == NULL)
        return true;
    if (timeout->seconds < 0 || timeout->nanos < 0 || timeout->nanos >= VTS_NS_PER_S)
        return false;
    if (timeout->seconds >= max_ns / VTS_NS_PER_S + 1)
        return true;
    wait_ns = timeout->seconds * VTS_NS_PER_S + timeout->nanos;
    if (wait_ns > 0 && wait_ns < max_ns)
        *ret_wait_ns = wait_ns;
    return true;
}

bool vts_status_check_until(struct vts_call *call, Vtstatus__V1__WaitUntil value,
                            enum vts_status_until *ret_until)
{
    *ret_until = value == VTSTATUS__V1__WAIT_UNTIL__WAIT_UNTIL_DONE ? VTS_STATUS_UNTIL_DONE
                                                                    : VTS_STATUS_UNTIL_CHANGE;
    if (protobuf_c_enum_descriptor_get_value(&vtstatus__v1__wait_until__descriptor, (int)value) !=
        NULL)
        return true;
    vts_call_finish(call, VTS_RPC_INVALID_ARGUMENT, "until has a value that is not known");
    return false;
}

/* Whether the request is in order and its job is there; refuses the call otherwise. */
static bool check_request(struct vts_call *call, const Vtstatus__V1__WaitStatusRequest *request,
                          enum vts_status_until *ret_until, int64_t *ret_wait_ns)
{
    struct vts_str job_id = vts_status_job_id(request->job_id);
    struct vts_status_view view;
    enum vts_err err;

    if (!read_timeout(request->timeout, vts_status_service_of(call)->wait_max_ns, ret_wait_ns)) {
        vts_call_finish(call, VTS_RPC_INVALID_ARGUMENT,
                        "timeout must not be negative, nor past 10,000 years");
        return false;
    }
    if (!vts_status_check_until(call, request->until, ret_until))
        return false;
    err = vts_check_status(vts_status_board_of(call), job_id, vts_call_now_ns(call), &view);
    if (err != VTS_OK) {
        vts_status_refuse(call, err, job_id);
        return false;
    }
    vts_snapshot_unref(view.snapshot);
    return true;
}

/* The call's data; VTS_ERR_LIMIT or VTS_ERR_NOMEM. */
static enum vts_err make_wait(struct vts_call *call, struct vts_str job_id, uint64_t revision,
                              enum vts_status_until until)
{
    struct status_wait *wait = vts_mem_zalloc(sizeof(*wait));
    enum vts_err err;

    if (wait == NULL)
        return VTS_ERR_NOMEM;
    vts_timer_init(&wait->timer, on_time, call);
    vts_call_set_data(call, wait);
    err = vts_status_waiter_new(vts_status_service_of(call), vts_call_loop_index(call), 1, until,
                                on_news, call, &wait->waiter);
    return err == VTS_OK ? vts_status_waiter_add(wait->waiter, job_id, revision) : err;
}

static void wait_status(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__WaitStatusRequest *request =
        (const Vtstatus__V1__WaitStatusRequest *)message;
    struct vts_str job_id = vts_status_job_id(request->job_id);
    enum vts_status_until until;
    struct status_wait *wait;
    int64_t now_ns = vts_call_now_ns(call);
    int64_t wait_ns;
    enum vts_err err;

    if (!check_request(call, request, &until, &wait_ns))
        return;
    err = make_wait(call, job_id, request->after_revision, until);
    if (err != VTS_OK) {
        vts_status_refuse(call, err, job_id);
        return;
    }
    wait = vts_call_data(call);
    on_news(call);
    if (vts_call_is_over(call))
        return;
    if (vts_call_keep(call, 1) != VTS_OK) {
        vts_status_refuse(call, VTS_ERR_LIMIT, job_id);
        return;
    }
    vts_call_set_timer(call, &wait->timer,
                       vts_status_wait_due_ns(now_ns, wait_ns, vts_call_deadline_ns(call)));
}

static void end_wait(struct vts_call *call)
{
    struct status_wait *wait = vts_call_data(call);

    if (wait == NULL)
        return;
    vts_call_stop_timer(call, &wait->timer);
    vts_status_waiter_free(wait->waiter);
    vts_mem_free(wait);
}

const struct vts_call_handler vts_status_wait_handler = {
    .on_message = wait_status, .on_end = end_wait, .on_drain = answer};

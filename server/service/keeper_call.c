/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_call.c - commands on behalf of calls.
 *
 * A command and all that belongs to it lie in one arena, which is freed in the call's loop and
 * nowhere else: so as long as a call points to its command, the command is there. A lease that was
 * granted to a call which is gone is given back, lest the job wait for the lease's end.
 */
#include "server/service/keeper_call.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/macros.h"
#include "server/service/status_waiter.h"

struct pending {
    struct vts_keeper_reply reply;
    struct vts_keeper_port *port;
    struct vts_keeper_command *command;
    vts_keeper_answer_fn answer;
    bool is_drained;
};

/* ---- the port -------------------------------------------------------------------------- */

void vts_keeper_port_init(struct vts_keeper_port *port, struct vts_keeper *keeper,
                          struct vts_board *board, int64_t wait_max_ns)
{
    port->keeper = keeper;
    port->board = board;
    port->wait_max_ns = wait_max_ns;
    vts_list_init(&port->unsent);
}

static struct vts_keeper_reply *take_unsent(struct vts_keeper_port *port)
{
    struct vts_keeper_reply *reply =
        VTS_CONTAINER_OF(port->unsent.next, struct vts_keeper_reply, link);

    vts_list_remove(&reply->link);
    return reply;
}

void vts_keeper_port_fini(struct vts_keeper_port *port)
{
    if (port->keeper == NULL)
        return;
    vts_keeper_free(port->keeper);
    port->keeper = NULL;
    while (!vts_list_is_empty(&port->unsent)) {
        struct vts_keeper_reply *reply = take_unsent(port);

        reply->deliver(NULL, reply);
    }
}

static void deliver(struct vts_call *call, void *context)
{
    struct vts_keeper_reply *reply = context;

    reply->deliver(call, reply);
}

void vts_keeper_port_send(struct vts_keeper_port *port, struct vts_keeper_reply *reply)
{
    vts_list_push_back(&port->unsent, &reply->link);
    while (!vts_list_is_empty(&port->unsent)) {
        reply = take_unsent(port); /* once it is sent it may be gone */
        if (vts_call_post(reply->ref, deliver, reply) == VTS_OK)
            continue;
        vts_list_push_back(&port->unsent, &reply->link);
        return;
    }
}

enum vts_err vts_keeper_port_submit(struct vts_keeper_port *port,
                                    struct vts_keeper_command *command)
{
    return port->keeper == NULL ? VTS_ERR_CLOSED : vts_keeper_submit(port->keeper, command);
}

enum vts_job_error vts_keeper_port_error(enum vts_err err)
{
    if (err == VTS_ERR_LIMIT)
        return VTS_JOB_ERROR_SERVER_BUSY;
    if (err == VTS_ERR_AGAIN)
        return VTS_JOB_ERROR_TOO_MANY_WAIT;
    return err == VTS_ERR_CLOSED ? VTS_JOB_ERROR_SERVER_STOPPING : VTS_JOB_ERROR_OUT_OF_MEMORY;
}

/* ---- answers --------------------------------------------------------------------------- */

static void fail(struct vts_call *call, enum vts_job_error error)
{
    const struct vts_job_fault fault = {.error = error};

    vts_job_fault_fail(call, &fault);
}

bool vts_keeper_call_answer(struct vts_call *call, const ProtobufCMessage *message)
{
    if (vts_call_send(call, message) != VTS_OK) {
        fail(call, VTS_JOB_ERROR_OUT_OF_MEMORY);
        return false;
    }
    vts_call_finish(call, VTS_RPC_OK, NULL);
    return true;
}

static void forget_command(struct vts_keeper_command *command, void *context)
{
    (void)context;
    vts_keeper_command_free(command); /* should it have failed, the lease runs out */
}

void vts_keeper_call_give_back(struct vts_keeper_port *port,
                               const struct vts_keeper_command *command)
{
    struct vts_keeper_command *release;

    if (command->refusal != VTS_KEEPER_OK || command->record == NULL ||
        vts_keeper_command_new(VTS_KEEPER_EVENT, forget_command, NULL, &release) != VTS_OK)
        return;
    release->job_id = vts_keeper_call_copy(release, command->record->job->id);
    release->event.kind = VTS_JOB_EVENT_RELEASE;
    release->event.token = vts_keeper_call_copy(release, command->record->lease_token);
    if (vts_arena_check(&release->arena) != VTS_OK ||
        vts_keeper_port_submit(port, release) != VTS_OK)
        vts_keeper_command_free(release);
}

/* In the call's loop. */
static void deliver_answer(struct vts_call *call, struct vts_keeper_reply *reply)
{
    struct pending *pending = VTS_CONTAINER_OF(reply, struct pending, reply);
    struct vts_keeper_command *command = pending->command;

    if (call == NULL) {
        if (command->kind == VTS_KEEPER_LEASE)
            vts_keeper_call_give_back(pending->port, command);
    } else {
        vts_call_set_data(call, NULL);
        if (command->refusal == VTS_KEEPER_OK) {
            pending->answer(call, command);
        } else {
            const struct vts_job_fault fault = vts_job_fault_of(command);

            vts_job_fault_fail(call, &fault);
        }
    }
    vts_keeper_command_free(command);
}

/* In the keeper's thread. */
static void on_done(struct vts_keeper_command *command, void *context)
{
    struct pending *pending = context;

    (void)command;
    vts_keeper_port_send(pending->port, &pending->reply);
}

/* ---- commands -------------------------------------------------------------------------- */

struct vts_keeper_command *vts_keeper_call_new(struct vts_call *call,
                                               enum vts_keeper_command_kind kind,
                                               vts_keeper_answer_fn answer)
{
    struct vts_keeper_command *command = NULL;
    struct pending *pending = NULL;

    if (vts_keeper_command_new(kind, on_done, NULL, &command) == VTS_OK)
        pending = vts_arena_alloc(&command->arena, sizeof(*pending));
    if (pending == NULL) {
        vts_keeper_command_free(command);
        fail(call, VTS_JOB_ERROR_OUT_OF_MEMORY);
        return NULL;
    }
    *pending = (struct pending){.reply = {.deliver = deliver_answer},
                                .port = vts_call_context(call),
                                .command = command,
                                .answer = answer};
    vts_list_init(&pending->reply.link);
    command->context = pending;
    return command;
}

const char *vts_keeper_call_copy(struct vts_keeper_command *command, const char *text)
{
    return vts_arena_strndup(&command->arena, text, strlen(text));
}

void vts_keeper_call_submit(struct vts_call *call, struct vts_keeper_command *command)
{
    struct pending *pending = command->context;
    enum vts_err err = vts_arena_check(&command->arena);

    if (err == VTS_OK)
        err = vts_call_make_ref(call, &pending->reply.ref);
    if (err == VTS_OK) {
        vts_call_set_data(call, pending);
        err = vts_keeper_port_submit(pending->port, command);
    }
    if (err == VTS_OK)
        return;
    vts_call_set_data(call, NULL);
    vts_keeper_command_free(command);
    if (err == VTS_ERR_AGAIN)
        vts_call_hit_limit(call, VTS_LIMIT_JOB_WAITS);
    fail(call, vts_keeper_port_error(err));
}

static int64_t bound_wait(const struct vts_call *call, int64_t wait_ns)
{
    const struct vts_keeper_port *port = vts_call_context(call);
    int64_t now_ns = vts_call_now_ns(call);

    if (wait_ns > port->wait_max_ns)
        wait_ns = port->wait_max_ns;
    return vts_status_wait_due_ns(now_ns, wait_ns, vts_call_deadline_ns(call)) - now_ns;
}

void vts_keeper_call_hold(struct vts_call *call, struct vts_keeper_command *command,
                          int64_t wait_ns)
{
    command->wait_ns = bound_wait(call, wait_ns);
    if (command->wait_ns > 0 && vts_call_keep(call, 1) != VTS_OK) {
        vts_keeper_command_free(command);
        fail(call, VTS_JOB_ERROR_TOO_MANY_WAIT);
        return;
    }
    vts_keeper_call_submit(call, command);
}

/* ---- ends ------------------------------------------------------------------------------ */

void vts_keeper_call_on_end(struct vts_call *call)
{
    struct pending *pending = vts_call_data(call);

    if (pending != NULL && pending->port->keeper != NULL)
        vts_keeper_forget(pending->port->keeper, pending);
}

/* The keeper answers what waits, and that is passed on. */
void vts_keeper_call_on_drain(struct vts_call *call)
{
    struct pending *pending = vts_call_data(call);

    if (pending == NULL)
        return;
    pending->is_drained = true;
    vts_keeper_call_on_end(call);
}

bool vts_keeper_call_is_drained(const struct vts_keeper_command *command)
{
    const struct pending *pending = command->context;

    return pending->is_drained;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* From a call to the keeper and back.
 *
 * A command is made and submitted in the call's loop, answered in the keeper's thread, and the
 * answer goes to the call's loop again: by name, for the call may be gone. Functions are for the
 * call's loop unless they say otherwise. */
#ifndef VTS_SERVICE_KEEPER_CALL_H
#define VTS_SERVICE_KEEPER_CALL_H

#include "server/service/job_errors.h"

/* Shared by the services and all threads; does not move. */
struct vts_keeper_port {
    struct vts_keeper *keeper; /* NULL once it is freed */
    struct vts_board *board;
    int64_t wait_max_ns;
    struct vts_list unsent; /* the keeper's thread only: what found no room in its loop */
};

/* wait_max_ns is the longest that a call is held. */
void vts_keeper_port_init(struct vts_keeper_port *port, struct vts_keeper *keeper,
                          struct vts_board *board, int64_t wait_max_ns);
/* Frees the keeper, while the loops are there and no thread runs them. Accepts zeroes. */
void vts_keeper_port_fini(struct vts_keeper_port *port);

/* ---- one command for one call ---------------------------------------------------------- */

/* The keeper has done as it was told. Ends the call; what the command holds is gone after that. */
typedef void (*vts_keeper_answer_fn)(struct vts_call *call, struct vts_keeper_command *command);

/* A command that is to be filled and submitted, for a call whose context is the port. NULL when the
 * call is over for lack of memory. */
struct vts_keeper_command *vts_keeper_call_new(struct vts_call *call,
                                               enum vts_keeper_command_kind kind,
                                               vts_keeper_answer_fn answer);
/* text, in the command's arena. NULL when there is no memory, which vts_keeper_call_submit() will
 * see. */
const char *vts_keeper_call_copy(struct vts_keeper_command *command, const char *text);
/* Adopts the command. A refusal ends the call without its answer function. */
void vts_keeper_call_submit(struct vts_call *call, struct vts_keeper_command *command);
/* As above, for a command that may wait up to wait_ns, or the longest there is, but ends a little
 * before the client gives up: the request message is gone then. */
void vts_keeper_call_hold(struct vts_call *call, struct vts_keeper_command *command,
                          int64_t wait_ns);
/* As vts_call_handler.on_end and on_drain of calls that are held. */
void vts_keeper_call_on_end(struct vts_call *call);
void vts_keeper_call_on_drain(struct vts_call *call);
/* Whether the command was ended by vts_keeper_call_on_drain(). */
bool vts_keeper_call_is_drained(const struct vts_keeper_command *command);
/* Gives back what a LEASE was given, for nobody knows of it. */
void vts_keeper_call_give_back(struct vts_keeper_port *port,
                               const struct vts_keeper_command *command);

/* Ends the call with the message, or for lack of memory; false in the latter case. */
bool vts_keeper_call_answer(struct vts_call *call, const ProtobufCMessage *message);

/* ---- what more needs ------------------------------------------------------------------- */

/* Something for a call, from the keeper's thread; lives inside what it brings. */
struct vts_keeper_reply {
    struct vts_list link;
    struct vts_call_ref ref;
    void (*deliver)(struct vts_call *call, struct vts_keeper_reply *reply); /* call: NULL: gone */
};

/* From the keeper's thread. What finds no room is sent along with the next. */
void vts_keeper_port_send(struct vts_keeper_port *port, struct vts_keeper_reply *reply);
/* Submits the command; VTS_ERR_CLOSED also when there is no keeper any more. */
VTS_MUST_CHECK enum vts_err vts_keeper_port_submit(struct vts_keeper_port *port,
                                                   struct vts_keeper_command *command);
/* Why that failed. */
enum vts_job_error vts_keeper_port_error(enum vts_err err);

#endif

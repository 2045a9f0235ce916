/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - the life of a call: it begins with the head of a request, and is over when its outcome
 * is fixed, by its handler, by the client's fault, by its deadline, or because the client is gone.
 *
 * The call itself stays until its exchange closes. So nobody in the middle of a function has it
 * taken away, and what happens after the end is dropped by one look at the state.
 */
#include "server/rpc/call.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/mem.h"
#include "common/wire/etag.h"
#include "common/wire/metadata.h"
#include "server/rpc/dialect.h"
#include "server/rpc/rpc_loop.h"

enum {
    CALL_MAGIC = 0x63616c6c,
    IDLE_CALLS_MAX = 512,
    METADATA_COUNT_MAX = VTS_RESPONSE_MORE_MAX - 4,
    OUTCOME_TEXT_MAX_BYTES = 1024,
    /* Of memory for a request, by the most bytes it may have; and the least of it. */
    ARENA_FACTOR = 8,
    ARENA_LEAST_BYTES = 16 * 1024,
    NOTES_MAX_BYTES = 128 * 1024,
    RAW_MAX_BYTES = 128 * 1024, /* a window of bytes, and a turn's worth */
};

static struct vts_call *of(void *pointer)
{
    struct vts_call *call = pointer;

    VTS_ASSERT(call->magic == CALL_MAGIC);
    return call;
}

struct vts_str vts_call_note(struct vts_call *call, struct vts_str text)
{
    return vts_str_make(vts_arena_strndup(&call->notes, text.ptr, text.len), text.len);
}

/* ---- beginning and end -------------------------------------------------------------------- */

/* The handler hears of nothing any more. */
static void end_handler(struct vts_call *call)
{
    const struct vts_call_handler *handler = call->handler;

    call->handler = NULL;
    if (handler != NULL && handler->on_end != NULL)
        handler->on_end(call);
}

static void call_free(struct vts_call *call)
{
    struct vts_rpc_loop *loop = call->loop;

    (void)vts_call_drop_outgoing(call); /* whatever the peer has of it */
    vts_rpc_loop_drop_ref(loop, call);
    vts_envelope_reader_fini(&call->reader);
    vts_buf_fini(&call->raw);
    vts_buf_fini(&call->only);
    vts_arena_fini(&call->arena);
    vts_arena_fini(&call->notes);
    vts_list_remove(&call->link);
    call->magic = 0;
    if (loop->idle_calls_count >= IDLE_CALLS_MAX) {
        vts_mem_free(call);
        return;
    }
    vts_list_push_back(&loop->idle_calls, &call->link);
    loop->idle_calls_count++;
}

static void on_close(void *user)
{
    struct vts_call *call = of(user);

    if (call->state != VTS_CALL_OVER)
        vts_rpc_count(&call->counts->handled[VTS_RPC_CANCELLED]);
    call->state = VTS_CALL_OVER;
    vts_exchange_stop_timer(call->exchange, &call->timer);
    end_handler(call);
    call_free(call);
}

static const struct vts_exchange_user_ops exchange_user_ops = {
    .on_body = vts_call_on_body,
    .on_body_end = vts_call_on_body_end,
    .read = vts_call_read,
    .on_close = on_close,
};

static void on_deadline(void *context)
{
    struct vts_call *call = of(context);

    if (call->is_capped)
        vts_limits_hit(call->loop->rpc->options.limits, VTS_LIMIT_UNARY_MS);
    vts_call_break(call, VTS_RPC_DEADLINE_EXCEEDED, "the deadline has passed");
}

static struct vts_call *take_idle(struct vts_rpc_loop *loop)
{
    struct vts_list *link = loop->idle_calls.prev; /* the last one used, which the caches know */

    if (vts_list_is_empty(&loop->idle_calls))
        return vts_mem_alloc(sizeof(struct vts_call));
    vts_list_remove(link);
    loop->idle_calls_count--;
    return VTS_CONTAINER_OF(link, struct vts_call, link);
}

static size_t arena_max_bytes(const struct vts_rpc_method *method)
{
    size_t max_bytes = method->request_max_bytes * ARENA_FACTOR;

    return max_bytes < ARENA_LEAST_BYTES ? ARENA_LEAST_BYTES : max_bytes;
}

struct vts_call *vts_call_new(struct vts_rpc_loop *loop, struct vts_exchange *exchange,
                              const struct vts_rpc_method *method,
                              const struct vts_dialect *dialect, enum vts_codec codec,
                              const char *content_type)
{
    struct vts_call *call = take_idle(loop);

    if (call == NULL)
        return NULL;
    memset(call, 0, sizeof(*call));
    call->magic = CALL_MAGIC;
    call->exchange = exchange;
    call->loop = loop;
    call->method = method;
    call->counts = &loop->counts[method - loop->rpc->methods];
    vts_rpc_count(&call->counts->started);
    call->dialect = dialect;
    call->codec = codec;
    call->content_type = content_type;
    call->timeout_ns = -1;
    call->deadline_ns = INT64_MAX;
    vts_timer_init(&call->timer, on_deadline, call);
    vts_arena_init(&call->arena, arena_max_bytes(method));
    vts_arena_init(&call->notes, NOTES_MAX_BYTES);
    vts_envelope_reader_init(&call->reader, method->request_max_bytes);
    vts_buf_init(&call->raw, dialect->has_envelopes ? RAW_MAX_BYTES : method->request_max_bytes);
    vts_buf_init(&call->only, method->request_max_bytes);
    vts_list_init(&call->link);
    vts_list_push_back(&loop->calls, &call->link);
    vts_exchange_attach(exchange, &exchange_user_ops, call);
    exchange->is_body_due = vts_rpc_has_one_request(method); /* a stream may begin with silence */
    return call;
}

const struct vts_call_handler *vts_call_handler_of(struct vts_call *call)
{
    if (call->handler == NULL && call->state != VTS_CALL_OVER)
        call->handler = call->method->handler;
    return call->handler;
}

void vts_call_tell_drain(struct vts_call *call)
{
    if (call->loop->is_draining && call->state != VTS_CALL_OVER && call->handler != NULL &&
        call->handler->on_drain != NULL)
        call->handler->on_drain(call);
}

void vts_call_set_get(struct vts_call *call)
{
    call->is_get = true;
}

void vts_call_bound(struct vts_call *call)
{
    int64_t cap_ns = vts_call_now_ns(call) +
                     vts_limits_get_ns(call->loop->rpc->options.limits, VTS_LIMIT_UNARY_MS);

    call->is_capped =
        vts_rpc_has_one_response(call->method) && !call->is_kept && cap_ns < call->deadline_ns;
    if (call->is_capped)
        call->deadline_ns = cap_ns;
    vts_call_arm_deadline(call);
}

void vts_call_arm_deadline(struct vts_call *call)
{
    if (call->deadline_ns != INT64_MAX && call->state != VTS_CALL_OVER)
        vts_exchange_set_timer(call->exchange, &call->timer, call->deadline_ns);
}

/* ---- the outcome --------------------------------------------------------------------------- */

/* NULL without memory, for the code alone must do then. What is too long is cut off behind a whole
 * character. */
static const char *note_message(struct vts_call *call, const char *message)
{
    size_t len = message == NULL ? 0 : strlen(message);

    if (len > OUTCOME_TEXT_MAX_BYTES) {
        len = OUTCOME_TEXT_MAX_BYTES;
        while (len > 0 && ((unsigned char)message[len] & 0xc0) == 0x80)
            len--;
    }
    return len == 0 ? NULL : vts_arena_strndup(&call->notes, message, len);
}

static void note_details(struct vts_call *call, const struct vts_error_detail *details,
                         size_t count)
{
    struct vts_error_detail *copies;

    VTS_ASSERT(count <= VTS_CALL_DETAILS_MAX);
    copies = count == 0 ? NULL : vts_arena_alloc(&call->notes, count * sizeof(*copies));
    if (copies == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        copies[i].type = vts_call_note(call, vts_str_of(details[i].type)).ptr;
        copies[i].value = vts_call_note(call, details[i].value);
        if (copies[i].type == NULL || copies[i].value.ptr == NULL)
            return;
    }
    call->details = copies;
    call->details_count = count;
}

/* The outcome of a method with one answer that gave none. */
static enum vts_rpc_code check_answer(struct vts_call *call, enum vts_rpc_code code)
{
    if (code != VTS_RPC_OK || !vts_rpc_has_one_response(call->method) || call->out.is_there ||
        call->reply != VTS_REPLY_NONE || call->http_code != 0)
        return code;
    call->message = "the method gave no answer";
    return VTS_RPC_INTERNAL;
}

static void fix_outcome(struct vts_call *call, enum vts_rpc_code code)
{
    call->code = check_answer(call, code);
    call->state = VTS_CALL_OVER;
    vts_rpc_count(&call->counts->handled[call->code]);
    call->exchange->is_body_due = false;
    vts_exchange_stop_timer(call->exchange, &call->timer);
    vts_call_drop_body(call);
    call->exchange->response.ends_request = !call->is_body_complete;
    if (call->reply == VTS_REPLY_NONE)
        call->dialect->reply(call);
    else
        vts_exchange_resume(call->exchange);
}

void vts_call_fail(struct vts_call *call, enum vts_rpc_code code, const char *message,
                   const struct vts_error_detail *details, size_t details_count)
{
    VTS_ASSERT(code <= VTS_RPC_UNAUTHENTICATED);
    if (call->state == VTS_CALL_OVER)
        return;
    call->message = note_message(call, message);
    note_details(call, details, details_count);
    fix_outcome(call, code);
}

void vts_call_finish(struct vts_call *call, enum vts_rpc_code code, const char *message)
{
    vts_call_fail(call, code, message, NULL, 0);
}

/* Between two messages an outcome can be told; in the midst of one only a reset is true. */
static void break_off(struct vts_call *call, enum vts_rpc_code code)
{
    call->code = code;
    call->state = VTS_CALL_OVER;
    vts_rpc_count(&call->counts->handled[code]);
    call->exchange->is_body_due = false;
    vts_exchange_stop_timer(call->exchange, &call->timer);
    vts_call_drop_body(call);
    vts_exchange_reset(call->exchange);
}

void vts_call_break(struct vts_call *call, enum vts_rpc_code code, const char *message)
{
    if (call->state == VTS_CALL_OVER)
        return;
    if (vts_call_drop_outgoing(call))
        vts_call_finish(call, code, message);
    else
        break_off(call, code);
    end_handler(call);
}

/* ---- what handlers ask --------------------------------------------------------------------- */

void *vts_call_context(const struct vts_call *call)
{
    return call->method->context;
}

void *vts_call_data(const struct vts_call *call)
{
    return call->data;
}

void vts_call_set_data(struct vts_call *call, void *data)
{
    call->data = data;
}

const char *vts_call_path(const struct vts_call *call)
{
    return call->method->path;
}

int64_t vts_call_deadline_ns(const struct vts_call *call)
{
    return call->deadline_ns;
}

int64_t vts_call_timeout_ns(const struct vts_call *call)
{
    return call->timeout_ns;
}

int64_t vts_call_now_ns(const struct vts_call *call)
{
    return vts_exchange_now_ns(call->exchange);
}

uint64_t vts_call_peer_number(const struct vts_call *call)
{
    return vts_exchange_peer_number(call->exchange);
}

void vts_call_write_peer(const struct vts_call *call, char ret_text[VTS_PEER_TEXT_BYTES])
{
    vts_exchange_write_peer(call->exchange, ret_text);
}

const struct vts_header *vts_call_headers(const struct vts_call *call, size_t *ret_count)
{
    *ret_count = call->reply == VTS_REPLY_NONE ? call->exchange->request.headers_count : 0;
    return *ret_count == 0 ? NULL : call->exchange->request.headers;
}

unsigned vts_call_loop_index(const struct vts_call *call)
{
    return call->loop->index;
}

struct vts_str vts_call_query(const struct vts_call *call)
{
    return call->is_get && call->reply == VTS_REPLY_NONE ? call->exchange->request.query
                                                         : vts_str_make(NULL, 0);
}

bool vts_call_was_compressed(const struct vts_call *call)
{
    return call->was_compressed;
}

void vts_call_hit_limit(const struct vts_call *call, enum vts_limit limit)
{
    vts_limits_hit(call->loop->rpc->options.limits, limit);
}

bool vts_call_is_over(const struct vts_call *call)
{
    return call->state == VTS_CALL_OVER;
}

void vts_call_set_timer(struct vts_call *call, struct vts_timer *timer, int64_t due_ns)
{
    vts_exchange_set_timer(call->exchange, timer, due_ns);
}

void vts_call_stop_timer(struct vts_call *call, struct vts_timer *timer)
{
    vts_exchange_stop_timer(call->exchange, timer);
}

/* ---- metadata ------------------------------------------------------------------------------ */

static enum vts_err grow_metadata(struct vts_call *call, struct vts_call_metadata *metadata)
{
    size_t cap = metadata->cap == 0 ? 4 : 2 * metadata->cap;
    struct vts_header *items;

    if (metadata->count < metadata->cap)
        return VTS_OK;
    items = vts_arena_alloc(&call->notes, cap * sizeof(*items));
    if (items == NULL)
        return VTS_ERR_NOMEM;
    if (metadata->count > 0)
        memcpy(items, metadata->items, metadata->count * sizeof(*items));
    metadata->items = items;
    metadata->cap = cap;
    return VTS_OK;
}

static enum vts_err add_metadata(struct vts_call *call, struct vts_call_metadata *metadata,
                                 const char *name, struct vts_str value)
{
    struct vts_str key = vts_str_of(name);
    size_t bytes = key.len + value.len + VTS_FIELD_EXTRA_BYTES;
    struct vts_header copy;

    if (!vts_metadata_is_name(key) || vts_metadata_is_reserved(key) ||
        !vts_metadata_is_ascii_value(value))
        return VTS_ERR_INVALID;
    if (call->headers.count + call->trailers.count >= METADATA_COUNT_MAX ||
        call->headers.bytes + call->trailers.bytes + bytes > VTS_METADATA_MAX_BYTES)
        return VTS_ERR_LIMIT;
    copy.name = vts_call_note(call, key);
    copy.value = vts_call_note(call, value);
    if (copy.name.ptr == NULL || copy.value.ptr == NULL || grow_metadata(call, metadata) != VTS_OK)
        return VTS_ERR_NOMEM;
    metadata->items[metadata->count++] = copy;
    metadata->bytes += bytes;
    return VTS_OK;
}

enum vts_err vts_call_add_header(struct vts_call *call, const char *name, struct vts_str value)
{
    if (call->reply != VTS_REPLY_NONE || call->state == VTS_CALL_OVER)
        return VTS_ERR_INVALID;
    return add_metadata(call, &call->headers, name, value);
}

enum vts_err vts_call_add_trailer(struct vts_call *call, const char *name, struct vts_str value)
{
    if (call->state == VTS_CALL_OVER)
        return VTS_ERR_INVALID;
    return add_metadata(call, &call->trailers, name, value);
}

enum vts_err vts_call_keep(struct vts_call *call, uint32_t watches_count)
{
    if (!vts_exchange_keep(call->exchange, watches_count))
        return VTS_ERR_LIMIT;
    call->is_kept = true;
    vts_arena_fini(&call->arena);
    return VTS_OK;
}

/* ---- hints for REST ------------------------------------------------------------------------- */

void vts_call_hint(struct vts_call *call, const struct vts_call_hints *hints)
{
    struct vts_call_hints *copy;

    if (call->binding == NULL || call->state == VTS_CALL_OVER)
        return;
    copy = vts_arena_alloc(&call->notes, sizeof(*copy));
    if (copy == NULL)
        return;
    *copy = *hints;
    copy->location = vts_call_note(call, hints->location);
    if (copy->location.ptr != NULL)
        call->hints = copy;
}

/* ---- conditional GET ------------------------------------------------------------------------ */

static bool is_reading(const struct vts_call *call)
{
    enum vts_method verb = call->exchange->request.method;

    return verb == VTS_METHOD_GET || verb == VTS_METHOD_HEAD;
}

bool vts_call_is_current(struct vts_call *call, struct vts_str etag)
{
    struct vts_str known = call->exchange->request.fields[VTS_FIELD_IF_NONE_MATCH];
    struct vts_response *response = &call->exchange->response;
    struct vts_str copy;

    if ((!call->is_get && call->binding == NULL) || call->reply != VTS_REPLY_NONE ||
        call->state == VTS_CALL_OVER)
        return false;
    copy = vts_call_note(call, etag);
    if (copy.ptr == NULL)
        return false; /* an answer without its tag is a whole answer still */
    vts_response_add(response, "etag", copy);
    vts_response_add_text(response, "cache-control", "no-cache");
    if (!is_reading(call) || known.ptr == NULL || !vts_etag_is_listed(known, etag))
        return false;
    call->http_code = 304;
    vts_call_finish(call, VTS_RPC_OK, NULL);
    return true;
}

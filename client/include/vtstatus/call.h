/* SPDX-License-Identifier: Apache-2.0 */
/* vtstatus/call.h - calls any method of a server, with JSON in and out, and asks what there is.
 *
 *     static bool print(const char *json, size_t len, void *context)
 *     {
 *         (void)context;
 *         return fwrite(json, 1, len, stdout) == len && putchar('\n') == '\n';
 *     }
 *
 *     struct vts_call_options options;
 *
 *     vts_call_options_init(&options);
 *     options.on_message = print;
 *     if (vts_call_json(client, "vtstatus.v1.StatusService/GetStatus", "{\"jobId\":\"7f3c\"}",
 *                       &options, &error) != VTS_CLIENT_OK)
 *         fprintf(stderr, "%s\n", error.text);
 *
 * For methods that the rest of the library has no function for, and for tools. The JSON is
 * ProtoJSON (https://protobuf.dev/programming-guides/json/), which the server turns into messages
 * and back, so that the caller need not know their types.
 *
 * Conventions and threads are those of <vtstatus/client.h>.
 */
#ifndef VTSTATUS_CALL_H
#define VTSTATUS_CALL_H

#include <vtstatus/jobs.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- calling ----------------------------------------------------------------------------- */

enum vts_call_kind {
    VTS_CALL_ANY = 0,    /* found out: as unary first, which a method of streams refuses */
    VTS_CALL_UNARY = 1,  /* one request, one response */
    VTS_CALL_STREAM = 2, /* one request, a stream of responses */
};

/* Takes a response: one line of JSON or more, UTF-8 of len bytes and a NUL, gone after the return.
 * It has no control characters but white space. Called in the calling thread. Returning false ends
 * the call with VTS_CLIENT_CANCELLED. */
typedef bool (*vts_call_fn)(const char *json, size_t len, void *context);

struct vts_call_options {
    size_t size; /* set by vts_call_options_init */
    enum vts_call_kind kind;
    /* HTTP fields to send beside the library's own, such as {"x-request-id", "7"}: a name of HTTP
     * and a value without control characters, together at most 8192 bytes each, 64 of them at
     * most. Those that make the call what it is, such as Content-Type, cannot be set. */
    const struct vts_pair *fields;
    size_t fields_count;
    vts_call_fn on_message; /* NULL: responses are dropped */
    void *context;          /* for on_message */
};

/* As vts_client_options_init_sized. */
VTS_API void vts_call_options_init_sized(struct vts_call_options *options, size_t size);
static inline void vts_call_options_init(struct vts_call_options *options)
{
    vts_call_options_init_sized(options, sizeof(*options));
}

/* Calls a method, "package.Service/Method", with the request `json`; NULL or "" is "{}". It is sent
 * once: nobody knows whether doing it twice does harm. options NULL means the defaults.
 *
 * A unary call takes at most the client's request_timeout. A stream takes as long as it takes; its
 * first bytes must come within request_timeout.
 *
 * VTS_CLIENT_OK: the server ended the call well. VTS_CLIENT_NOT_FOUND: there is no such method, or
 * the method did not find what it was asked for; error->rpc_code tells (12 and 5). VTS_CLIENT_USAGE
 * for a bad argument, and for JSON that the server does not take; error->http_code is 0 for the
 * first. Other errors as of any call; error->rpc_code is the server's code, and the client's log
 * function hears of the error's details. Responses that came before an error were handed on. */
VTS_API enum vts_client_code vts_call_json(struct vts_client *client, const char *method,
                                           const char *json, const struct vts_call_options *options,
                                           struct vts_client_error *error);

/* ---- what there is to call --------------------------------------------------------------- */

/* The services of a server. Immutable, for any number of threads. */
struct vts_services;

/* Newer libraries may add fields at the end: never copy or index it. */
struct vts_method {
    const char *name;          /* "GetStatus" */
    const char *request_type;  /* "vtstatus.v1.GetStatusRequest" */
    const char *response_type; /* the same */
    bool is_client_streaming;
    bool is_server_streaming;
    bool is_repeatable; /* the server says that doing it twice does no harm */
};

/* Asks for all services, or, when `service` is neither NULL nor "", for the one of that full name,
 * with their methods, by gRPC server reflection (v1, or v1alpha where there is no other).
 *
 * *ret_services belongs to the caller and is written only on VTS_CLIENT_OK. VTS_CLIENT_NOT_FOUND:
 * no such service. VTS_CLIENT_REFUSED with rpc_code 12: the server does not offer reflection. */
VTS_API enum vts_client_code vts_list_services(struct vts_client *client, const char *service,
                                               struct vts_services **ret_services,
                                               struct vts_client_error *error);
VTS_API void vts_services_free(struct vts_services *services);
VTS_API size_t vts_services_count(const struct vts_services *services);
/* The full name, of letters, digits, '_' and '.'; index is below the count. */
VTS_API const char *vts_services_name(const struct vts_services *services, size_t index);
VTS_API size_t vts_services_method_count(const struct vts_services *services, size_t index);
/* As the .proto file has them; method is below the count. Its names are as above. Lives as long as
 * the services. */
VTS_API const struct vts_method *vts_services_method(const struct vts_services *services,
                                                     size_t index, size_t method);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* job_list.c - a walk through pages of jobs.
 *
 * The filter is kept as the request it becomes, in an arena that lives as long as the walk; each
 * page changes nothing in it but the token. Jobs are made of a page's messages one at a time, as
 * they are asked for.
 */
#include <string.h>

#include "client/src/call_options.h"
#include "client/src/client.h"
#include "client/src/failure.h"
#include "client/src/job.h"
#include "client/src/message.h"
#include "client/src/rpc.h"
#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/wire/pb_time.h"
#include "vtstatus/v1/job_service.pb-c.h"

enum {
    MAX_FILTER_BYTES = 1 << 20,
    /* A filter may leave a page without jobs; a server that goes on so is broken. */
    MAX_EMPTY_PAGES = 100,
};

static const struct vts_rpc_method list_method = {
    "/vtstatus.v1.JobService/ListJobs", &vtstatus__v1__list_jobs_response__descriptor, true};

struct vts_job_list {
    struct vts_client *client;
    struct vts_arena arena;
    Vtstatus__V1__ListJobsRequest request;
    Google__Protobuf__Timestamp created_after;
    Google__Protobuf__Timestamp created_before;
    Vtstatus__V1__ListJobsResponse *page; /* without its jobs; NULL: none was asked for yet */
    Vtstatus__V1__Job **jobs;             /* the page's; those before next are handed out */
    size_t jobs_count;
    size_t next; /* in jobs */
};

/* ---- lifetime -------------------------------------------------------------------------------- */

static Vtstatus__V1__State *copy_states(const struct vts_list_options *options,
                                        struct vts_arena *arena)
{
    Vtstatus__V1__State *states = vts_arena_alloc(arena, options->states_count * sizeof(*states));

    for (size_t i = 0; states != NULL && i < options->states_count; i++)
        states[i] = (Vtstatus__V1__State)options->states[i]; /* the same numbers */
    return states;
}

static void fill_request(struct vts_job_list *list, const struct vts_list_options *options)
{
    const char *queue = vts_message_text(options->queue);
    Vtstatus__V1__ListJobsRequest *request = &list->request;

    vtstatus__v1__list_jobs_request__init(request);
    google__protobuf__timestamp__init(&list->created_after);
    google__protobuf__timestamp__init(&list->created_before);
    vts_pb_timestamp_set(&list->created_after, options->created_after_ns);
    vts_pb_timestamp_set(&list->created_before, options->created_before_ns);
    request->page_size = options->page_size;
    request->n_states = options->states_count;
    request->states = copy_states(options, &list->arena);
    request->queue = vts_arena_strndup(&list->arena, queue, strlen(queue));
    request->n_labels = options->labels_count;
    request->labels = vts_message_filters(options->labels, options->labels_count, &list->arena);
    request->created_after = options->created_after_ns != 0 ? &list->created_after : NULL;
    request->created_before = options->created_before_ns != 0 ? &list->created_before : NULL;
    request->order = options->is_oldest_first ? VTSTATUS__V1__JOB_ORDER__JOB_ORDER_OLDEST_FIRST
                                              : VTSTATUS__V1__JOB_ORDER__JOB_ORDER_NEWEST_FIRST;
}

enum vts_client_code vts_list_jobs(struct vts_client *client,
                                   const struct vts_list_options *options,
                                   struct vts_job_list **ret_list, struct vts_client_error *error)
{
    struct vts_list_options checked;
    struct vts_job_list *list;
    enum vts_client_code code;

    vts_failure_clear(error);
    code = vts_list_options_read(options, &checked, error);
    if (code != VTS_CLIENT_OK)
        return code;
    list = vts_mem_zalloc(sizeof(*list));
    if (list == NULL)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    list->client = client;
    vts_arena_init(&list->arena, MAX_FILTER_BYTES);
    fill_request(list, &checked);
    if (vts_arena_check(&list->arena) != VTS_OK) {
        vts_job_list_free(list);
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "there is no room for the filter");
    }
    *ret_list = list;
    return VTS_CLIENT_OK;
}

static void free_page(struct vts_job_list *list)
{
    for (size_t i = list->next; i < list->jobs_count; i++)
        vts_message_free(&list->jobs[i]->base);
    vts_mem_free(list->jobs); /* where messages are made is this heap */
    if (list->page != NULL)
        vts_message_free(&list->page->base);
    list->page = NULL;
    list->jobs = NULL;
    list->jobs_count = 0;
    list->next = 0;
}

static void adopt_page(struct vts_job_list *list, Vtstatus__V1__ListJobsResponse *page)
{
    free_page(list);
    list->page = page;
    list->jobs = page->jobs;
    list->jobs_count = page->n_jobs;
    page->jobs = NULL;
    page->n_jobs = 0;
}

void vts_job_list_free(struct vts_job_list *list)
{
    if (list == NULL)
        return;
    free_page(list);
    vts_arena_fini(&list->arena);
    vts_mem_free(list);
}

/* ---- walking --------------------------------------------------------------------------------- */

static bool has_more_pages(const struct vts_job_list *list)
{
    return list->page == NULL || list->page->next_page_token[0] != '\0';
}

static enum vts_client_code ask_for_page(struct vts_job_list *list, struct vts_client_error *error)
{
    struct vts_rpc_request request = {.method = &list_method, .message = &list->request.base};
    ProtobufCMessage *response = NULL;
    enum vts_client_code code;

    list->request.page_token =
        vts_message_text(list->page != NULL ? list->page->next_page_token : "");
    code = vts_rpc_call(list->client, &request, &response, error);
    if (code == VTS_CLIENT_OK)
        adopt_page(list, (Vtstatus__V1__ListJobsResponse *)response);
    return code;
}

enum vts_client_code vts_job_list_next(struct vts_job_list *list, struct vts_job **ret_job,
                                       struct vts_client_error *error)
{
    struct vts_client_error own;
    struct vts_error why = {.text = ""};
    enum vts_err err;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    for (int pages = 0; list->next == list->jobs_count && has_more_pages(list); pages++) {
        enum vts_client_code code = ask_for_page(list, error);

        if (code != VTS_CLIENT_OK)
            return code;
        if (pages == MAX_EMPTY_PAGES)
            return vts_rpc_undecodable(list->client, VTS_ERR_PROTOCOL,
                                       "there are pages without end, and no job in them", error);
    }
    if (list->next == list->jobs_count) {
        *ret_job = NULL;
        return VTS_CLIENT_OK;
    }
    err = vts_job_adopt(list->jobs[list->next++], ret_job, &why);
    if (err != VTS_OK)
        return vts_rpc_undecodable(list->client, err, why.text, error);
    return VTS_CLIENT_OK;
}

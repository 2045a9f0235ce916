/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_list.c - pages of jobs by age.
 *
 * A page is a walk through the tree of listed jobs from where the last page ended. It has a maximum
 * of jobs that are looked at and of bytes, so a page may be short, or even empty, and not the last.
 *
 * A page token says where the page ended, and for which query: the job's age and id, and a hash of
 * these and of the request without its page fields, so that one that was altered is noticed. It
 * holds after a restart, and nothing in it is secret: who makes up one with its hash begins a page
 * at another place, among jobs that may be listed anyway.
 */
#include <stdio.h>
#include <string.h>

#include "common/wire/pb_time.h"
#include "server/jobs/job.h"
#include "server/jobs/keeper_parts.h"

enum {
    PAGE_DEFAULT = 50,
    PAGE_MAX = 1000,
    PAGE_MAX_BYTES = 512 * 1024, /* of encoded records */
    LOOKED_AT_MAX = 100 * 1000,
    UNPACKING_LOOKS = 20, /* that take about as long */
    WORD_DIGITS = 16,
    TOKEN_MAX_BYTES = 2 * WORD_DIGITS + VTS_JOB_ID_MAX + 1,
};

struct page {
    struct vts_keeper *keeper;
    struct vts_keeper_command *command;
    const Vtstatus__V1__ListJobsRequest *query;
    const struct vts_keeper_queue *queue; /* NULL: any */
    uint32_t states;                      /* a bit each */
    uint32_t labels;
    bool is_oldest_first;
    int64_t after_ns;
    int64_t before_ns;
    size_t jobs_max;
    size_t bytes;
    size_t looked_at_count;
    const struct vts_keeper_job *last; /* that is dealt with */
    bool is_cut;                       /* there may be more */
    enum vts_err err;
};

/* ---- tokens ------------------------------------------------------------------------------ */

/* What the query asks for, but for the page, in 64 bits. */
static enum vts_err digest(struct vts_arena *arena, const Vtstatus__V1__ListJobsRequest *query,
                           bool is_oldest_first, uint64_t *ret_digest)
{
    static const struct vts_hash_key key = {{0, 0}};
    Vtstatus__V1__ListJobsRequest rest = *query;
    size_t len;
    uint8_t *bytes;

    rest.page_size = 0;
    rest.page_token = (char *)(uintptr_t)protobuf_c_empty_string;
    rest.order = is_oldest_first ? VTSTATUS__V1__JOB_ORDER__JOB_ORDER_OLDEST_FIRST
                                 : VTSTATUS__V1__JOB_ORDER__JOB_ORDER_NEWEST_FIRST;
    len = vtstatus__v1__list_jobs_request__get_packed_size(&rest);
    bytes = vts_arena_alloc(arena, len);
    if (bytes == NULL)
        return VTS_ERR_NOMEM;
    (void)vtstatus__v1__list_jobs_request__pack(&rest, bytes); /* it is len */
    *ret_digest = vts_hash(&key, vts_str_make(bytes, len));
    return VTS_OK;
}

/* Of the query and the place. */
static uint64_t seal(uint64_t digest, struct vts_job_place place)
{
    static const struct vts_hash_key key = {{0, 0}};
    char bytes[sizeof(digest) + sizeof(place.create_ns) + VTS_JOB_ID_MAX];
    size_t len = sizeof(digest) + sizeof(place.create_ns);

    memcpy(bytes, &digest, sizeof(digest));
    memcpy(bytes + sizeof(digest), &place.create_ns, sizeof(place.create_ns));
    memcpy(bytes + len, place.id.ptr, place.id.len);
    return vts_hash(&key, vts_str_make(bytes, len + place.id.len));
}

static char *write_token(struct vts_arena *arena, const struct vts_keeper_job *job, uint64_t digest)
{
    uint64_t check = seal(digest, vts_keeper_job_place(job));
    char *token = vts_arena_alloc(arena, TOKEN_MAX_BYTES);

    if (token == NULL)
        return NULL;
    (void)snprintf(token, TOKEN_MAX_BYTES, "%016llx%016llx%.*s", /* it always fits */
                   (unsigned long long)job->create_ns, (unsigned long long)check, job->id_len,
                   job->id);
    return token;
}

static bool read_word(const char *digits, uint64_t *ret_word)
{
    uint64_t word = 0;

    for (int i = 0; i < WORD_DIGITS; i++) {
        char c = digits[i];

        if (c >= '0' && c <= '9')
            word = word << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            word = word << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    *ret_word = word;
    return true;
}

static bool read_token(const char *token, uint64_t digest, struct vts_job_place *ret_place)
{
    uint64_t create_ns;
    uint64_t check;

    if (strlen(token) < (size_t)2 * WORD_DIGITS || !read_word(token, &create_ns) ||
        !read_word(token + WORD_DIGITS, &check))
        return false;
    ret_place->create_ns = (int64_t)create_ns;
    ret_place->id = vts_str_of(token + (size_t)2 * WORD_DIGITS);
    return vts_job_id_is_valid(ret_place->id) && check == seal(digest, *ret_place);
}

/* ---- the query --------------------------------------------------------------------------- */

static uint32_t state_bits(const Vtstatus__V1__ListJobsRequest *query)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < query->n_states; i++)
        if (query->states[i] > 0 && (int)query->states[i] <= VTS_JOB_CANCELLED)
            bits |= UINT32_C(1) << query->states[i];
    return query->n_states == 0 ? UINT32_MAX : bits;
}

static size_t page_size(const Vtstatus__V1__ListJobsRequest *query)
{
    if (query->page_size <= 0)
        return PAGE_DEFAULT;
    return query->page_size < PAGE_MAX ? (size_t)query->page_size : PAGE_MAX;
}

static void read_query(struct page *page)
{
    const Vtstatus__V1__ListJobsRequest *query = page->query;

    page->states = state_bits(query);
    page->labels = vts_keeper_label_bits(query->labels, query->n_labels);
    page->is_oldest_first = query->order == VTSTATUS__V1__JOB_ORDER__JOB_ORDER_OLDEST_FIRST;
    page->after_ns =
        query->created_after == NULL ? INT64_MIN : vts_pb_timestamp_ns(query->created_after);
    page->before_ns =
        query->created_before == NULL ? INT64_MAX : vts_pb_timestamp_ns(query->created_before);
    page->jobs_max = page_size(query);
}

/* ---- the walk ---------------------------------------------------------------------------- */

static bool has_all_labels(struct page *page, const struct vts_keeper_job *job)
{
    struct vts_arena *scratch = &page->keeper->scratch;
    Vtstatus__Store__V1__JobRecord *record;
    bool has_labels = false;

    if (page->query->n_labels == 0)
        return true;
    page->err = vts_keeper_job_read(job, scratch, &record);
    if (page->err == VTS_OK)
        has_labels = vts_keeper_has_labels(record->job, page->query->labels, page->query->n_labels);
    vts_arena_rewind(scratch);
    return has_labels;
}

static bool is_wanted(struct page *page, const struct vts_keeper_job *job)
{
    return job->create_ns > page->after_ns && job->create_ns < page->before_ns &&
           (page->states >> job->state & 1) != 0 &&
           (page->queue == NULL || job->queue == page->queue) &&
           (job->labels & page->labels) == page->labels && has_all_labels(page, job);
}

/* The walk has left the time that is asked for. */
static bool is_beyond(const struct page *page, const struct vts_keeper_job *job)
{
    return page->is_oldest_first ? job->create_ns >= page->before_ns
                                 : job->create_ns <= page->after_ns;
}

static bool is_full(const struct page *page, const struct vts_keeper_job *job)
{
    size_t count = page->command->jobs_count;

    return count == page->jobs_max || (count > 0 && page->bytes + job->record_len > PAGE_MAX_BYTES);
}

static void add_job(struct page *page, const struct vts_keeper_job *job)
{
    struct vts_keeper_command *command = page->command;
    Vtstatus__Store__V1__JobRecord *record;

    page->err = vts_keeper_job_read(job, &command->arena, &record);
    if (page->err != VTS_OK)
        return;
    command->jobs[command->jobs_count++] = record->job;
    page->keeper->batch.looks_left -= UNPACKING_LOOKS;
    page->bytes += job->record_len;
}

static bool look_at(struct vts_tree_node *node, void *context)
{
    const struct vts_keeper_job *job = VTS_CONTAINER_OF(node, struct vts_keeper_job, listed);
    struct page *page = context;

    if (is_beyond(page, job))
        return false;
    if (is_wanted(page, job)) {
        page->is_cut = is_full(page, job);
        if (!page->is_cut)
            add_job(page, job);
    }
    if (page->err != VTS_OK || page->is_cut)
        return false;
    page->last = job;
    page->keeper->batch.looks_left--;
    page->is_cut = ++page->looked_at_count == LOOKED_AT_MAX;
    return !page->is_cut;
}

/* A key behind all jobs of its instant: '~' is the last character of ids. */
static struct vts_job_place behind(int64_t create_ns)
{
    return (struct vts_job_place){.create_ns = create_ns, .id = vts_str_of("\x7f")};
}

static void walk(struct page *page, const struct vts_job_place *from)
{
    const struct vts_tree *listed = &page->keeper->listed;
    struct vts_job_place after = behind(page->after_ns);
    struct vts_job_place before = {.create_ns = page->before_ns, .id = vts_str_of("")};

    if (page->is_oldest_first)
        vts_tree_visit_after(listed, from != NULL ? from : &after, look_at, page);
    else
        vts_tree_visit_before(listed, from != NULL ? from : &before, look_at, page);
}

/* ---- the whole --------------------------------------------------------------------------- */

static enum vts_err make_page(struct page *page, const struct vts_job_place *from,
                              uint64_t query_digest)
{
    struct vts_keeper_command *command = page->command;
    struct vts_arena *arena = &command->arena;

    command->jobs = vts_arena_alloc(arena, page->jobs_max * sizeof(void *));
    if (command->jobs == NULL)
        return VTS_ERR_NOMEM;
    walk(page, from);
    if (page->err != VTS_OK || !page->is_cut)
        return page->err;
    command->next_page_token = write_token(arena, page->last, query_digest);
    return command->next_page_token == NULL ? VTS_ERR_NOMEM : VTS_OK;
}

void vts_keeper_list(struct vts_keeper *keeper, struct vts_keeper_command *command)
{
    const Vtstatus__V1__ListJobsRequest *query = command->list;
    struct page page = {.keeper = keeper, .command = command, .query = query};
    struct vts_job_place from = {.priority = 0};
    bool goes_on = query->page_token[0] != '\0';
    uint64_t query_digest = 0;
    enum vts_err err;

    command->next_page_token = "";
    read_query(&page);
    err = digest(&command->arena, query, page.is_oldest_first, &query_digest);
    if (err == VTS_OK && goes_on && !read_token(query->page_token, query_digest, &from)) {
        vts_keeper_refuse(command, VTS_KEEPER_BAD_PAGE_TOKEN);
        return;
    }
    if (query->queue[0] != '\0') {
        page.queue = vts_keeper_queue_find(keeper, vts_str_of(query->queue));
        if (page.queue == NULL)
            return; /* no job is in it */
    }
    if (err == VTS_OK)
        err = make_page(&page, goes_on ? &from : NULL, query_digest);
    if (err != VTS_OK)
        vts_keeper_refuse(command, VTS_KEEPER_NO_MEMORY);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_job_random.c - whatever comes in whatever order: what must hold after every event.
 *
 *   test_job_random [EVENTS [SEED]]
 *
 * Jobs are made one after the other, and events of all kinds come at them, with tokens right, old
 * and made up, at all kinds of times. The machine is compared with a model that is far simpler,
 * and each record with the one before. After each event the record is packed and unpacked. */
#include <CUnit/CUnit.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/rng.h"
#include "common/wire/pb_arena.h"
#include "common/wire/pb_time.h"
#include "server/jobs/job_record.h"
#include "tests/support/suite.h"
#include "tests/unit/server/jobs/job_model.h"

enum {
    STALE_TOKENS = 8,
    TOKEN_BYTES = 32,
    RECORD_MAX_BYTES = 64 * 1024,
    ARENA_MAX_BYTES = 1024 * 1024,
    STATES = VTS_JOB_CANCELLED + 1,
};

static const int64_t progress_gap_ns = (int64_t)250 * VTS_NS_PER_MS;

static uint64_t events_max = 200000;
static uint64_t seed = 1;

struct packed {
    size_t len;
    uint8_t bytes[RECORD_MAX_BYTES];
};

/* A record as bytes: all of it; without what only counts and dates the changes; and of the latter
 * what a client sees. */
struct image {
    struct packed record;
    struct packed bare;
    struct packed seen;
};

struct world {
    struct vts_rng rng;
    struct vts_arena arena;
    int64_t now_ns;
    uint64_t tokens_count;
    char stale[STALE_TOKENS][TOKEN_BYTES]; /* of leases that are over; some of them */

    /* The present job. */
    struct job_model model;
    Vtstatus__Store__V1__JobRecord *record;
    int64_t progress_ns;  /* when progress was last shown alone */
    float percent;        /* seen last in this attempt */
    unsigned ends_count;  /* since it was made or tried anew */
    struct image *before; /* the last event */
    struct image *after;

    uint64_t arrows[STATES][STATES];
    uint64_t repetitions[VTS_JOB_EVENT_TIME + 1]; /* of ends, by their kinds */
};

/* An event with the messages it points at. */
struct drawn {
    struct vts_job_event event;
    Vtstatus__V1__Progress progress;
    Google__Rpc__Status error;
    char token[TOKEN_BYTES];
};

/* ---- drawing ----------------------------------------------------------------------------- */

static uint64_t draw(struct world *world, uint64_t count)
{
    return vts_rng_next(&world->rng) % count;
}

static bool one_in(struct world *world, uint64_t count)
{
    return draw(world, count) == 0;
}

static char *draw_text(struct world *world)
{
    static const char *const texts[] = {"", "a", "b", "a longer one with \"quotes\""};

    return (char *)(uintptr_t)texts[draw(world, VTS_ARRAY_LEN(texts))];
}

/* From nothing to about max_ns, each order of magnitude as often as the others. */
static int64_t draw_span(struct world *world, int64_t max_ns)
{
    int64_t span_ns = max_ns;

    for (uint64_t i = draw(world, 10); i > 0; i--)
        span_ns /= 10;
    return (int64_t)draw(world, (uint64_t)span_ns + 1);
}

static float draw_percent(struct world *world)
{
    static const float odd[] = {NAN, -1, 0, 100, 101, INFINITY, -INFINITY, 1e-30F};

    if (one_in(world, 4))
        return odd[draw(world, VTS_ARRAY_LEN(odd))];
    return world->percent + (float)draw(world, 100) / 10 - 2;
}

/* Sometimes what is there already. */
static void draw_progress(struct world *world, Vtstatus__V1__Progress *progress)
{
    const Vtstatus__V1__Progress *seen = world->record->job->status->progress;

    if (seen != NULL && one_in(world, 4)) {
        *progress = *seen;
        return;
    }
    progress->percent = draw_percent(world);
    progress->phase = draw_text(world);
    progress->phase_index = (int32_t)draw(world, 3);
    progress->phase_count = (int32_t)draw(world, 2);
    progress->message = draw_text(world);
}

static const char *draw_token(struct world *world, struct drawn *drawn)
{
    switch (draw(world, 12)) {
    case 0:
        return NULL;
    case 1: /* nearly right */
        (void)snprintf(drawn->token, sizeof(drawn->token), "%.24s0", world->model.token);
        return drawn->token;
    case 2:
    case 3:
        return world->stale[draw(world, STALE_TOKENS)];
    default:
        (void)snprintf(drawn->token, sizeof(drawn->token), "%s", world->model.token);
        return drawn->token;
    }
}

static enum vts_job_event_kind draw_kind(struct world *world)
{
    static const struct {
        enum vts_job_event_kind kind;
        unsigned weight; /* of 100 */
    } rows[] = {
        {VTS_JOB_EVENT_HEARTBEAT, 36}, {VTS_JOB_EVENT_TIME, 24},    {VTS_JOB_EVENT_LEASE, 15},
        {VTS_JOB_EVENT_FAIL, 8},       {VTS_JOB_EVENT_RETRY, 7},    {VTS_JOB_EVENT_CANCEL, 4},
        {VTS_JOB_EVENT_RELEASE, 3},    {VTS_JOB_EVENT_COMPLETE, 3},
    };
    uint64_t at = draw(world, 100);
    size_t i = 0;

    while (at >= rows[i].weight)
        at -= rows[i++].weight;
    return rows[i].kind;
}

static void draw_event(struct world *world, struct drawn *drawn)
{
    *drawn = (struct drawn){.event = {.kind = draw_kind(world)},
                            .progress = VTSTATUS__V1__PROGRESS__INIT,
                            .error = GOOGLE__RPC__STATUS__INIT};
    draw_progress(world, &drawn->progress);
    drawn->error.code = (int32_t)draw(world, 3);
    drawn->error.message = draw_text(world);
    drawn->event.token = draw_token(world, drawn);
    drawn->event.worker_id = draw_text(world);
    drawn->event.progress = one_in(world, 5) ? NULL : &drawn->progress;
    drawn->event.output_uri = draw_text(world);
    drawn->event.error = one_in(world, 5) ? NULL : &drawn->error;
    drawn->event.is_retryable = !one_in(world, 5);
    drawn->event.retry_delay_ns =
        one_in(world, 2) ? -1 : draw_span(world, (int64_t)600 * VTS_NS_PER_S);
    drawn->event.reason = draw_text(world);
    if (drawn->event.kind == VTS_JOB_EVENT_LEASE) {
        (void)snprintf(drawn->token, sizeof(drawn->token), "token %llu",
                       (unsigned long long)world->tokens_count++);
        drawn->event.token = drawn->token;
    }
    if (drawn->event.kind == VTS_JOB_EVENT_LEASE || one_in(world, 5))
        drawn->event.lease_duration_ns =
            one_in(world, 100) ? INT64_MAX : 1 + draw_span(world, (int64_t)600 * VTS_NS_PER_S);
}

/* The report that ended the last attempt once more, or nearly. */
static void draw_end_again(struct world *world, struct drawn *drawn)
{
    const struct job_model *model = &world->model;
    enum vts_job_event_kind other = drawn->event.kind;

    drawn->event = model->end;
    drawn->error = model->end_error;
    (void)snprintf(drawn->token, sizeof(drawn->token), "%s", model->end_token);
    drawn->event.token = drawn->token;
    drawn->event.error = model->end.error == NULL ? NULL : &drawn->error;
    switch (draw(world, 12)) {
    case 0:
        drawn->event.kind = other == VTS_JOB_EVENT_LEASE ? VTS_JOB_EVENT_HEARTBEAT : other;
        break;
    case 1:
        drawn->event.token = NULL;
        break;
    case 2:
        drawn->event.output_uri = draw_text(world);
        break;
    case 3:
        drawn->event.is_retryable = !drawn->event.is_retryable;
        break;
    case 4:
        drawn->event.retry_delay_ns++;
        break;
    case 5:
        drawn->error.message = draw_text(world);
        break;
    case 6:
        drawn->event.error = NULL;
        break;
    default:
        break; /* as it was */
    }
}

/* Often to just when something is due, or just before. */
static void move_clock(struct world *world)
{
    int64_t due_ns = vts_job_due_ns(world->record);

    if (due_ns != INT64_MAX && due_ns > world->now_ns && one_in(world, 5))
        world->now_ns = due_ns - (int64_t)draw(world, 2);
    else if (!one_in(world, 5))
        world->now_ns += draw_span(world, (one_in(world, 20) ? 1000 : INT64_C(1)) * VTS_NS_PER_S);
}

/* ---- jobs -------------------------------------------------------------------------------- */

static void pack(const ProtobufCMessage *message, struct packed *ret_packed)
{
    ret_packed->len = protobuf_c_message_get_packed_size(message);
    if (ret_packed->len > sizeof(ret_packed->bytes))
        abort(); /* the texts of events are short: it grows without end */
    (void)protobuf_c_message_pack(message, ret_packed->bytes);
}

static bool is_same(const struct packed *a, const struct packed *b)
{
    return vts_str_equals(vts_str_make(a->bytes, a->len), vts_str_make(b->bytes, b->len));
}

static void take_image(const Vtstatus__Store__V1__JobRecord *record, struct image *ret_image)
{
    Vtstatus__Store__V1__JobRecord bare = *record;
    Vtstatus__V1__Job job = *record->job;
    Vtstatus__V1__JobStatus status = *record->job->status;

    status.update_time = NULL;
    status.revision = 0;
    job.status = &status;
    bare.job = &job;
    bare.version = 0;
    pack(&record->base, &ret_image->record);
    pack(&bare.base, &ret_image->bare);
    pack(&status.base, &ret_image->seen);
}

/* The image after the last event is the one before the next. */
static void reload(struct world *world)
{
    struct image *image = world->after;
    ProtobufCAllocator allocator = vts_pb_arena_allocator(&world->arena);

    world->after = world->before;
    world->before = image;
    vts_arena_reset(&world->arena);
    world->record =
        vtstatus__store__v1__job_record__unpack(&allocator, image->record.len, image->record.bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(world->record);
}

static void make_job(struct world *world)
{
    Vtstatus__V1__CreateJobRequest request = VTSTATUS__V1__CREATE_JOB_REQUEST__INIT;
    Vtstatus__V1__TranslationSpec spec = VTSTATUS__V1__TRANSLATION_SPEC__INIT;
    Google__Protobuf__Timestamp start = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Google__Protobuf__Duration span = GOOGLE__PROTOBUF__DURATION__INIT;

    spec.source_uri = (char *)(uintptr_t) "file:///a";
    spec.target_language = (char *)(uintptr_t) "de";
    request.spec = &spec;
    request.max_attempts = one_in(world, 4) ? 40 : 1 + (int32_t)draw(world, 5);
    vts_pb_timestamp_set(&start, world->now_ns + (int64_t)draw(world, 10) * VTS_NS_PER_S);
    request.start_time = one_in(world, 3) ? &start : NULL;
    span.seconds = (int64_t)draw(world, 100);
    span.nanos = 1 + (int32_t)draw(world, 1000);
    request.timeout = one_in(world, 3) ? &span : NULL;
    request.ttl = one_in(world, 3) ? &span : NULL;
    CU_ASSERT_EQUAL_FATAL(
        vts_job_record_new(&request, "job", world->now_ns, &world->arena, &world->record, NULL),
        VTS_OK);
    job_model_init(&world->model, &request);
    world->progress_ns = INT64_MIN / 2;
    world->percent = 0;
    world->ends_count = 0;
    take_image(world->record, world->after);
    reload(world);
}

/* ---- what must hold ---------------------------------------------------------------------- */

/* Each returns what is wrong, or NULL. */

/* Of the job before the event. */
struct past {
    enum vts_job_state state;
    uint64_t version;
    uint64_t revision;
};

static const char *check_model(const struct world *world, enum vts_job_refusal wanted,
                               enum vts_job_refusal refusal)
{
    const Vtstatus__V1__JobStatus *status = world->record->job->status;

    if (refusal != wanted)
        return "the model refuses otherwise";
    if (status->state != (Vtstatus__V1__State)world->model.state)
        return "the model is in another state";
    if (status->attempt != world->model.attempt)
        return "the model counts attempts otherwise";
    if (vts_job_is_leasable(world->record, world->now_ns) !=
        (world->model.state == VTS_JOB_PENDING && world->now_ns >= world->model.ready_ns))
        return "the model waits otherwise";
    return vts_job_check(world->record);
}

static const char *check_versions(const struct world *world, const struct past *past,
                                  const struct vts_job_change *change)
{
    const struct image *before = world->before;
    const struct image *after = world->after;

    if (change->refusal != VTS_JOB_REFUSAL_NONE && (change->is_changed || change->is_visible))
        return "a refusal changes something";
    if (change->is_changed == is_same(&before->bare, &after->bare))
        return "a change that is none, or one that is not told";
    if (!change->is_changed && !is_same(&before->record, &after->record))
        return "a version, a revision or its time moves without a change";
    if (change->is_visible == is_same(&before->seen, &after->seen))
        return "a revision without a difference, or a difference without a revision";
    if (world->record->version != past->version + change->is_changed)
        return "the version does not count changes";
    if (world->record->job->status->revision != past->revision + change->is_visible)
        return "the revision does not count visible changes";
    if (change->is_visible &&
        vts_pb_timestamp_ns(world->record->job->status->update_time) != world->now_ns)
        return "a revision without its time";
    return NULL;
}

static const char *check_progress(struct world *world, const struct past *past,
                                  const struct vts_job_event *event,
                                  const struct vts_job_change *change)
{
    const Vtstatus__V1__JobStatus *status = world->record->job->status;
    float percent = status->progress == NULL ? 0 : status->progress->percent;
    bool is_under_way =
        world->model.state == VTS_JOB_RUNNING || world->model.state == VTS_JOB_CANCELLING;
    bool is_progress_alone =
        change->is_visible && is_under_way &&
        (event->kind == VTS_JOB_EVENT_HEARTBEAT || event->kind == VTS_JOB_EVENT_TIME);

    if (is_under_way && past->state != VTS_JOB_PENDING && percent < world->percent)
        return "the percent falls";
    if (is_under_way && past->state == VTS_JOB_PENDING && percent != 0)
        return "an attempt does not start at 0";
    world->percent = percent;
    if (is_under_way && world->record->held_progress == NULL && percent != world->model.percent)
        return "nothing is held back, and what was reported is not seen";
    if (world->model.state == VTS_JOB_FAILED && percent != world->model.percent)
        return "what was held back is lost at the end";
    if (event->kind == VTS_JOB_EVENT_TIME && world->record->held_progress != NULL &&
        world->now_ns >= vts_pb_timestamp_ns(status->update_time) + progress_gap_ns)
        return "progress is held back too long";
    if (!is_progress_alone)
        return NULL;
    if (world->now_ns - world->progress_ns < progress_gap_ns)
        return "progress is seen too often";
    world->progress_ns = world->now_ns;
    return NULL;
}

static const char *check_end(struct world *world, const struct past *past,
                             const struct vts_job_event *event)
{
    bool is_done = vts_job_is_done(world->model.state);

    if (vts_job_is_done(past->state) && past->state != world->model.state &&
        event->kind != VTS_JOB_EVENT_RETRY)
        return "what was done is not";
    if (vts_job_is_done(past->state) && !is_done)
        world->ends_count = 0;
    if (!vts_job_is_done(past->state) && is_done)
        world->ends_count++;
    if (world->ends_count != (is_done ? 1 : 0))
        return "it does not end exactly once";
    if ((vts_job_forget_ns(world->record) != INT64_MAX) != is_done)
        return "it may be forgotten and is not done, or is done and may not";
    if (event->kind == VTS_JOB_EVENT_TIME && vts_job_due_ns(world->record) != INT64_MAX &&
        vts_job_due_ns(world->record) <= world->now_ns)
        return "time has passed, and it is due all the same";
    return NULL;
}

/* ---- playing ----------------------------------------------------------------------------- */

/* To come back with when its lease is over. */
static void keep_token(struct world *world)
{
    (void)snprintf(world->stale[draw(world, STALE_TOKENS)], TOKEN_BYTES, "%s", world->model.token);
}

static const char *play_event(struct world *world, const struct vts_job_event *event)
{
    const struct past past = {.state = world->model.state,
                              .version = world->record->version,
                              .revision = world->record->job->status->revision};
    struct vts_job_change change;
    enum vts_job_refusal wanted;
    const char *wrong;

    if (vts_job_apply(world->record, event, world->now_ns, &world->arena, &change) != VTS_OK)
        return "out of memory";
    wanted = job_model_apply(&world->model, event, world->now_ns);
    if (world->model.has_end && wanted == VTS_JOB_REFUSAL_NONE && !change.is_changed)
        world->repetitions[event->kind]++;
    take_image(world->record, world->after);
    wrong = check_model(world, wanted, change.refusal);
    if (wrong == NULL)
        wrong = check_versions(world, &past, &change);
    if (wrong == NULL)
        wrong = check_progress(world, &past, event, &change);
    if (wrong == NULL)
        wrong = check_end(world, &past, event);
    world->arrows[past.state][world->model.state]++;
    if (past.state == VTS_JOB_RUNNING && past.state != world->model.state)
        keep_token(world);
    reload(world);
    return wrong;
}

static void play(struct world *world)
{
    for (uint64_t i = 0; i < events_max; i++) {
        struct drawn drawn;
        const char *wrong;

        if (i == 0 || one_in(world, vts_job_is_done(world->model.state) ? 8 : 2000))
            make_job(world);
        move_clock(world);
        draw_event(world, &drawn);
        if (world->model.has_end && one_in(world, 8))
            draw_end_again(world, &drawn);
        wrong = play_event(world, &drawn.event);
        if (wrong == NULL)
            continue;
        fprintf(stderr, "seed %llu, event %llu, of kind %d: %s\n", (unsigned long long)seed,
                (unsigned long long)i, (int)drawn.event.kind, wrong);
        CU_FAIL_FATAL("a promise does not hold");
    }
}

/* All that may happen has, and more than once, and nothing else. */
static void check_arrows(const struct world *world)
{
    static const bool may_be[STATES][STATES] = {
        [VTS_JOB_PENDING] =
            {[VTS_JOB_PENDING] = true, [VTS_JOB_RUNNING] = true, [VTS_JOB_CANCELLED] = true},
        [VTS_JOB_RUNNING] = {[VTS_JOB_RUNNING] = true,
                             [VTS_JOB_PENDING] = true,
                             [VTS_JOB_CANCELLING] = true,
                             [VTS_JOB_SUCCEEDED] = true,
                             [VTS_JOB_FAILED] = true},
        [VTS_JOB_CANCELLING] =
            {[VTS_JOB_CANCELLING] = true, [VTS_JOB_SUCCEEDED] = true, [VTS_JOB_CANCELLED] = true},
        [VTS_JOB_SUCCEEDED] = {[VTS_JOB_SUCCEEDED] = true},
        [VTS_JOB_FAILED] = {[VTS_JOB_FAILED] = true, [VTS_JOB_PENDING] = true},
        [VTS_JOB_CANCELLED] = {[VTS_JOB_CANCELLED] = true, [VTS_JOB_PENDING] = true},
    };

    for (int from = 0; from < STATES; from++)
        for (int to = 0; to < STATES; to++) {
            if (world->arrows[from][to] > 0)
                CU_ASSERT(may_be[from][to]);
            if (may_be[from][to] && events_max >= 100000)
                CU_ASSERT(world->arrows[from][to] > 10);
        }
}

static void check_repetitions(const struct world *world)
{
    for (int kind = VTS_JOB_EVENT_COMPLETE; kind <= VTS_JOB_EVENT_RELEASE; kind++)
        CU_ASSERT(world->repetitions[kind] > 10 || events_max < 100000);
}

static void promises_hold_whatever_happens(void)
{
    static struct image images[2];
    static struct world world;

    world = (struct world){
        .now_ns = INT64_C(1700000000) * VTS_NS_PER_S, .before = &images[0], .after = &images[1]};
    vts_rng_init(&world.rng, seed);
    vts_arena_init(&world.arena, ARENA_MAX_BYTES);
    play(&world);
    check_arrows(&world);
    check_repetitions(&world);
    vts_arena_fini(&world.arena);
}

static const struct vts_test tests[] = {
    {"promises_hold_whatever_happens", promises_hold_whatever_happens},
};

int main(int argc, char **argv)
{
    if (argc > 1 && vts_str_to_u64(vts_str_of(argv[1]), UINT64_MAX, &events_max) != VTS_OK)
        return EXIT_FAILURE;
    if (argc > 2 && vts_str_to_u64(vts_str_of(argv[2]), UINT64_MAX, &seed) != VTS_OK)
        return EXIT_FAILURE;
    return vts_test_run("test_job_random", tests, VTS_ARRAY_LEN(tests));
}

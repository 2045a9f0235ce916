/* SPDX-License-Identifier: Apache-2.0 */
/* sample_job.c - builds on protobuf-c's own encoder. */
#include "tests/unit/client/sample_job.h"

#include <CUnit/CUnit.h>

#include "client/src/job.h"
#include "client/src/message.h"

static const int64_t a_second = 1764159202; /* 2025-11-26 12:13:22 UTC */

static void fill_spec(Vtstatus__V1__TranslationSpec *spec)
{
    static Vtstatus__V1__TranslationSpec__OptionsEntry options[2];
    static Vtstatus__V1__TranslationSpec__OptionsEntry *list[] = {&options[0], &options[1]};

    vtstatus__v1__translation_spec__init(spec);
    vtstatus__v1__translation_spec__options_entry__init(&options[0]);
    vtstatus__v1__translation_spec__options_entry__init(&options[1]);
    options[0].key = (char *)"voice";
    options[0].value = (char *)"low";
    options[1].key = (char *)"no-name";
    options[1].value = (char *)"x";
    spec->source_uri = (char *)"file:///in.mp4";
    spec->source_language = (char *)"en";
    spec->target_language = (char *)"de";
    spec->n_options = 2;
    spec->options = list;
}

static void fill_status(Vtstatus__V1__JobStatus *status)
{
    vtstatus__v1__job_status__init(status);
    status->job_id = (char *)"j-1";
    status->status = VTSTATUS__V1__STATUS__STATUS_PENDING;
    status->state = VTSTATUS__V1__STATE__STATE_RUNNING;
    status->revision = 4;
    status->attempt = 2;
}

static void fill_attempt(Vtstatus__V1__Attempt *attempt)
{
    static Google__Protobuf__Timestamp start;
    static Google__Rpc__Status error;

    vtstatus__v1__attempt__init(attempt);
    google__protobuf__timestamp__init(&start);
    google__rpc__status__init(&error);
    start.seconds = a_second;
    error.code = 2;
    error.message = (char *)"no disk\nleft";
    attempt->number = 1;
    attempt->worker_id = (char *)"w-1";
    attempt->start_time = &start;
    attempt->error = &error;
}

Vtstatus__V1__Job *sample_job_message(void)
{
    static Vtstatus__V1__Job job;
    static Vtstatus__V1__TranslationSpec spec;
    static Vtstatus__V1__JobStatus status;
    static Vtstatus__V1__Attempt attempt;
    static Vtstatus__V1__Attempt *attempts[] = {&attempt};
    static Vtstatus__V1__Job__LabelsEntry label;
    static Vtstatus__V1__Job__LabelsEntry *labels[] = {&label};
    static Google__Protobuf__Timestamp created;
    static Google__Protobuf__Duration timeout;

    vtstatus__v1__job__init(&job);
    vtstatus__v1__job__labels_entry__init(&label);
    google__protobuf__timestamp__init(&created);
    google__protobuf__duration__init(&timeout);
    fill_spec(&spec);
    fill_status(&status);
    fill_attempt(&attempt);
    label.key = (char *)"team";
    label.value = (char *)"a";
    created.seconds = a_second;
    timeout.seconds = 90;
    timeout.nanos = 500000000;
    job.id = (char *)"j-1";
    job.spec = &spec;
    job.status = &status;
    job.n_attempts = 1;
    job.attempts = attempts;
    job.n_labels = 1;
    job.labels = labels;
    job.create_time = &created;
    job.timeout = &timeout;
    job.max_attempts = 3;
    job.priority = -7;
    job.queue = (char *)"slow";
    return &job;
}

enum vts_err sample_job_adopt(const Vtstatus__V1__Job *message, struct vts_job **ret_job,
                              struct vts_error *error)
{
    size_t memory_bytes = 1 << 20;
    ProtobufCMessage *decoded = NULL;
    struct vts_buf bytes;
    enum vts_err err;

    vts_buf_init(&bytes, 1 << 20);
    vts_message_encode(&bytes, &message->base);
    err = vts_message_decode(vts_buf_str(&bytes), message->base.descriptor, &memory_bytes, &decoded,
                             error);
    vts_buf_fini(&bytes);
    return err != VTS_OK ? err : vts_job_adopt((Vtstatus__V1__Job *)decoded, ret_job, error);
}

struct vts_job *sample_job_of(const Vtstatus__V1__Job *message)
{
    struct vts_error error = {.text = ""};
    struct vts_job *job = NULL;

    CU_ASSERT_EQUAL_FATAL(sample_job_adopt(message, &job, &error), VTS_OK);
    return job;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_reflection.c - what the product's own files cannot show: extensions, and no memory. */
#include "server/rpc/reflection.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "common/wire/envelope.h"
#include "descriptor_set.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "server/rpc/router.h"
#include "tests/support/suite.h"
#include "tests/unit/common/symbols_set.h"
#include "tests/unit/server/fake_exchange.h"

enum { SET_MAX_BYTES = 64 * 1024, REQUESTS_MAX_BYTES = 4096, READ_BYTES = 1024 };

static struct fake_exchange fake;

struct bench {
    struct vts_limits limits;
    struct vts_buf set; /* the product's files and those of symbols.proto */
    struct vts_descriptor_files *files;
    struct vts_service_row rows[2];
    struct vts_rpc *rpc;
    struct vts_rpc_loop *loop;
    struct vts_router router;
    struct vts_buf asked;
    size_t looked; /* bytes of the answer's body */
};

static enum vts_err never_post(void *context, void (*fn)(void *), void *argument)
{
    (void)context;
    (void)fn;
    (void)argument;
    return VTS_ERR_LIMIT;
}

static void open_bench(struct bench *bench)
{
    struct vts_rpc_options options = {.services = bench->rows,
                                      .services_count = VTS_ARRAY_LEN(bench->rows),
                                      .limits = &bench->limits};

    memset(bench, 0, sizeof(*bench));
    vts_limits_init(&bench->limits);
    vts_buf_init(&bench->asked, REQUESTS_MAX_BYTES);
    /* Two sets in a row are a set. */
    vts_buf_init(&bench->set, SET_MAX_BYTES);
    vts_buf_append(&bench->set, symbols_set, symbols_set_len);
    vts_buf_append(&bench->set, vts_descriptor_set, vts_descriptor_set_len);
    CU_ASSERT_EQUAL_FATAL(vts_buf_check(&bench->set), VTS_OK);
    options.descriptor_set = vts_buf_str(&bench->set);
    CU_ASSERT_EQUAL_FATAL(vts_descriptor_files_new(options.descriptor_set, &bench->files), VTS_OK);
    bench->rows[0] = vts_reflection_row_v1alpha(bench->files);
    bench->rows[1] = vts_reflection_row_v1(bench->files);
    CU_ASSERT_EQUAL_FATAL(vts_rpc_new(&options, &bench->rpc, NULL), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_rpc_loop_new(bench->rpc, never_post, NULL, &bench->loop), VTS_OK);
    bench->router.rpc = bench->loop;
}

static void close_bench(struct bench *bench)
{
    vts_rpc_loop_free(bench->loop);
    vts_rpc_free(bench->rpc);
    vts_descriptor_files_free(bench->files);
    vts_buf_fini(&bench->set);
    vts_buf_fini(&bench->asked);
}

/* ---- a stream ---------------------------------------------------------------------------- */

static void begin(struct bench *bench)
{
    fake_exchange_init(&fake, VTS_METHOD_POST,
                       "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
    fake_exchange_add_header(&fake, "content-type", "application/grpc");
    vts_router_begin(&bench->router, &fake.exchange);
    bench->looked = 0;
}

/* Notes a question, which ask_all() then asks together with the others. */
static void note(struct bench *bench, const Grpc__Reflection__V1__ServerReflectionRequest *request)
{
    size_t len = protobuf_c_message_get_packed_size(&request->base);
    uint8_t prefix[VTS_ENVELOPE_PREFIX_BYTES];
    char *room;

    vts_envelope_write_prefix(0, len, prefix);
    vts_buf_append(&bench->asked, prefix, sizeof(prefix));
    room = vts_buf_reserve(&bench->asked, len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(room);
    vts_buf_commit(&bench->asked, protobuf_c_message_pack(&request->base, (uint8_t *)room));
}

static void ask_all(struct bench *bench)
{
    CU_ASSERT_EQUAL(fake_exchange_give(&fake, vts_buf_str(&bench->asked), SIZE_MAX),
                    bench->asked.len);
    vts_buf_consume(&bench->asked, bench->asked.len);
    fake_exchange_give_end(&fake);
    fake_exchange_read_all(&fake, READ_BYTES);
}

/* The next answer, which the caller frees. */
static Grpc__Reflection__V1__ServerReflectionResponse *next_answer(struct bench *bench)
{
    const unsigned char *at = (const unsigned char *)fake.body + bench->looked;
    size_t len;
    Grpc__Reflection__V1__ServerReflectionResponse *response;

    CU_ASSERT_FATAL(fake.body_len >= bench->looked + VTS_ENVELOPE_PREFIX_BYTES);
    len = (size_t)at[3] << 8 | at[4];
    CU_ASSERT_FATAL(fake.body_len >= bench->looked + VTS_ENVELOPE_PREFIX_BYTES + len);
    response = grpc__reflection__v1__server_reflection_response__unpack(
        NULL, len, at + VTS_ENVELOPE_PREFIX_BYTES);
    CU_ASSERT_PTR_NOT_NULL_FATAL(response);
    bench->looked += VTS_ENVELOPE_PREFIX_BYTES + len;
    return response;
}

static void free_answer(Grpc__Reflection__V1__ServerReflectionResponse *response)
{
    grpc__reflection__v1__server_reflection_response__free_unpacked(response, NULL);
}

/* The next answer has just these files, in this order; the list ends with NULL. */
static void expect_files(struct bench *bench, const char *const names[])
{
    Grpc__Reflection__V1__ServerReflectionResponse *response = next_answer(bench);
    size_t count = 0;

    CU_ASSERT_EQUAL_FATAL(response->message_response_case, 4);
    for (; names[count] != NULL &&
           count < response->file_descriptor_response->n_file_descriptor_proto;
         count++) {
        ProtobufCBinaryData bytes =
            response->file_descriptor_response->file_descriptor_proto[count];
        Google__Protobuf__FileDescriptorProto *file =
            google__protobuf__file_descriptor_proto__unpack(NULL, bytes.len, bytes.data);

        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        CU_ASSERT_STRING_EQUAL(file->name, names[count]);
        google__protobuf__file_descriptor_proto__free_unpacked(file, NULL);
    }
    CU_ASSERT_PTR_NULL(names[count]);
    CU_ASSERT_EQUAL(response->file_descriptor_response->n_file_descriptor_proto, count);
    free_answer(response);
}

static void expect_end(struct bench *bench, const char *grpc_status)
{
    CU_ASSERT_EQUAL(fake.body_len, bench->looked);
    CU_ASSERT(fake.is_over);
    CU_ASSERT_STRING_EQUAL(fake_exchange_trailer(&fake, "grpc-status"), grpc_status);
    fake_exchange_fini(&fake);
}

/* ---- questions --------------------------------------------------------------------------- */

static void note_file(struct bench *bench, const char *name)
{
    Grpc__Reflection__V1__ServerReflectionRequest request =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;

    request.message_request_case = 3;
    request.file_by_filename = (char *)(uintptr_t)name;
    note(bench, &request);
}

static void note_extension(struct bench *bench, const char *type, int32_t number)
{
    Grpc__Reflection__V1__ExtensionRequest extension =
        GRPC__REFLECTION__V1__EXTENSION_REQUEST__INIT;
    Grpc__Reflection__V1__ServerReflectionRequest request =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;

    extension.containing_type = (char *)(uintptr_t)type;
    extension.extension_number = number;
    request.message_request_case = 5;
    request.file_containing_extension = &extension;
    note(bench, &request);
}

static void note_numbers(struct bench *bench, const char *type)
{
    Grpc__Reflection__V1__ServerReflectionRequest request =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;

    request.message_request_case = 6;
    request.all_extension_numbers_of_type = (char *)(uintptr_t)type;
    note(bench, &request);
}

static void note_services(struct bench *bench)
{
    Grpc__Reflection__V1__ServerReflectionRequest request =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;

    request.message_request_case = 7;
    request.list_services = (char *)(uintptr_t) "*";
    note(bench, &request);
}

/* ---- tests ------------------------------------------------------------------------------- */

static void imports_are_sent_once_a_stream(void)
{
    static const char *const first[] = {"symbols_middle.proto", "symbols_base.proto", NULL};
    static const char *const second[] = {"symbols.proto", NULL};
    static const char *const again[] = {"symbols_base.proto", NULL};
    static const char *const all[] = {"symbols.proto", "symbols_middle.proto", "symbols_base.proto",
                                      NULL};
    struct bench bench;

    open_bench(&bench);
    begin(&bench);
    note_file(&bench, "symbols_middle.proto");
    note_file(&bench, "symbols.proto");
    note_file(&bench, "symbols_base.proto");
    ask_all(&bench);
    expect_files(&bench, first);
    expect_files(&bench, second);
    expect_files(&bench, again);
    expect_end(&bench, "0");
    begin(&bench); /* another stream has a memory of its own */
    note_file(&bench, "symbols.proto");
    ask_all(&bench);
    expect_files(&bench, all);
    expect_end(&bench, "0");
    close_bench(&bench);
}

static void extensions_are_found_by_their_numbers(void)
{
    static const char *const top[] = {"symbols.proto", "symbols_middle.proto", "symbols_base.proto",
                                      NULL};
    static const char *const again[] = {"symbols.proto", NULL};
    struct bench bench;
    Grpc__Reflection__V1__ServerReflectionResponse *response;

    open_bench(&bench);
    begin(&bench);
    note_extension(&bench, "vtstest.symbols.Base", 150);
    note_extension(&bench, ".vtstest.symbols.Base", 200);
    note_extension(&bench, "vtstest.symbols.Base", 151);
    ask_all(&bench);
    expect_files(&bench, top);
    expect_files(&bench, again);
    response = next_answer(&bench);
    CU_ASSERT_EQUAL_FATAL(response->message_response_case, 7);
    CU_ASSERT_EQUAL(response->error_response->error_code, VTS_RPC_NOT_FOUND);
    free_answer(response);
    expect_end(&bench, "0");
    close_bench(&bench);
}

static void extension_numbers_are_listed(void)
{
    static const int32_t numbers[] = {100, 150, 200};
    struct bench bench;
    Grpc__Reflection__V1__ServerReflectionResponse *response;

    open_bench(&bench);
    begin(&bench);
    note_numbers(&bench, ".vtstest.symbols.Base");
    ask_all(&bench);
    response = next_answer(&bench);
    CU_ASSERT_EQUAL_FATAL(response->message_response_case, 5);
    CU_ASSERT_STRING_EQUAL(response->all_extension_numbers_response->base_type_name,
                           "vtstest.symbols.Base");
    CU_ASSERT_EQUAL_FATAL(response->all_extension_numbers_response->n_extension_number,
                          VTS_ARRAY_LEN(numbers));
    CU_ASSERT_EQUAL(memcmp(response->all_extension_numbers_response->extension_number, numbers,
                           sizeof(numbers)),
                    0);
    free_answer(response);
    expect_end(&bench, "0");
    close_bench(&bench);
}

static void services_are_listed_by_name(void)
{
    struct bench bench;
    Grpc__Reflection__V1__ServerReflectionResponse *response;

    open_bench(&bench);
    begin(&bench);
    note_services(&bench);
    ask_all(&bench);
    response = next_answer(&bench);
    CU_ASSERT_EQUAL_FATAL(response->message_response_case, 6);
    CU_ASSERT_EQUAL_FATAL(response->list_services_response->n_service, 2);
    CU_ASSERT_STRING_EQUAL(response->list_services_response->service[0]->name,
                           "grpc.reflection.v1.ServerReflection");
    CU_ASSERT_STRING_EQUAL(response->list_services_response->service[1]->name,
                           "grpc.reflection.v1alpha.ServerReflection");
    free_answer(response);
    expect_end(&bench, "0");
    close_bench(&bench);
}

static void a_drain_ends_streams(void)
{
    struct bench bench;

    open_bench(&bench);
    begin(&bench);
    CU_ASSERT(fake_exchange_is_open(&fake));
    vts_rpc_loop_drain(bench.loop);
    fake_exchange_read_all(&fake, READ_BYTES);
    CU_ASSERT(fake.is_over);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "grpc-status"), "14");
    fake_exchange_fini(&fake);
    close_bench(&bench);
}

static void without_memory_a_stream_fails_alone(void)
{
    struct bench bench;
    bool has_failed = true;

    open_bench(&bench);
    for (long count = 0; has_failed; count++) {
        note_services(&bench);
        note_file(&bench, "symbols.proto");
        fake_exchange_init(&fake, VTS_METHOD_POST,
                           "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
        fake_exchange_add_header(&fake, "content-type", "application/grpc");
        CU_ASSERT_EQUAL(vts_mem_fail_after(count), 0);
        vts_router_begin(&bench.router, &fake.exchange);
        if (fake_exchange_is_open(&fake)) {
            (void)fake_exchange_give(&fake, vts_buf_str(&bench.asked), SIZE_MAX);
            fake_exchange_give_end(&fake);
            fake_exchange_read_all(&fake, READ_BYTES);
        }
        has_failed = vts_mem_fail_after(-1) == 1;
        CU_ASSERT(has_failed || strcmp(fake_exchange_trailer(&fake, "grpc-status"), "0") == 0);
        vts_buf_consume(&bench.asked, bench.asked.len);
        fake_exchange_fini(&fake);
    }
    close_bench(&bench);
}

static const struct vts_test tests[] = {
    {"imports_are_sent_once_a_stream", imports_are_sent_once_a_stream},
    {"extensions_are_found_by_their_numbers", extensions_are_found_by_their_numbers},
    {"extension_numbers_are_listed", extension_numbers_are_listed},
    {"services_are_listed_by_name", services_are_listed_by_name},
    {"a_drain_ends_streams", a_drain_ends_streams},
    {"without_memory_a_stream_fails_alone", without_memory_a_stream_fails_alone},
};

int main(void)
{
    return vts_test_run("test_reflection", tests, VTS_ARRAY_LEN(tests));
}

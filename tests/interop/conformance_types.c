/* SPDX-License-Identifier: Apache-2.0 */
/* conformance_types.c - the types that an Any of the conformance service may hold as JSON: all of
 * its package, and the well-known ones that errors carry as details.
 */
#include "common/base/macros.h"
#include "connectrpc/conformance/v1/client_compat.pb-c.h"
#include "connectrpc/conformance/v1/server_compat.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/empty.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "tests/interop/conformance_service.h"

const ProtobufCMessageDescriptor *const conformance_any_types[] = {
    /* config.proto */
    &connectrpc__conformance__v1__tlscreds__descriptor,
    /* service.proto */
    &connectrpc__conformance__v1__unary_response_definition__descriptor,
    &connectrpc__conformance__v1__stream_response_definition__descriptor,
    &connectrpc__conformance__v1__unary_request__descriptor,
    &connectrpc__conformance__v1__unary_response__descriptor,
    &connectrpc__conformance__v1__idempotent_unary_request__descriptor,
    &connectrpc__conformance__v1__idempotent_unary_response__descriptor,
    &connectrpc__conformance__v1__server_stream_request__descriptor,
    &connectrpc__conformance__v1__server_stream_response__descriptor,
    &connectrpc__conformance__v1__client_stream_request__descriptor,
    &connectrpc__conformance__v1__client_stream_response__descriptor,
    &connectrpc__conformance__v1__bidi_stream_request__descriptor,
    &connectrpc__conformance__v1__bidi_stream_response__descriptor,
    &connectrpc__conformance__v1__unimplemented_request__descriptor,
    &connectrpc__conformance__v1__unimplemented_response__descriptor,
    &connectrpc__conformance__v1__conformance_payload__descriptor,
    &connectrpc__conformance__v1__conformance_payload__request_info__descriptor,
    &connectrpc__conformance__v1__conformance_payload__connect_get_info__descriptor,
    &connectrpc__conformance__v1__error__descriptor,
    &connectrpc__conformance__v1__header__descriptor,
    &connectrpc__conformance__v1__raw_httprequest__descriptor,
    &connectrpc__conformance__v1__raw_httprequest__encoded_query_param__descriptor,
    &connectrpc__conformance__v1__message_contents__descriptor,
    &connectrpc__conformance__v1__stream_contents__descriptor,
    &connectrpc__conformance__v1__stream_contents__stream_item__descriptor,
    &connectrpc__conformance__v1__raw_httpresponse__descriptor,
    /* server_compat.proto, client_compat.proto */
    &connectrpc__conformance__v1__server_compat_request__descriptor,
    &connectrpc__conformance__v1__server_compat_response__descriptor,
    &connectrpc__conformance__v1__client_compat_request__descriptor,
    &connectrpc__conformance__v1__client_compat_request__cancel__descriptor,
    &connectrpc__conformance__v1__client_compat_response__descriptor,
    &connectrpc__conformance__v1__client_response_result__descriptor,
    &connectrpc__conformance__v1__client_error_result__descriptor,
    /* of google.protobuf */
    &google__protobuf__any__descriptor,
    &google__protobuf__duration__descriptor,
    &google__protobuf__empty__descriptor,
    &google__protobuf__struct__descriptor,
    &google__protobuf__value__descriptor,
    &google__protobuf__list_value__descriptor,
    &google__protobuf__timestamp__descriptor,
    &google__protobuf__double_value__descriptor,
    &google__protobuf__float_value__descriptor,
    &google__protobuf__int64_value__descriptor,
    &google__protobuf__uint64_value__descriptor,
    &google__protobuf__int32_value__descriptor,
    &google__protobuf__uint32_value__descriptor,
    &google__protobuf__bool_value__descriptor,
    &google__protobuf__string_value__descriptor,
    &google__protobuf__bytes_value__descriptor,
};

const size_t conformance_any_types_count = VTS_ARRAY_LEN(conformance_any_types);

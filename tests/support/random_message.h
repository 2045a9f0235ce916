/* SPDX-License-Identifier: Apache-2.0 */
/* Messages filled at random by their descriptors, such as JSON can say. */
#ifndef VTS_TESTS_RANDOM_MESSAGE_H
#define VTS_TESTS_RANDOM_MESSAGE_H

#include <protobuf-c/protobuf-c.h>

#include "common/base/rng.h"

/* Aborts without memory. Free it with protobuf_c_message_free_unpacked and a NULL allocator. */
ProtobufCMessage *vts_test_random_message(struct vts_rng *rng,
                                          const ProtobufCMessageDescriptor *type);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* interop_sets.h - what the descriptors of the interop services say, embedded.
 *
 * Each is a serialized google.protobuf.FileDescriptorSet of one package and all it imports; the
 * build makes them from proto/ beside this file.
 */
#ifndef VTS_TESTS_INTEROP_SETS_H
#define VTS_TESTS_INTEROP_SETS_H

#include <stddef.h>

/* grpc.testing */
extern const unsigned char interop_testing_set[];
extern const size_t interop_testing_set_len;

/* connectrpc.conformance.v1 */
extern const unsigned char interop_conformance_set[];
extern const size_t interop_conformance_set_len;

#endif

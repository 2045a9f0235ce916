/* SPDX-License-Identifier: Apache-2.0 */
/* The types of tests/unit/common/every_type.proto, as the JSON functions want them. */
#ifndef VTS_TESTS_EVERY_TYPE_H
#define VTS_TESTS_EVERY_TYPE_H

#include "common/wire/json.h"

/* The descriptors of every_type.proto and of all it imports, serialized; made at the first call
 * and freed at the program's end. */
struct vts_str vts_test_every_type_set(void);
/* With those descriptors, and the messages of every_type.proto and the well-known types for Any. */
const struct vts_json_types *vts_test_every_type(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the program that uses the library what is about to be sent. */
#ifndef VTS_CLIENT_REQUEST_H
#define VTS_CLIENT_REQUEST_H

#include <protobuf-c/protobuf-c.h>

#include "client/src/client.h"

/* message is what the request's body holds when that is protobuf, for its JSON; NULL: the body is
 * told as it is. VTS_CLIENT_OK: it may be sent. VTS_CLIENT_CANCELLED: it may not;
 * VTS_CLIENT_NO_MEMORY. error is not NULL. */
VTS_MUST_CHECK enum vts_client_code vts_request_tell(const struct vts_client *client,
                                                     const struct vts_request *request,
                                                     const ProtobufCMessage *message,
                                                     struct vts_client_error *error);

#endif

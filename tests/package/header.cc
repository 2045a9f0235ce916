// SPDX-License-Identifier: Apache-2.0
// A C++ program calls the library through its own header.
#include <vtstatus/client.h>

#include <cstring>

int main()
{
    vts_client_options client_options;
    vts_poll_options poll_options;

    vts_client_options_init(&client_options);
    vts_poll_options_init(&poll_options);
    return std::strlen(vts_version()) > 0 && poll_options.max_failures == 5 ? 0 : 1;
}

// SPDX-License-Identifier: Apache-2.0
// A C++ program calls the library through its own headers.
#include <vtstatus/call.h>
#include <vtstatus/wait.h>
#include <vtstatus/worker.h>

#include <cstring>

int main()
{
    vts_client_options client_options;
    vts_poll_options poll_options;
    vts_create_options create_options;
    vts_lease_options lease_options;
    vts_wait_options wait_options;
    vts_report report;

    vts_client_options_init(&client_options);
    vts_poll_options_init(&poll_options);
    vts_create_options_init(&create_options);
    vts_lease_options_init(&lease_options);
    vts_wait_options_init(&wait_options);
    vts_report_parse("progress 50 mux", &report);
    return std::strlen(vts_version()) > 0 && poll_options.max_failures == 5 &&
                   create_options.size == sizeof(create_options) && lease_options.duration == 60 &&
                   wait_options.mode == VTS_WAIT_AUTO &&
                   report.percent == 50
               ? 0
               : 1;
}

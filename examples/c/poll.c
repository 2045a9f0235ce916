/* SPDX-License-Identifier: Apache-2.0 */
/* poll.c - waits for a job and says how it ended.
 *
 *     cc poll.c $(pkg-config --cflags --libs vtstatus) -o poll
 *     ./poll https://localhost:5000 ca.pem default
 */
#include <stdio.h>

#include <vtstatus/client.h>

/* Called after every question; returning false would end the polling. */
static bool show(const struct vts_poll_event *event, void *context)
{
    (void)context;
    if (event->error != NULL)
        fprintf(stderr, "%s\n", event->error->text);
    else if (event->is_changed)
        printf("%s %.0f %% %s\n", vts_status_word(event->status), vts_status_percent(event->status),
               vts_status_phase(event->status));
    return true;
}

static int poll_job(struct vts_client *client, const char *job_id)
{
    struct vts_poll_options options;
    struct vts_client_error error;
    struct vts_status *status = NULL;
    int exit_code = 1;

    vts_poll_options_init(&options);
    options.deadline = 3600;
    options.on_status = show;
    if (vts_poll_status(client, job_id, &options, &status, &error) != VTS_CLIENT_OK) {
        fprintf(stderr, "%s\n", error.text);
    } else if (vts_status_value(status) == VTS_STATUS_COMPLETED) {
        printf("the result is at %s\n", vts_status_output_uri(status));
        exit_code = 0;
    } else {
        printf("the job failed: %s\n", vts_status_error_message(status));
    }
    vts_status_free(status);
    return exit_code;
}

int main(int argc, char *argv[])
{
    struct vts_client_options options;
    struct vts_client_error error;
    struct vts_client *client = NULL;
    int exit_code = 1;

    if (argc != 4) {
        fprintf(stderr, "usage: %s URL CA_FILE JOB\nwith libvtstatus %s\n", argv[0], vts_version());
        return 2;
    }
    vts_client_options_init(&options);
    options.url = argv[1];
    options.ca_file = argv[2];
    if (vts_client_new(&options, &client, &error) != VTS_CLIENT_OK)
        fprintf(stderr, "%s\n", error.text);
    else
        exit_code = poll_job(client, argv[3]);
    vts_client_free(client);
    return exit_code;
}

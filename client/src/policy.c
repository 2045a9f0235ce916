/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c - how others poll, as rows of numbers, so that a flag compares them with us.
 *
 * A row has what the source says and nothing of ours: where it knows no deadline there is none, and
 * where it does not listen to the server, nor does the row. Failed requests are another matter
 * (retry.h), in which all rows are alike. */
#include <string.h>

#include "client/src/failure.h"
#include "client/src/options.h"
#include "common/base/macros.h"

struct preset {
    const char *name;
    double interval;
    double factor;
    double max_interval;
    double jitter;
    double deadline;
    double max_hint; /* s; 0: max_interval */
    enum vts_jitter_kind jitter_kind;
    bool ignore_hints;
    bool is_first_hint_kept;
};

/* s; longer than anybody waits. */
#define YEAR (365.0 * 24 * 3600)

static const struct preset presets[] = {
    /* This library's own. */
    {"default", 1, 1.5, 20, 0.2, 0, 0, VTS_JITTER_AROUND, false, false},
    /* cloud.google.com/go/longrunning, longrunning.go: Wait() has gax.Backoff{Initial: 1s, Max:
     * 60s}. The factor of 2 and the draw from all of the wait are gax-go's Backoff.Pause(). */
    {"gax-go", 1, 2, 60, 1, 0, 0, VTS_JITTER_FULL, true, false},
    /* google-api-core, google/api_core/future/polling.py: DEFAULT_POLLING = Retry(initial=1.0,
     * maximum=20.0, multiplier=1.5, timeout=900). The draw is retry_base.py's
     * exponential_sleep_generator(): random.uniform(0.0, delay). */
    {"api-core-python", 1, 1.5, 20, 1, 900, 0, VTS_JITTER_FULL, true, false},
    /* azcore, sdk/azcore/runtime/poller.go: PollUntilDone() waits 30 s, or as long as Retry-After
     * says. No jitter, no deadline but the caller's context. */
    {"azure", 30, 1, 30, 0, 0, YEAR, VTS_JITTER_AROUND, false, false},
    /* Smithy 2.0, "waiter retries": minDelay 2 s, maxDelay 120 s, doubled, drawn between minDelay
     * and the delay. The longest wait of all is the caller's to say. */
    {"smithy", 2, 2, 120, 1, 0, 0, VTS_JITTER_ABOVE_LEAST, true, false},
    /* heygen-cli, internal/client: --wait has BaseDelay 2s, MaxDelay 30s, Timeout 10m;
     * backoffDelay() doubles, and draws from 0.75 to 1.25 of it. */
    {"heygen-cli", 2, 2, 30, 0.25, 600, 0, VTS_JITTER_AROUND, true, false},
    /* openai-python, resources/vector_stores/files.py, poll(): as long as the header
     * openai-poll-after-ms of the first answer says, or 1 s. */
    {"openai-python", 1, 1, 1, 0, 0, YEAR, VTS_JITTER_AROUND, false, true},
    /* What is written first: 1 s, doubled each time. Nobody's in particular, so that there is no
     * source to compare it with. */
    {"plain", 1, 2, YEAR, 0, 0, 0, VTS_JITTER_AROUND, true, false},
};

const char *vts_poll_preset_name(size_t index)
{
    return index < VTS_ARRAY_LEN(presets) ? presets[index].name : NULL;
}

enum vts_client_code vts_poll_options_preset(struct vts_poll_options *options, const char *name)
{
    struct vts_poll_options changed;

    if (options == NULL || name == NULL ||
        vts_poll_options_read(options, &changed, NULL) != VTS_CLIENT_OK)
        return VTS_CLIENT_USAGE;
    for (size_t i = 0; i < VTS_ARRAY_LEN(presets); i++) {
        const struct preset *preset = &presets[i];
        size_t size = options->size;

        if (strcmp(preset->name, name) != 0)
            continue;
        changed.interval = preset->interval;
        changed.backoff_factor = preset->factor;
        changed.max_interval = preset->max_interval;
        changed.jitter_kind = preset->jitter_kind;
        changed.jitter = preset->jitter;
        changed.deadline = preset->deadline;
        changed.ignore_hints = preset->ignore_hints;
        changed.max_hint = preset->max_hint;
        changed.is_first_hint_kept = preset->is_first_hint_kept;
        memcpy(options, &changed, size < sizeof(changed) ? size : sizeof(changed));
        options->size = size;
        return VTS_CLIENT_OK;
    }
    return VTS_CLIENT_USAGE;
}

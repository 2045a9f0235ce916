/* SPDX-License-Identifier: Apache-2.0 */
/* A job as people and as programs read it. */
#ifndef VTS_CLI_JOB_OUTPUT_H
#define VTS_CLI_JOB_OUTPUT_H

#include <stdio.h>

#include <vtstatus/jobs.h>

/* All that is known, a line each, and each attempt. */
void vts_cli_job_output_details(FILE *file, const struct vts_job *job, bool has_colors);
/* The columns of a table: their names, and a job's row. */
void vts_cli_job_output_heading(FILE *file);
void vts_cli_job_output_row(FILE *file, const struct vts_job *job, bool has_colors);
/* The job as one line of JSON. False without memory for it. */
bool vts_cli_job_output_json(FILE *file, const struct vts_job *job);

#endif

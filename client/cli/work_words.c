/* SPDX-License-Identifier: Apache-2.0 */
/* work_words.c - replaces {source} and its like; one pass, so that what is put in is not looked at
 * again. */
#include "client/cli/work_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PLACEHOLDERS = 5 };

static const char env_prefix[] = "VTSTATUS_OPTION_";

struct placeholder {
    const char *name;
    const char *value;
};

/* ---- arguments ------------------------------------------------------------------------------- */

/* The placeholder that text begins with, or NULL. */
static const struct placeholder *find(const struct placeholder *placeholders, const char *text)
{
    for (const struct placeholder *one = placeholders; one->name != NULL; one++)
        if (strncmp(text, one->name, strlen(one->name)) == 0)
            return one;
    return NULL;
}

static bool is_like_a_flag(const struct placeholder *placeholders, const char *word)
{
    const struct placeholder *first = find(placeholders, word);

    return first != NULL && first->value[0] == '-';
}

/* NULL without memory. */
static char *replace(const struct placeholder *placeholders, const char *word)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    if (file == NULL)
        return NULL;
    while (*word != '\0') {
        const struct placeholder *placeholder = find(placeholders, word);

        if (placeholder != NULL)
            fputs(placeholder->value, file);
        else
            fputc(*word, file);
        word += placeholder != NULL ? strlen(placeholder->name) : 1;
    }
    if (fclose(file) == 0)
        return text;
    free(text);
    return NULL;
}

static enum vts_cli_work_words_result fill_argv(const struct vts_cli_options *options,
                                                const struct placeholder *placeholders, char **argv)
{
    for (size_t i = 0; i < options->words_count; i++) {
        if (is_like_a_flag(placeholders, options->words[i]))
            return VTS_CLI_WORDS_LIKE_A_FLAG;
        argv[i] = replace(placeholders, options->words[i]);
        if (argv[i] == NULL)
            return VTS_CLI_WORDS_NO_MEMORY;
    }
    return VTS_CLI_WORDS_OK;
}

bool vts_cli_work_words_check_result(const char *result, const char **ret_wrong, int *ret_len)
{
    static const struct placeholder known[] = {
        {"{source}", ""}, {"{from}", ""}, {"{to}", ""}, {"{job}", ""}, {NULL, NULL}};

    for (const char *at = strchr(result, '{'); at != NULL; at = strchr(at + 1, '{')) {
        size_t len = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_");

        if (len == 0 || at[len + 1] != '}' || find(known, at) != NULL)
            continue;
        *ret_wrong = at;
        *ret_len = (int)len + 2;
        return false;
    }
    return true;
}

/* ---- environment ----------------------------------------------------------------------------- */

static char *make_variable(const char *prefix, const char *name, const char *value)
{
    size_t size = strlen(prefix) + strlen(name) + 1 + strlen(value) + 1;
    char *text = malloc(size);

    if (text != NULL)
        (void)snprintf(text, size, "%s%s=%s", prefix, name, value);
    return text;
}

static bool is_ours(const char *variable, const struct placeholder *ours)
{
    size_t len = strcspn(variable, "=");

    if (strncmp(variable, env_prefix, sizeof(env_prefix) - 1) == 0)
        return true;
    for (const struct placeholder *one = ours; one->name != NULL; one++)
        if (strlen(one->name) == len && strncmp(variable, one->name, len) == 0)
            return true;
    return false;
}

static bool is_env_name(const char *key)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

    return key[strspn(key, letters)] == '\0';
}

static size_t count_variables(void)
{
    size_t count = 0;

    while (environ[count] != NULL)
        count++;
    return count;
}

static bool add(char **env, size_t *count, char *variable)
{
    env[*count] = variable;
    *count += variable != NULL ? 1 : 0;
    return variable != NULL;
}

/* Ours, without what another job may have left there; and the job's. */
static char **make_env(const struct vts_job *job, const struct placeholder *ours)
{
    size_t max = count_variables() + MAX_PLACEHOLDERS + 3 + vts_job_option_count(job) + 1;
    char **env = calloc(max, sizeof(*env));
    size_t count = 0;
    bool is_whole = env != NULL;

    for (size_t i = 0; is_whole && environ[i] != NULL; i++)
        if (!is_ours(environ[i], ours))
            is_whole = add(env, &count, strdup(environ[i]));
    for (size_t i = 0; is_whole && ours[i].name != NULL; i++)
        is_whole = add(env, &count, make_variable("", ours[i].name, ours[i].value));
    for (size_t i = 0; is_whole && i < vts_job_option_count(job); i++) {
        const struct vts_pair *option = vts_job_option(job, i);

        if (is_env_name(option->key))
            is_whole = add(env, &count, make_variable(env_prefix, option->key, option->value));
    }
    if (is_whole)
        return env;
    for (size_t i = 0; i < count; i++)
        free(env[i]);
    free(env);
    return NULL;
}

/* ---- both ------------------------------------------------------------------------------------ */

enum vts_cli_work_words_result vts_cli_work_words_make(const struct vts_cli_options *options,
                                                       const struct vts_job *job,
                                                       struct vts_cli_work_words *ret_words)
{
    /* The first MAX_PLACEHOLDERS - 1 are what a --result may have. */
    struct placeholder placeholders[MAX_PLACEHOLDERS + 1] = {
        {"{source}", vts_job_source_uri(job)},
        {"{from}", vts_job_source_language(job)},
        {"{to}", vts_job_target_language(job)},
        {"{job}", vts_job_id(job)},
    };
    char attempt[16];

    (void)snprintf(attempt, sizeof(attempt), "%d", vts_status_attempt(vts_job_status(job)));
    *ret_words = (struct vts_cli_work_words){
        .argv = calloc(options->words_count + 1, sizeof(*ret_words->argv))};
    ret_words->output =
        replace(placeholders, options->work.result != NULL ? options->work.result : "");
    if (ret_words->argv == NULL || ret_words->output == NULL)
        return VTS_CLI_WORDS_NO_MEMORY;
    placeholders[MAX_PLACEHOLDERS - 1] = (struct placeholder){"{output}", ret_words->output};
    const struct placeholder variables[] = {
        {"VTSTATUS_SOURCE", vts_job_source_uri(job)},
        {"VTSTATUS_FROM", vts_job_source_language(job)},
        {"VTSTATUS_TO", vts_job_target_language(job)},
        {"VTSTATUS_JOB_ID", vts_job_id(job)},
        {"VTSTATUS_OUTPUT", ret_words->output},
        {"VTSTATUS_ATTEMPT", attempt},
        {"VTSTATUS_QUEUE", vts_job_queue(job)},
        {NULL, NULL},
    };
    ret_words->env = make_env(job, variables);
    if (ret_words->env == NULL)
        return VTS_CLI_WORDS_NO_MEMORY;
    return fill_argv(options, placeholders, ret_words->argv);
}

static void free_words(char **words)
{
    for (char **word = words; word != NULL && *word != NULL; word++)
        free(*word);
    free(words);
}

void vts_cli_work_words_fini(struct vts_cli_work_words *words)
{
    free_words(words->argv);
    free_words(words->env);
    free(words->output);
}

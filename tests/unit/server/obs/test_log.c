/* SPDX-License-Identifier: Apache-2.0 */
/* test_log.c - what comes out on stderr, which a pipe stands in for here. */
#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "server/obs/log.h"
#include "tests/support/suite.h"

enum { OUTPUT_BYTES = 64 * 1024 };

/* What was written to stderr since begin_capture(); its lines are cut off one by one. */
struct capture {
    int stderr_fd; /* the real one */
    int read_fd;
    char text[OUTPUT_BYTES];
    struct vts_str rest;
};

static void begin_capture(struct capture *capture)
{
    int fds[2];

    CU_ASSERT_EQUAL_FATAL(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    capture->read_fd = fds[0];
    capture->stderr_fd = dup(STDERR_FILENO);
    CU_ASSERT_FATAL(capture->stderr_fd >= 0);
    CU_ASSERT_FATAL(dup2(fds[1], STDERR_FILENO) >= 0);
    CU_ASSERT_EQUAL_FATAL(close(fds[1]), 0);
}

static void end_capture(struct capture *capture)
{
    ssize_t len;

    CU_ASSERT_FATAL(dup2(capture->stderr_fd, STDERR_FILENO) >= 0);
    len = read(capture->read_fd, capture->text, sizeof(capture->text));
    CU_ASSERT_FATAL(len >= 0);
    capture->rest = vts_str_make(capture->text, (size_t)len);
    CU_ASSERT_EQUAL(close(capture->read_fd), 0);
    CU_ASSERT_EQUAL(close(capture->stderr_fd), 0);
}

/* The next captured line without its end; an empty string when there is none. */
static struct vts_str next_line(struct capture *capture)
{
    struct vts_str line = vts_str_make("", 0);

    (void)vts_str_split(&capture->rest, '\n', &line); /* at the end line stays empty */
    return line;
}

static unsigned count_lines(struct capture *capture)
{
    unsigned count = 0;

    while (next_line(capture).len > 0)
        count++;
    return count;
}

/* The next captured line, parsed; the caller gives it back. */
static json_t *next_json(struct capture *capture)
{
    struct vts_str line = next_line(capture);
    json_t *json = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    return json;
}

static const char *text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text == NULL ? "(none)" : text;
}

/* Each test logs messages of its own, since they share one table of rates. */
static void log_message(enum vts_log_level level, const char *message)
{
    struct vts_log_line line;

    vts_log_begin(&line, level, message);
    vts_log_end(&line);
}

/* Waits for the beginning of a second, so that a test's lines fall into one. */
static void wait_for_a_new_second(void)
{
    int64_t second = vts_clock_now_ns() / VTS_NS_PER_S;

    while (vts_clock_now_ns() / VTS_NS_PER_S == second)
        continue;
}

enum { MAX_TRIES = 20 };

/* Runs log_lines(try) within a second, and returns which try it was: a busy machine may let seconds
 * pass meanwhile. What it logs must have another message for each. */
static int log_in_one_second(struct capture *capture, void (*log_lines)(int try))
{
    for (int try = 0; try < MAX_TRIES; try++) {
        int64_t second;

        begin_capture(capture);
        wait_for_a_new_second();
        second = vts_clock_now_ns() / VTS_NS_PER_S;
        log_lines(try);
        if (vts_clock_now_ns() / VTS_NS_PER_S == second)
            return try;
        end_capture(capture);
    }
    CU_FAIL_FATAL("no second was long enough");
    return 0;
}

static void json_line_parses_and_has_every_part(void)
{
    static struct capture capture;
    struct vts_log_line line;
    json_t *json;

    vts_log_setup(VTS_LOG_INFO, VTS_LOG_JSON);
    begin_capture(&capture);
    vts_log_begin(&line, VTS_LOG_WARN, "all parts");
    vts_log_str(&line, "name", vts_str_of("value"));
    vts_log_int(&line, "least", INT64_MIN);
    vts_log_int(&line, "most", INT64_MAX);
    vts_log_end(&line);
    end_capture(&capture);
    json = next_json(&capture);
    CU_ASSERT_STRING_EQUAL(text_of(json, "level"), "warn");
    CU_ASSERT_STRING_EQUAL(text_of(json, "msg"), "all parts");
    CU_ASSERT_STRING_EQUAL(text_of(json, "name"), "value");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json, "least")), INT64_MIN);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json, "most")), INT64_MAX);
    CU_ASSERT_EQUAL(json_object_size(json), 6);
    json_decref(json);
    CU_ASSERT_EQUAL(count_lines(&capture), 0);
}

static void json_line_tells_the_time_in_utc(void)
{
    static struct capture capture;
    const char *text;
    json_t *json;
    int year;
    int month;
    int micros;
    char zone;

    vts_log_setup(VTS_LOG_INFO, VTS_LOG_JSON);
    begin_capture(&capture);
    log_message(VTS_LOG_INFO, "time");
    end_capture(&capture);
    json = next_json(&capture);
    text = text_of(json, "time");
    CU_ASSERT_EQUAL(strlen(text), strlen("2026-01-02T03:04:05.123456Z"));
    CU_ASSERT_EQUAL(
        sscanf(text, "%4d-%2d-%*2dT%*2d:%*2d:%*2d.%6d%c", &year, &month, &micros, &zone), 4);
    CU_ASSERT(year >= 2024 && month >= 1 && month <= 12 && micros >= 0);
    CU_ASSERT_EQUAL(zone, 'Z');
    json_decref(json);
}

static void json_value_of_any_bytes_is_escaped(void)
{
    static struct capture capture;
    struct vts_log_line line;
    json_t *json;

    vts_log_setup(VTS_LOG_INFO, VTS_LOG_JSON);
    begin_capture(&capture);
    vts_log_begin(&line, VTS_LOG_INFO, "any bytes");
    vts_log_str(&line, "quote", vts_str_of("a\"b\\c\nd\te\x1b[31m"));
    vts_log_str(&line, "nul", vts_str_make("a\0b", 3));
    vts_log_str(&line, "broken", vts_str_of("\xff\xc3"));
    vts_log_str(&line, "empty", vts_str_make(NULL, 0));
    vts_log_end(&line);
    end_capture(&capture);
    json = next_json(&capture);
    CU_ASSERT_STRING_EQUAL(text_of(json, "quote"), "a\"b\\c\nd\te\x1b[31m");
    CU_ASSERT_EQUAL(json_string_length(json_object_get(json, "nul")), 3);
    CU_ASSERT_STRING_EQUAL(text_of(json, "broken"), "\xef\xbf\xbd\xef\xbf\xbd");
    CU_ASSERT_STRING_EQUAL(text_of(json, "empty"), "");
    json_decref(json);
    CU_ASSERT_EQUAL(count_lines(&capture), 0);
}

static void value_past_256_bytes_is_cut_with_a_mark(void)
{
    static struct capture capture;
    char value[1000];
    struct vts_log_line line;
    json_t *json;

    memset(value, 'v', sizeof(value));
    vts_log_setup(VTS_LOG_INFO, VTS_LOG_JSON);
    begin_capture(&capture);
    vts_log_begin(&line, VTS_LOG_INFO, "long value");
    vts_log_str(&line, "whole", vts_str_make(value, 256));
    vts_log_str(&line, "cut", vts_str_make(value, 257));
    vts_log_str(&line, "long", vts_str_make(value, sizeof(value)));
    vts_log_end(&line);
    end_capture(&capture);
    json = next_json(&capture);
    CU_ASSERT_EQUAL(strlen(text_of(json, "whole")), 256);
    CU_ASSERT_EQUAL(strlen(text_of(json, "cut")), 256 + 3);
    CU_ASSERT_STRING_EQUAL(text_of(json, "cut") + 256, "\xe2\x80\xa6");
    CU_ASSERT_STRING_EQUAL(text_of(json, "long"), text_of(json, "cut"));
    json_decref(json);
}

static void value_cut_inside_a_character_is_still_utf8(void)
{
    static struct capture capture;
    char value[300];
    struct vts_log_line line;
    json_t *json;

    memset(value, 'v', sizeof(value));
    memcpy(value + 255, "\xe2\x82\xac", 3); /* begins before the cut and ends behind it */
    vts_log_setup(VTS_LOG_INFO, VTS_LOG_JSON);
    begin_capture(&capture);
    vts_log_begin(&line, VTS_LOG_INFO, "cut character");
    vts_log_str(&line, "value", vts_str_make(value, sizeof(value)));
    vts_log_end(&line);
    end_capture(&capture);
    json = next_json(&capture);
    CU_ASSERT_EQUAL(strncmp(text_of(json, "value"), value, 255), 0);
    json_decref(json);
}

static void line_too_long_is_left_out_whole(void)
{
    static struct capture capture;
    char value[256];
    struct vts_log_line line;
    json_t *json;

    memset(value, 'v', sizeof(value));
    vts_log_setup(VTS_LOG_INFO, VTS_LOG_JSON);
    begin_capture(&capture);
    vts_log_begin(&line, VTS_LOG_INFO, "very long");
    for (int i = 0; i < 100; i++)
        vts_log_str(&line, "value", vts_str_make(value, sizeof(value)));
    vts_log_end(&line);
    log_message(VTS_LOG_INFO, "behind it");
    end_capture(&capture);
    json = next_json(&capture);
    CU_ASSERT_STRING_EQUAL(text_of(json, "msg"), "behind it");
    json_decref(json);
}

static void text_line_has_level_message_and_quoted_values(void)
{
    static struct capture capture;
    struct vts_log_line line;
    struct vts_str text;

    vts_log_setup(VTS_LOG_INFO, VTS_LOG_TEXT);
    begin_capture(&capture);
    vts_log_begin(&line, VTS_LOG_INFO, "in words");
    vts_log_str(&line, "name", vts_str_of("two words\n"));
    vts_log_int(&line, "n", -5);
    vts_log_end(&line);
    end_capture(&capture);
    text = next_line(&capture);
    CU_ASSERT_FATAL(text.len > 27);
    text = vts_str_make(text.ptr + 27, text.len - 27); /* behind the time */
    CU_ASSERT(vts_str_equals_text(text, " info  in words name=\"two words\\n\" n=-5"));
}

static void lines_below_the_level_are_left_out(void)
{
    static struct capture capture;

    for (int least = VTS_LOG_DEBUG; least <= VTS_LOG_ERROR; least++) {
        vts_log_setup((enum vts_log_level)least, VTS_LOG_JSON);
        begin_capture(&capture);
        log_message(VTS_LOG_DEBUG, "at debug");
        log_message(VTS_LOG_INFO, "at info");
        log_message(VTS_LOG_WARN, "at warn");
        log_message(VTS_LOG_ERROR, "at error");
        end_capture(&capture);
        CU_ASSERT_EQUAL(count_lines(&capture), (unsigned)(VTS_LOG_ERROR - least + 1));
        for (int level = VTS_LOG_DEBUG; level <= VTS_LOG_ERROR; level++)
            CU_ASSERT_EQUAL(vts_log_is_on((enum vts_log_level)level), level >= least);
    }
}

static char often[MAX_TRIES][16];

static void log_often(int try)
{
    (void)snprintf(often[try], sizeof(often[try]), "too often %d", try);
    for (int i = 0; i < 25; i++)
        log_message(VTS_LOG_INFO, often[try]);
    log_message(VTS_LOG_INFO, "another kind");
}

static void eleventh_line_of_a_second_is_left_out_and_counted(void)
{
    static struct capture capture;
    const char *message;
    json_t *json;

    vts_log_setup(VTS_LOG_INFO, VTS_LOG_JSON);
    message = often[log_in_one_second(&capture, log_often)];
    wait_for_a_new_second();
    log_message(VTS_LOG_INFO, message);
    log_message(VTS_LOG_INFO, message);
    end_capture(&capture);
    for (int i = 0; i < 10; i++) {
        json = next_json(&capture);
        CU_ASSERT_STRING_EQUAL(text_of(json, "msg"), message);
        CU_ASSERT_PTR_NULL(json_object_get(json, "left_out"));
        json_decref(json);
    }
    json = next_json(&capture);
    CU_ASSERT_STRING_EQUAL(text_of(json, "msg"), "another kind");
    json_decref(json);
    json = next_json(&capture);
    CU_ASSERT_STRING_EQUAL(text_of(json, "msg"), message);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json, "left_out")), 15);
    json_decref(json);
    json = next_json(&capture);
    CU_ASSERT_PTR_NULL(json_object_get(json, "left_out"));
    json_decref(json);
}

static void debug_lines_have_no_rate(void)
{
    static struct capture capture;

    vts_log_setup(VTS_LOG_DEBUG, VTS_LOG_JSON);
    begin_capture(&capture);
    for (int i = 0; i < 100; i++)
        log_message(VTS_LOG_DEBUG, "often at debug");
    end_capture(&capture);
    CU_ASSERT_EQUAL(count_lines(&capture), 100);
}

static void log_many_kinds(int try)
{
    static char messages[200][8];

    (void)try; /* all of them are left out alike */
    for (size_t i = 0; i < VTS_ARRAY_LEN(messages); i++) {
        (void)snprintf(messages[i], sizeof(messages[i]), "m%zu", i);
        log_message(VTS_LOG_INFO, messages[i]);
    }
}

static void kinds_past_the_table_share_a_place(void)
{
    static struct capture capture;

    vts_log_setup(VTS_LOG_INFO, VTS_LOG_JSON);
    (void)log_in_one_second(&capture, log_many_kinds);
    end_capture(&capture);
    CU_ASSERT(count_lines(&capture) <= 64 + 9);
}

static void line_without_reader_is_lost_quietly(void)
{
    static struct capture capture;

    vts_log_setup(VTS_LOG_INFO, VTS_LOG_JSON);
    begin_capture(&capture);
    CU_ASSERT_EQUAL_FATAL(close(STDERR_FILENO), 0);
    log_message(VTS_LOG_ERROR, "into the void");
    end_capture(&capture);
    CU_ASSERT_EQUAL(count_lines(&capture), 0);
}

static void line_into_a_full_pipe_is_lost_and_counted(void)
{
    static struct capture capture;
    static char text[OUTPUT_BYTES];
    json_t *json;
    unsigned written = 0;

    vts_log_setup(VTS_LOG_DEBUG, VTS_LOG_JSON);
    begin_capture(&capture);
    /* As a supervisor's pipe is: without O_NONBLOCK a write would wait for its reader. */
    CU_ASSERT_EQUAL_FATAL(fcntl(STDERR_FILENO, F_SETFL, 0), 0);
    for (; written < 4096; written++)
        log_message(VTS_LOG_DEBUG, "nobody reads this line, and yet the next one is written");
    CU_ASSERT(read(capture.read_fd, text, sizeof(text)) > 0);
    log_message(VTS_LOG_DEBUG, "read again");
    end_capture(&capture);
    json = next_json(&capture);
    CU_ASSERT_STRING_EQUAL(text_of(json, "msg"), "read again");
    CU_ASSERT(json_integer_value(json_object_get(json, "lost")) > 0);
    CU_ASSERT(json_integer_value(json_object_get(json, "lost")) < written);
    json_decref(json);
}

static void level_and_format_names_are_parsed_exactly(void)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    enum vts_log_format format = VTS_LOG_TEXT;
    enum vts_log_level level;

    for (size_t i = 0; i < VTS_ARRAY_LEN(levels); i++) {
        CU_ASSERT_EQUAL(vts_log_level_parse(levels[i], &level), VTS_OK);
        CU_ASSERT_EQUAL((size_t)level, i);
    }
    CU_ASSERT_EQUAL(vts_log_level_parse("Info", &level), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(vts_log_level_parse("", &level), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(vts_log_format_parse("json", &format), VTS_OK);
    CU_ASSERT_EQUAL(format, VTS_LOG_JSON);
    CU_ASSERT_EQUAL(vts_log_format_parse("text", &format), VTS_OK);
    CU_ASSERT_EQUAL(format, VTS_LOG_TEXT);
    CU_ASSERT_EQUAL(vts_log_format_parse("xml", &format), VTS_ERR_INVALID);
}

static const struct vts_test tests[] = {
    {"json_line_parses_and_has_every_part", json_line_parses_and_has_every_part},
    {"json_line_tells_the_time_in_utc", json_line_tells_the_time_in_utc},
    {"json_value_of_any_bytes_is_escaped", json_value_of_any_bytes_is_escaped},
    {"value_past_256_bytes_is_cut_with_a_mark", value_past_256_bytes_is_cut_with_a_mark},
    {"value_cut_inside_a_character_is_still_utf8", value_cut_inside_a_character_is_still_utf8},
    {"line_too_long_is_left_out_whole", line_too_long_is_left_out_whole},
    {"text_line_has_level_message_and_quoted_values",
     text_line_has_level_message_and_quoted_values},
    {"lines_below_the_level_are_left_out", lines_below_the_level_are_left_out},
    {"eleventh_line_of_a_second_is_left_out_and_counted",
     eleventh_line_of_a_second_is_left_out_and_counted},
    {"debug_lines_have_no_rate", debug_lines_have_no_rate},
    {"kinds_past_the_table_share_a_place", kinds_past_the_table_share_a_place},
    {"line_without_reader_is_lost_quietly", line_without_reader_is_lost_quietly},
    {"line_into_a_full_pipe_is_lost_and_counted", line_into_a_full_pipe_is_lost_and_counted},
    {"level_and_format_names_are_parsed_exactly", level_and_format_names_are_parsed_exactly},
};

int main(void)
{
    return vts_test_run("test_log", tests, VTS_ARRAY_LEN(tests));
}

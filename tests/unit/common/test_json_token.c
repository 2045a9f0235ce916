/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_token.c - JSON's syntax, and the limits on what it may hold. */
#include "common/wire/json_token.h"

#include <CUnit/CUnit.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "tests/support/suite.h"

static const struct vts_json_limits limits = {.max_bytes = 1000, .max_values = 20, .max_depth = 4};

static enum vts_err parse(struct vts_str text)
{
    struct vts_json_doc doc = {.tokens = NULL};
    enum vts_err err = vts_json_doc_parse(text, &limits, NULL, &doc);

    vts_json_doc_free(&doc);
    return err;
}

static void check_each(const char *const *texts, size_t count, enum vts_err expected)
{
    for (size_t i = 0; i < count; i++) {
        enum vts_err err = parse(vts_str_of(texts[i]));

        if (err != expected)
            printf("\n%s: %d instead of %d\n", texts[i], (int)err, (int)expected);
        CU_ASSERT_EQUAL(err, expected);
    }
}

static void json_token_good_texts_are_taken(void)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "-0.0",
        "1e5",
        "1E+5",
        "12.5e-3",
        "true",
        "false",
        "null",
        "\"\"",
        "[]",
        "{}",
        " [ 1 , 2 ] ",
        "\t{\"a\" : {} ,\r\n\"b\":[[]]}\n",
        "\"\\u0041\\n\\/\"",
        "\"\x7f\"",
        "\"\\ud83d\\ude00\"",
        "\"\xf0\x9f\x98\x80\"",
        "[[[[]]]]",
        "{\"a\":1,\"A\":1,\"aa\":1}",
    };

    check_each(texts, VTS_ARRAY_LEN(texts), VTS_OK);
}

static void json_token_bad_texts_are_refused(void)
{
    static const char *const texts[] = {
        "",
        " ",
        "1 2",
        "[1 2]",
        "[1,]",
        "[,1]",
        "[",
        "]",
        "[1}",
        "{\"a\":1]",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{1:1}",
        "{'a':1}",
        "'a'",
        "01",
        "-",
        "+1",
        ".5",
        "1.",
        "1.e5",
        "1e",
        "1e+",
        "0x10",
        "NaN",
        "Infinity",
        "-Infinity",
        "True",
        "nul",
        "nulll",
        "\"",
        "\"\\\"",
        "\"a\nb\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\",
        "\"\\u",
        "// a\n1",
        "/* a */1",
        "1//",
        "\xef\xbb\xbf[]",
        "[1]]",
        "{}{}",
        "\"a\" \"b\"",
        "tru",
    };

    check_each(texts, VTS_ARRAY_LEN(texts), VTS_ERR_INVALID);
}

static void json_token_text_is_unicode_without_nul(void)
{
    static const char *const texts[] = {
        "\"\\ud800\"",        "\"\\ud83d\"",        "\"\\ude00\"",
        "\"\\ud83dx\"",       "\"\\ud83d\\n\"",     "\"\\ud83d\\u0041\"",
        "\"\\ud83d\\ud83d\"", "\"\\ude00\\ud83d\"", "\"\\u0000\"",
        "\"a\\u0000b\"",      "\"\xff\"",           "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",   "\"\xe2\x82\"",       "\"\xf4\x90\x80\x80\"",
        "{\"\\u0000\":1}",    "\"\\ud83d\\u\"",
    };

    check_each(texts, VTS_ARRAY_LEN(texts), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(parse(vts_str_make("\"a\0b\"", 5)), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(parse(vts_str_make("1\0", 2)), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(parse(vts_str_make(NULL, 0)), VTS_ERR_INVALID);
}

static void json_token_keys_come_once(void)
{
    static const char *const texts[] = {
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"b\":{},\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "[{\"x\":{\"\":1,\"\":2}}]",
    };
    static const char *const good[] = {"{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}",
                                       "[{\"a\":1},{\"a\":1}]"};

    check_each(texts, VTS_ARRAY_LEN(texts), VTS_ERR_INVALID);
    check_each(good, VTS_ARRAY_LEN(good), VTS_OK);
}

static void json_token_limits_are_kept(void)
{
    static const char *const deep[] = {"[[[[[]]]]]", "[[[[{\"a\":1}]]]]", "[[[[[[[[[[[[[["};
    static const char *const many[] = {"[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]",
                                       "{\"a\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]}"};
    static const char *const enough[] = {"[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]"};
    char text[1002];

    check_each(deep, VTS_ARRAY_LEN(deep), VTS_ERR_LIMIT);
    check_each(many, VTS_ARRAY_LEN(many), VTS_ERR_LIMIT);
    check_each(enough, VTS_ARRAY_LEN(enough), VTS_OK);
    memset(text, ' ', sizeof(text));
    text[0] = '1';
    CU_ASSERT_EQUAL(parse(vts_str_make(text, 1000)), VTS_OK);
    CU_ASSERT_EQUAL(parse(vts_str_make(text, 1001)), VTS_ERR_LIMIT);
    memset(text, '1', sizeof(text));
    CU_ASSERT_EQUAL(parse(vts_str_make(text, 64)), VTS_OK);
    CU_ASSERT_EQUAL(parse(vts_str_make(text, 65)), VTS_ERR_INVALID);
}

static void json_token_strings_are_unescaped(void)
{
    static const char text[] =
        "[\"plain\",\"a\\\"\\\\\\/"
        "\\b\\f\\n\\r\\tz\",\"\\u00e9\\u20ac\\ud83d\\ude00\",\"\xc3\xa9\\n\"]";
    static const char *const expected[] = {"plain", "a\"\\/\b\f\n\r\tz",
                                           "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\n"};
    struct vts_json_doc doc;

    CU_ASSERT_EQUAL_FATAL(vts_json_doc_parse(vts_str_of(text), &limits, NULL, &doc), VTS_OK);
    CU_ASSERT_EQUAL(doc.tokens[0].count, VTS_ARRAY_LEN(expected));
    for (size_t i = 0; i < VTS_ARRAY_LEN(expected); i++)
        CU_ASSERT(vts_str_equals_text(vts_str_make(doc.tokens[i + 1].text, doc.tokens[i + 1].len),
                                      expected[i]));
    vts_json_doc_free(&doc);
}

static void json_token_ends_skip_what_is_inside(void)
{
    struct vts_json_doc doc;

    CU_ASSERT_EQUAL_FATAL(
        vts_json_doc_parse(vts_str_of("{\"a\":[1,{\"b\":2}],\"c\":3}"), &limits, NULL, &doc),
        VTS_OK);
    CU_ASSERT_EQUAL(doc.count, 9);
    CU_ASSERT_EQUAL(doc.tokens[0].end, 9);
    CU_ASSERT_EQUAL(doc.tokens[0].count, 2);
    CU_ASSERT_EQUAL(doc.tokens[2].kind, VTS_JSON_ARRAY);
    CU_ASSERT_EQUAL(doc.tokens[2].end, 7);
    CU_ASSERT_EQUAL(doc.tokens[4].end, 7);
    vts_json_doc_free(&doc);
}

static void json_token_errors_name_the_place(void)
{
    struct vts_error error;
    struct vts_json_doc doc;

    CU_ASSERT_EQUAL(vts_json_doc_parse(vts_str_of("{\"a\":\n tru}"), &limits, &error, &doc),
                    VTS_ERR_INVALID);
    CU_ASSERT_STRING_EQUAL(error.text, "no JSON: an unknown word at byte 7");
}

static void json_token_without_memory_fails(void)
{
    static const char text[] =
        "{\"\\n\":[1,2,3,4,5,6,7,8,9,10,11,12],\"b\":[1,2],\"c\":3,\"\\u0064\":4}";
    struct vts_json_limits many = {.max_bytes = 1000, .max_values = 100, .max_depth = 4};
    bool has_failed = true;

    for (long count = 0; has_failed; count++) {
        struct vts_json_doc doc = {.tokens = NULL};
        enum vts_err err;

        CU_ASSERT_EQUAL(vts_mem_fail_after(count), 0);
        err = vts_json_doc_parse(vts_str_of(text), &many, NULL, &doc);
        has_failed = vts_mem_fail_after(-1) == 1;
        CU_ASSERT_EQUAL(err, has_failed ? VTS_ERR_NOMEM : VTS_OK);
        CU_ASSERT(has_failed || count >= 3);
        vts_json_doc_free(&doc);
    }
}

static const struct vts_test tests[] = {
    {"json_token_good_texts_are_taken", json_token_good_texts_are_taken},
    {"json_token_bad_texts_are_refused", json_token_bad_texts_are_refused},
    {"json_token_text_is_unicode_without_nul", json_token_text_is_unicode_without_nul},
    {"json_token_keys_come_once", json_token_keys_come_once},
    {"json_token_limits_are_kept", json_token_limits_are_kept},
    {"json_token_strings_are_unescaped", json_token_strings_are_unescaped},
    {"json_token_ends_skip_what_is_inside", json_token_ends_skip_what_is_inside},
    {"json_token_errors_name_the_place", json_token_errors_name_the_place},
    {"json_token_without_memory_fails", json_token_without_memory_fails},
};

int main(void)
{
    return vts_test_run("test_json_token", tests, VTS_ARRAY_LEN(tests));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* error_json.c - error bodies; the only user of jansson. */
#include "common/wire/error_json.h"

#include <jansson.h>
#include <string.h>

#include "common/base/json_text.h"
#include "common/wire/base64.h"

static void write_details(struct vts_buf *buf, const struct vts_error_detail *details,
                          size_t details_count)
{
    for (size_t i = 0; i < details_count; i++) {
        vts_buf_append_text(buf, i == 0 ? ",\"details\":[{\"type\":" : ",{\"type\":");
        vts_json_text_write(buf, vts_str_of(details[i].type));
        vts_buf_append_text(buf, ",\"value\":\"");
        vts_base64_encode(buf, details[i].value, VTS_BASE64_UNPADDED);
        vts_buf_append_text(buf, "\"}");
    }
    if (details_count > 0)
        vts_buf_append_text(buf, "]");
}

void vts_error_json_write(struct vts_buf *buf, const char *code_word, const char *message,
                          const struct vts_error_detail *details, size_t details_count)
{
    vts_buf_append_text(buf, "{\"code\":");
    vts_json_text_write(buf, vts_str_of(code_word));
    if (message != NULL && message[0] != '\0') {
        vts_buf_append_text(buf, ",\"message\":");
        vts_json_text_write(buf, vts_str_of(message));
    }
    write_details(buf, details, details_count);
    vts_buf_append_text(buf, "}");
}

/* Copies what fits, and never half a character: text is UTF-8, as jansson has checked. */
static void copy_text(char *to, size_t size, const char *text)
{
    size_t len = strlen(text);

    if (len >= size) {
        len = size - 1;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(to, text, len);
    to[len] = '\0';
}

enum vts_err vts_error_json_read(struct vts_str json, struct vts_error_body *ret_body)
{
    const char *code_word = NULL;
    const char *message = "";
    enum vts_err err = VTS_ERR_PROTOCOL;
    json_t *root = json_loadb(json.ptr, json.len, JSON_REJECT_DUPLICATES, NULL);

    /* "s?s" leaves message as it is when the key is missing. */
    if (root == NULL ||
        json_unpack(root, "{s:s, s?s}", "code", &code_word, "message", &message) != 0)
        goto out;
    copy_text(ret_body->code_word, sizeof(ret_body->code_word), code_word);
    copy_text(ret_body->message, sizeof(ret_body->message), message);
    err = VTS_OK;
out:
    json_decref(root);
    return err;
}

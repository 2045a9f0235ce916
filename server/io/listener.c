/* SPDX-License-Identifier: Apache-2.0 */
/* listener.c - accepts connections, and knows when not to.
 *
 * When descriptors run out, accepting stops for a while instead of spinning: the socket stays
 * readable, and waiting connections are kept by the kernel rather than cut.
 */
#include "server/io/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/str.h"
#include "server/io/loop_uv.h"

enum { BACKLOG = 4096, ACCEPTS_PER_TURN = 32, RETRY_MS = 100 };

struct vts_listener {
    uv_poll_t poll;
    int fd;
    bool is_paused;
    bool is_closing;
    struct vts_loop *loop;
    vts_accept_fn on_accept;
    void *context;
    struct vts_timer retry; /* runs while descriptors are short */
};

/* Splits "host:port" and "[host]:port"; the parts are copied into arrays of 256 and 8 bytes. */
static enum vts_err split_address(const char *text, char *ret_host, char *ret_port)
{
    const char *colon = strrchr(text, ':');
    size_t host_len;

    if (colon == NULL || colon[1] == '\0' || strlen(colon + 1) > 5)
        return VTS_ERR_INVALID;
    host_len = (size_t)(colon - text);
    if (host_len >= 2 && text[0] == '[' && colon[-1] == ']') {
        text++;
        host_len -= 2;
    } else if (memchr(text, ':', host_len) != NULL) {
        return VTS_ERR_INVALID; /* IPv6 without brackets: which colon would be the port's? */
    }
    if (host_len == 0 || host_len > 255)
        return VTS_ERR_INVALID;
    memcpy(ret_host, text, host_len);
    ret_host[host_len] = '\0';
    (void)snprintf(ret_port, 8, "%s", colon + 1);
    return VTS_OK;
}

/* All that the text stands for; freed by the caller. NULL with a text when it is nothing. */
static struct addrinfo *resolve(const char *text, struct vts_error *error)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char host[256];
    char port[8];
    uint64_t number;
    int result;

    if (split_address(text, host, port) != VTS_OK ||
        vts_str_to_u64(vts_str_of(port), UINT16_MAX, &number) != VTS_OK) {
        (void)vts_error_set(error, VTS_ERR_INVALID,
                            "\"%s\" is no ADDRESS:PORT, such as 127.0.0.1:5000 or [::1]:5000",
                            text);
        return NULL;
    }
    result = getaddrinfo(host, port, &hints, &found);
    if (result == 0)
        return found;
    (void)vts_error_set(error, VTS_ERR_INVALID, "cannot resolve \"%s\": %s", host,
                        gai_strerror(result));
    return NULL;
}

static void take_address(const struct addrinfo *found, struct vts_address *ret_address)
{
    VTS_ASSERT(found->ai_addrlen <= sizeof(ret_address->of)); /* v4 and v6 were asked for */
    memcpy(&ret_address->of, found->ai_addr, found->ai_addrlen);
    ret_address->len = found->ai_addrlen;
}

enum vts_err vts_address_parse(const char *text, struct vts_address *ret_address,
                               struct vts_error *error)
{
    struct addrinfo *found = resolve(text, error);

    if (found == NULL)
        return VTS_ERR_INVALID;
    take_address(found, ret_address);
    freeaddrinfo(found);
    return VTS_OK;
}

/* 127.0.0.0/8 (RFC 1122 3.2.1.3), the same mapped into IPv6, or ::1 (RFC 4291 2.5.3). */
static bool is_loopback(const struct vts_address *address)
{
    const struct in6_addr *v6 = &address->of.v6.sin6_addr;

    if (address->of.any.sa_family == AF_INET)
        return ntohl(address->of.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK(v6) ||
           (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == IN_LOOPBACKNET);
}

/* The first that is not loopback, or else the first. */
static void take_least_loopback(const struct addrinfo *found, struct vts_address *ret_address)
{
    take_address(found, ret_address);
    for (const struct addrinfo *other = found->ai_next; other != NULL && is_loopback(ret_address);
         other = other->ai_next) {
        struct vts_address address;

        take_address(other, &address);
        if (!is_loopback(&address))
            *ret_address = address;
    }
}

enum vts_err vts_address_parse_loopback(const char *text, struct vts_address *ret_address,
                                        struct vts_error *error)
{
    struct addrinfo *found = resolve(text, error);
    struct vts_address address;
    char numeric[VTS_ADDRESS_TEXT_BYTES];

    if (found == NULL)
        return VTS_ERR_INVALID;
    take_least_loopback(found, &address);
    freeaddrinfo(found);
    vts_address_format(&address, numeric);
    if (!is_loopback(&address))
        return vts_error_set(error, VTS_ERR_INVALID,
                             "\"%s\" may be reached from outside this machine, at %s, where "
                             "others could read and change what is not encrypted; use "
                             "127.0.0.1:PORT or [::1]:PORT",
                             text, numeric);
    *ret_address = address;
    return VTS_OK;
}

/* Answers are made by who asks, so this is done for many requests, and the system's way takes as
 * long as a tenth of one. */
static void format_v4(const struct in_addr *address, char *ret_text)
{
    const unsigned char *octets = (const unsigned char *)&address->s_addr;

    for (int i = 0; i < 4; i++) {
        if (octets[i] >= 100)
            *ret_text++ = (char)('0' + octets[i] / 100);
        if (octets[i] >= 10)
            *ret_text++ = (char)('0' + octets[i] / 10 % 10);
        *ret_text++ = (char)('0' + octets[i] % 10);
        *ret_text++ = i < 3 ? '.' : '\0';
    }
}

void vts_address_format(const struct vts_address *address, char ret_text[VTS_ADDRESS_TEXT_BYTES])
{
    if (address->of.any.sa_family == AF_INET)
        format_v4(&address->of.v4.sin_addr, ret_text);
    else if (getnameinfo(&address->of.any, address->len, ret_text, VTS_ADDRESS_TEXT_BYTES, NULL, 0,
                         NI_NUMERICHOST) != 0)
        (void)snprintf(ret_text, VTS_ADDRESS_TEXT_BYTES, "unknown");
}

uint16_t vts_address_port(const struct vts_address *address)
{
    return ntohs(address->of.any.sa_family == AF_INET6 ? address->of.v6.sin6_port
                                                       : address->of.v4.sin_port);
}

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value));
}

/* The first socket binds alone, which fails when anybody has the address; sharing starts after.
 * Accepted sockets inherit what is set here. */
static enum vts_err bind_one(int fd, struct vts_address *address, bool is_first)
{
    if (set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) != 0 ||
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) != 0 ||
        set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1) != 0 ||
        set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 30000) != 0)
        return VTS_ERR_IO;
    if (!is_first && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0)
        return VTS_ERR_IO;
    if (bind(fd, &address->of.any, address->len) != 0)
        return errno == EADDRINUSE ? VTS_ERR_CONFLICT : VTS_ERR_IO;
    if (is_first && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0)
        return VTS_ERR_IO;
    if (listen(fd, BACKLOG) != 0)
        return errno == EADDRINUSE ? VTS_ERR_CONFLICT : VTS_ERR_IO;
    if (is_first && getsockname(fd, &address->of.any, &address->len) != 0)
        return VTS_ERR_IO;
    return VTS_OK;
}

enum vts_err vts_listener_bind(struct vts_address *address, const char *option, unsigned count,
                               int ret_fds[], struct vts_error *error)
{
    enum vts_err err = VTS_OK;
    char text[VTS_ADDRESS_TEXT_BYTES];
    unsigned opened = 0;
    int reason;

    for (; opened < count && err == VTS_OK; opened++) {
        int fd = socket(address->of.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        ret_fds[opened] = fd;
        err = fd < 0 ? VTS_ERR_IO : bind_one(fd, address, opened == 0);
    }
    if (err == VTS_OK)
        return VTS_OK;
    reason = errno;
    vts_address_format(address, text);
    if (err == VTS_ERR_CONFLICT)
        (void)vts_error_set(error, err,
                            "port %u of %s is already in use; choose another with %s, or "
                            "port 0 to have one chosen",
                            vts_address_port(address), text, option);
    else
        (void)vts_error_set(error, err, "cannot listen on port %u of %s: %s",
                            vts_address_port(address), text, strerror(reason));
    while (opened-- > 0)
        if (ret_fds[opened] >= 0)
            (void)close(ret_fds[opened]);
    return err;
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void update_polling(struct vts_listener *listener)
{
    if (listener->is_closing)
        return;
    /* Neither fails on an open handle. */
    if (listener->is_paused || listener->retry.is_running)
        (void)uv_poll_stop(&listener->poll);
    else
        (void)uv_poll_start(&listener->poll, UV_READABLE, on_readable);
}

static void on_retry(void *context)
{
    update_polling(context);
}

static void back_off(struct vts_listener *listener)
{
    vts_metrics_add(vts_loop_metrics(listener->loop), VTS_METRIC_ACCEPT_ERRORS, 1);
    vts_loop_timer_set(listener->loop, &listener->retry,
                       vts_loop_now_ns(listener->loop) + (int64_t)RETRY_MS * VTS_NS_PER_MS);
    update_polling(listener);
}

/* Returns whether another connection may be waiting. */
static bool accept_one(struct vts_listener *listener)
{
    struct vts_address peer = {.len = sizeof(peer.of)};
    int fd = accept4(listener->fd, &peer.of.any, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        listener->on_accept(listener->context, fd, &peer);
        return true;
    }
    if (errno == EAGAIN)
        return false;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        back_off(listener);
        return false;
    }
    return true; /* that one connection failed before we had it */
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct vts_listener *listener = VTS_CONTAINER_OF(poll, struct vts_listener, poll);

    (void)events;
    if (status < 0) {
        back_off(listener);
        return;
    }
    for (int i = 0; i < ACCEPTS_PER_TURN && !listener->is_paused && !listener->is_closing; i++)
        if (!accept_one(listener))
            break;
}

enum vts_err vts_listener_new(struct vts_loop *loop, int fd, vts_accept_fn on_accept, void *context,
                              struct vts_listener **ret_listener)
{
    struct vts_listener *listener = vts_mem_zalloc(sizeof(*listener));

    if (listener == NULL || uv_poll_init(vts_loop_uv(loop), &listener->poll, fd) != 0) {
        enum vts_err err = listener == NULL ? VTS_ERR_NOMEM : VTS_ERR_IO;

        vts_mem_free(listener);
        (void)close(fd);
        return err;
    }
    listener->fd = fd;
    listener->loop = loop;
    listener->on_accept = on_accept;
    listener->context = context;
    vts_timer_init(&listener->retry, on_retry, listener);
    update_polling(listener);
    *ret_listener = listener;
    return VTS_OK;
}

void vts_listener_set_paused(struct vts_listener *listener, bool is_paused)
{
    if (listener->is_paused == is_paused)
        return;
    listener->is_paused = is_paused;
    update_polling(listener);
}

static void on_closed(uv_handle_t *handle)
{
    struct vts_listener *listener =
        VTS_CONTAINER_OF((uv_poll_t *)handle, struct vts_listener, poll);

    (void)close(listener->fd); /* nothing is buffered in a listening socket */
    vts_mem_free(listener);
}

void vts_listener_close(struct vts_listener *listener)
{
    if (listener == NULL || listener->is_closing)
        return;
    listener->is_closing = true;
    vts_loop_timer_stop(listener->loop, &listener->retry);
    uv_close((uv_handle_t *)&listener->poll, on_closed);
}

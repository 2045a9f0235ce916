/* SPDX-License-Identifier: Apache-2.0 */
/* conn_exchange.c - what a connection does for the exchanges on it, whatever its protocol. */
#include <stdio.h>
#include <time.h>

#include "common/base/clock.h"
#include "server/http/conn.h"
#include "server/obs/log.h"

void vts_conn_begin(struct vts_conn *conn, struct vts_exchange *exchange)
{
    const struct vts_http_handler *handler = &conn->server->handler;

    handler->begin(handler->context, exchange);
}

void vts_conn_handle(struct vts_conn *conn, struct vts_exchange *exchange)
{
    const struct vts_http_handler *handler = &conn->server->handler;

    handler->handle(handler->context, exchange);
}

void vts_conn_count_response(struct vts_conn *conn, const struct vts_exchange *exchange)
{
    struct vts_metrics *metrics = vts_loop_metrics(conn->server->loop);
    int code = exchange->response.code;
    struct vts_log_line line;
    char peer[VTS_ADDRESS_TEXT_BYTES];

    vts_metrics_add(metrics, VTS_METRIC_REQUESTS, 1);
    if (code >= 500)
        vts_metrics_add(metrics, VTS_METRIC_RESPONSES_5XX, 1);
    else if (code >= 400)
        vts_metrics_add(metrics, VTS_METRIC_RESPONSES_4XX, 1);
    if (!vts_log_is_on(VTS_LOG_DEBUG))
        return;
    vts_address_format(&conn->peer, peer);
    vts_log_begin(&line, VTS_LOG_DEBUG, "request");
    vts_log_str(&line, "peer", vts_str_of(peer));
    vts_log_str(&line, "protocol", vts_str_of(conn->ops->name));
    vts_log_str(&line, "method", vts_str_of(vts_method_name(exchange->request.method)));
    vts_log_str(&line, "path", exchange->request.path);
    vts_log_int(&line, "code", code);
    vts_log_int(&line, "bytes", (int64_t)vts_response_body_len(&exchange->response));
    vts_log_end(&line);
}

struct vts_str vts_conn_date(struct vts_conn *conn)
{
    struct vts_http_server *server = conn->server;
    int64_t second = vts_conn_now_ns(conn) / VTS_NS_PER_S;

    /* IMF-fixdate always has the same length, so an answer that still points here stays whole. */
    if (server->date_second != second) {
        static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        time_t now = (time_t)(vts_clock_wall_ns() / VTS_NS_PER_S);
        struct tm utc;

        server->date_second = second;
        (void)gmtime_r(&now, &utc); /* fails only past the year 2^31 */
        (void)snprintf(server->date, sizeof(server->date), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                       days[utc.tm_wday], utc.tm_mday, months[utc.tm_mon], utc.tm_year + 1900,
                       utc.tm_hour, utc.tm_min, utc.tm_sec);
    }
    return vts_str_make(server->date, 29);
}

int64_t vts_conn_exchange_now_ns(const struct vts_exchange *exchange)
{
    return vts_conn_now_ns(exchange->ops->find_conn(exchange));
}

void vts_conn_exchange_set_timer(struct vts_exchange *exchange, struct vts_timer *timer,
                                 int64_t due_ns)
{
    vts_loop_timer_set(exchange->ops->find_conn(exchange)->server->loop, timer, due_ns);
}

void vts_conn_exchange_stop_timer(struct vts_exchange *exchange, struct vts_timer *timer)
{
    vts_loop_timer_stop(exchange->ops->find_conn(exchange)->server->loop, timer);
}

uint64_t vts_conn_exchange_peer_number(const struct vts_exchange *exchange)
{
    return exchange->ops->find_conn(exchange)->peer_number;
}

void vts_conn_exchange_write_peer(const struct vts_exchange *exchange,
                                  char ret_text[VTS_PEER_TEXT_BYTES])
{
    vts_address_format(&exchange->ops->find_conn(exchange)->peer, ret_text);
}

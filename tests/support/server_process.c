/* SPDX-License-Identifier: Apache-2.0 */
/* server_process.c - starts, watches and ends a vtstatusd.
 *
 * The server's stderr is a pipe that a thread of ours reads to its end into one growing text; who
 * waits for a line waits for that thread. The servers that live are in a list, so that none
 * outlives the test program.
 */
#include "tests/support/server_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/list.h"
#include "common/base/macros.h"

/* The deadline is reached only when something is broken. */
enum { PATH_BYTES = 512, FLAGS_MAX = 24, WAIT_S = 60, KILL_AFTER_S = 30 };

extern char **environ;

struct vts_server_process {
    struct vts_list link;
    pid_t pid; /* 0 once it was waited for */
    int fd;    /* its stderr */
    pthread_t reader;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t news;
    char *log; /* NUL-terminated */
    size_t log_len;
    bool has_ended; /* stderr was read to its end */

    uint16_t port;
    char url[64];
};

static struct vts_list servers;

/* ---- programs and files ---------------------------------------------------------------------- */

const char *vts_test_path(const char *folder, const char *name)
{
    static char paths[16][PATH_BYTES];
    static unsigned next;
    char *path = paths[next++ % VTS_ARRAY_LEN(paths)];

    (void)snprintf(path, PATH_BYTES, "%s/%s", folder, name);
    return path;
}

/* err_fd: where its stderr goes; negative: where ours goes. Its stdout is dropped. */
static pid_t spawn(const char *const argv[], int err_fd)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    int err = posix_spawn_file_actions_init(&actions);

    if (err == 0)
        err = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (err == 0)
        err = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (err == 0 && err_fd >= 0)
        err = posix_spawn_file_actions_adddup2(&actions, err_fd, STDERR_FILENO);
    if (err == 0)
        err = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (err != 0)
        fprintf(stderr, "cannot run %s: %s\n", argv[0], strerror(err));
    return err == 0 ? pid : -1;
}

static int wait_for_exit(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int vts_test_run_program(const char *const argv[])
{
    pid_t pid = spawn(argv, -1);

    return pid < 0 ? -1 : wait_for_exit(pid);
}

/* ---- certificates ---------------------------------------------------------------------------- */

static struct cert_set {
    const char *script;
    bool is_made;
    char folder[64];
} cert_sets[] = {{.script = "certs/make-dev-certs.sh"},
                 {.script = "certs/make-dev-certs.sh"},
                 {.script = "tests/support/make_odd_certs.sh"}};

static void remove_certs(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(cert_sets); i++) {
        const char *const argv[] = {"rm", "-rf", "--", cert_sets[i].folder, NULL};

        if (cert_sets[i].is_made)
            (void)vts_test_run_program(argv); /* at exit nobody is there to complain to */
    }
}

static const char *make_certs(struct cert_set *set)
{
    const char *const argv[] = {vts_test_path(VTS_SOURCE_DIR, set->script), set->folder, NULL};
    static bool is_removal_set;

    if (set->is_made)
        return set->folder;
    (void)snprintf(set->folder, sizeof(set->folder), "/tmp/vts-test-XXXXXX");
    if (mkdtemp(set->folder) == NULL)
        return NULL;
    set->is_made = true;
    if (!is_removal_set)
        is_removal_set = atexit(remove_certs) == 0;
    if (vts_test_run_program(argv) == 0)
        return set->folder;
    fprintf(stderr, "%s failed\n", argv[0]);
    return NULL;
}

const char *vts_test_certs(void)
{
    return make_certs(&cert_sets[0]);
}

const char *vts_test_other_certs(void)
{
    return make_certs(&cert_sets[1]);
}

const char *vts_test_odd_certs(void)
{
    return make_certs(&cert_sets[2]);
}

/* ---- its log --------------------------------------------------------------------------------- */

static void *read_log(void *context)
{
    struct vts_server_process *server = context;
    char bytes[4096];
    ssize_t len;

    while ((len = read(server->fd, bytes, sizeof(bytes))) > 0 || (len < 0 && errno == EINTR)) {
        size_t added = len > 0 ? (size_t)len : 0;
        char *grown;

        (void)pthread_mutex_lock(&server->lock);
        grown = realloc(server->log, server->log_len + added + 1);
        if (grown != NULL) {
            memcpy(grown + server->log_len, bytes, added);
            server->log = grown;
            server->log_len += added;
            grown[server->log_len] = '\0';
        }
        (void)pthread_cond_broadcast(&server->news);
        (void)pthread_mutex_unlock(&server->lock);
    }
    (void)pthread_mutex_lock(&server->lock);
    server->has_ended = true;
    (void)pthread_cond_broadcast(&server->news);
    (void)pthread_mutex_unlock(&server->lock);
    return NULL;
}

static bool has(const char *line, size_t len, const char *part)
{
    return part == NULL || memmem(line, len, part, strlen(part)) != NULL;
}

/* Of complete lines; the lock is held. *ret_last is the last that matches; it may be NULL. */
static unsigned count_lines(const struct vts_server_process *server, const char *part1,
                            const char *part2, const char **ret_last)
{
    const char *line = server->log;
    const char *end;
    unsigned count = 0;

    while (line != NULL && (end = strchr(line, '\n')) != NULL) {
        if (has(line, (size_t)(end - line), part1) && has(line, (size_t)(end - line), part2)) {
            count++;
            if (ret_last != NULL)
                *ret_last = line;
        }
        line = end + 1;
    }
    return count;
}

unsigned vts_server_process_count(struct vts_server_process *server, const char *part1,
                                  const char *part2)
{
    unsigned count;

    (void)pthread_mutex_lock(&server->lock);
    count = count_lines(server, part1, part2, NULL);
    (void)pthread_mutex_unlock(&server->lock);
    return count;
}

static bool wait_for_lines(struct vts_server_process *server, unsigned count, const char *part1,
                           const char *part2, const char **ret_last)
{
    struct timespec deadline;
    bool is_late = false;
    bool is_there = false;

    (void)clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += WAIT_S;
    (void)pthread_mutex_lock(&server->lock);
    while (!is_late) {
        is_there = count_lines(server, part1, part2, ret_last) >= count;
        if (is_there || server->has_ended)
            break;
        is_late = pthread_cond_timedwait(&server->news, &server->lock, &deadline) == ETIMEDOUT;
    }
    (void)pthread_mutex_unlock(&server->lock);
    return is_there;
}

bool vts_server_process_wait(struct vts_server_process *server, unsigned count, const char *part1,
                             const char *part2)
{
    return wait_for_lines(server, count, part1, part2, NULL);
}

static void print_log(struct vts_server_process *server, const char *why)
{
    (void)pthread_mutex_lock(&server->lock);
    fprintf(stderr, "vtstatusd %s; it wrote:\n%s\n", why, server->log != NULL ? server->log : "");
    (void)pthread_mutex_unlock(&server->lock);
}

/* ---- start ----------------------------------------------------------------------------------- */

static void kill_all(void)
{
    struct vts_list *link;

    for (link = servers.next; link != &servers; link = link->next)
        vts_server_process_kill(VTS_CONTAINER_OF(link, struct vts_server_process, link));
}

static void enlist(struct vts_server_process *server)
{
    if (servers.next == NULL) {
        vts_list_init(&servers);
        if (atexit(kill_all) != 0)
            fprintf(stderr, "what is left running at exit will stay so\n");
    }
    vts_list_push_back(&servers, &server->link);
}

static pid_t spawn_server(const struct vts_server_setup *setup, const char *certs, int err_fd)
{
    const char *program = getenv("VTSTATUSD");
    char address[32];
    const char *argv[FLAGS_MAX] = {
        program != NULL ? program : VTS_VTSTATUSD,
        "--log-format",
        "json",
        "--log-level",
        "debug",
        "--listen",
        address,
        "--cert",
        setup->cert != NULL ? setup->cert : vts_test_path(certs, "server.pem"),
        "--key",
        setup->key != NULL ? setup->key : vts_test_path(certs, "server-key.pem")};
    size_t count = 11;

    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", setup->port);
    for (const char *const *flag = setup->flags;
         flag != NULL && *flag != NULL && count < FLAGS_MAX - 1; flag++)
        argv[count++] = *flag;
    return spawn(argv, err_fd);
}

static bool start_reading(struct vts_server_process *server)
{
    pthread_condattr_t attributes;

    (void)pthread_mutex_init(&server->lock, NULL); /* none of these fails on Linux */
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&server->news, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return pthread_create(&server->reader, NULL, read_log, server) == 0;
}

static bool read_port(struct vts_server_process *server)
{
    static const char name[] = "\"port\":";
    const char *line = NULL;
    const char *found = NULL;

    if (!wait_for_lines(server, 1, "\"msg\":\"listening\"", NULL, &line))
        return false;
    (void)pthread_mutex_lock(&server->lock);
    line = NULL; /* the text may have moved since */
    (void)count_lines(server, "\"msg\":\"listening\"", NULL, &line);
    if (line != NULL)
        found = strstr(line, name);
    if (found != NULL)
        server->port = (uint16_t)strtoul(found + sizeof(name) - 1, NULL, 10);
    (void)pthread_mutex_unlock(&server->lock);
    (void)snprintf(server->url, sizeof(server->url), "https://localhost:%u", server->port);
    return server->port != 0;
}

struct vts_server_process *vts_server_process_start(const struct vts_server_setup *setup)
{
    static const struct vts_server_setup defaults;
    const char *certs = vts_test_certs();
    struct vts_server_process *server;
    int fds[2];

    if (certs == NULL || pipe2(fds, O_CLOEXEC) != 0)
        return NULL;
    server = calloc(1, sizeof(*server));
    if (server == NULL)
        abort();
    server->fd = fds[0];
    server->pid = spawn_server(setup != NULL ? setup : &defaults, certs, fds[1]);
    (void)close(fds[1]); /* so that reading ends when the server does */
    enlist(server);
    if (!start_reading(server))
        abort();
    if (server->pid > 0 && read_port(server))
        return server;
    print_log(server, "does not listen");
    vts_server_process_free(server);
    return NULL;
}

/* ---- use ------------------------------------------------------------------------------------- */

uint16_t vts_server_process_port(const struct vts_server_process *server)
{
    return server->port;
}

const char *vts_server_process_url(const struct vts_server_process *server)
{
    return server->url;
}

double vts_server_process_metric(struct vts_server_process *server, const char *name)
{
    char command[PATH_BYTES];
    char line[256];
    double value = -1;
    FILE *file;

    (void)snprintf(command, sizeof(command),
                   "curl -sS --fail --max-time 30 --cacert %s/ca.pem %s%s", vts_test_certs(),
                   server->url, "/metrics");
    file = popen(command, "r");
    if (file == NULL)
        return -1;
    while (fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ' ')
            value = strtod(line + strlen(name), NULL);
    return pclose(file) == 0 ? value : -1;
}

/* ---- end ------------------------------------------------------------------------------------- */

/* False when it takes too long. */
static bool wait_for_end(struct vts_server_process *server)
{
    struct timespec deadline;
    bool has_ended;

    (void)clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += KILL_AFTER_S;
    (void)pthread_mutex_lock(&server->lock);
    while (!server->has_ended)
        if (pthread_cond_timedwait(&server->news, &server->lock, &deadline) == ETIMEDOUT)
            break;
    has_ended = server->has_ended;
    (void)pthread_mutex_unlock(&server->lock);
    return has_ended;
}

bool vts_server_process_stop(struct vts_server_process *server)
{
    unsigned foreign;
    int code;

    if (server->pid <= 0)
        return false;
    (void)kill(server->pid, SIGTERM); /* not waited for yet, so the pid is still its own */
    if (!wait_for_end(server))
        (void)kill(server->pid, SIGKILL);
    code = wait_for_exit(server->pid);
    server->pid = 0;
    foreign = vts_server_process_count(server, NULL, NULL) -
              vts_server_process_count(server, "{\"time\":\"", NULL);
    if (code == 0 && foreign == 0)
        return true;
    fprintf(stderr, "exit code %d, %u lines that are not its log\n", code, foreign);
    print_log(server, "did not end well");
    return false;
}

void vts_server_process_kill(struct vts_server_process *server)
{
    if (server->pid <= 0)
        return;
    (void)kill(server->pid, SIGKILL);
    (void)wait_for_exit(server->pid);
    server->pid = 0;
}

void vts_server_process_free(struct vts_server_process *server)
{
    if (server == NULL)
        return;
    vts_server_process_kill(server);
    (void)pthread_join(server->reader, NULL); /* its pipe has no writer any more */
    vts_list_remove(&server->link);
    (void)close(server->fd);
    (void)pthread_mutex_destroy(&server->lock);
    (void)pthread_cond_destroy(&server->news);
    free(server->log);
    free(server);
}

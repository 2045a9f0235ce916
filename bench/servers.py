# SPDX-License-Identifier: Apache-2.0
"""The servers that are compared: how each starts, and what the kernel says of its processes."""
import json
import os
import socket
import subprocess
import time
from pathlib import Path

SERVER_CPU = "0"
STATUS_FILE = "www/status"  # below the scratch folder: what every server is to answer
START_TIMEOUT_S = 10
POLL_S = 0.02


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_socket(fd):
    """Whether an entry of /proc/PID/fd is a socket, and still open."""
    try:
        return os.readlink(fd).startswith("socket:")
    except FileNotFoundError:
        return False


class Server:
    """One server, pinned to its processor; use as a context."""

    name = "?"
    cpus = SERVER_CPU
    log_file = None

    def __init__(self, scratch):
        self.scratch = Path(scratch)
        self.port = free_port()
        self.process = None

    def command(self):
        raise NotImplementedError

    def __enter__(self):
        self.log_file = open(self.scratch / f"{self.name}.log", "w+")
        self.process = subprocess.Popen(["taskset", "-c", self.cpus, *self.command()],
                                        stdin=subprocess.DEVNULL, stdout=self.log_file,
                                        stderr=self.log_file)
        self.await_start()
        return self

    def __exit__(self, _, error, __):
        self.stop()
        if isinstance(error, (ConnectionError, TimeoutError)):
            raise SystemExit(f"{self.name}: {error}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log_file.close()

    def has_started(self):
        return is_listening(self.port)

    def await_start(self):
        end = time.monotonic() + START_TIMEOUT_S
        while not self.has_started():
            if self.process.poll() is not None or time.monotonic() > end:
                self.process.kill()
                self.log_file.seek(0)
                raise SystemExit(f"{self.name} does not start: {self.log_file.read()[-300:]}")
            time.sleep(POLL_S)

    def pids(self):
        """The process and all its descendants."""
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            for task in Path(f"/proc/{pid}/task").iterdir():
                todo += [int(child) for child in (task / "children").read_text().split()]
        return found

    def tasks(self):
        return [task for pid in self.pids() for task in Path(f"/proc/{pid}/task").iterdir()]

    def sockets_count(self):
        """Open sockets: those that listen and one a connection."""
        return sum(is_socket(fd) for pid in self.pids() for fd in Path(f"/proc/{pid}/fd").iterdir())

    def cpu_ns(self):
        return sum(int((task / "schedstat").read_text().split()[0]) for task in self.tasks())

    def field_sum(self, name, paths):
        """The sum of a numeric line of /proc/…/status over some of its folders."""
        total = 0
        for path in paths:
            for line in (path / "status").read_text().splitlines():
                if line.startswith(name + ":"):
                    total += int(line.split()[1])
        return total

    def peak_rss_kib(self):
        return self.field_sum("VmHWM", [Path(f"/proc/{pid}") for pid in self.pids()])

    def rss_kib(self):
        return self.field_sum("VmRSS", [Path(f"/proc/{pid}") for pid in self.pids()])

    def wakeups(self):
        """Voluntary context switches so far, by thread."""
        return {task.name: self.field_sum("voluntary_ctxt_switches", [task])
                for task in self.tasks()}


class Vtstatusd(Server):
    name = "vtstatusd"
    binary = None
    flags = ("--threads", "1")

    def command(self):
        return [self.binary, "--listen", "127.0.0.1:0", "--cert", self.scratch / "server.pem",
                "--key", self.scratch / "server-key.pem", "--log-format", "json",
                "--simulate", "delay=24h,error_rate=0,seed=1", *self.flags]

    def fetch_status(self, accept, path="/status"):
        run = subprocess.run(
            ["curl", "-sS", "--fail", "--max-time", "10", "--cacert", self.scratch / "ca.pem",
             "-H", f"accept: {accept}", f"https://localhost:{self.port}{path}"],
            capture_output=True, check=True)
        return run.stdout

    def find_port(self):
        """Where it listens; None when it does not yet."""
        for line in Path(self.log_file.name).read_text().splitlines():
            if '"msg":"listening"' in line:
                return int(json.loads(line)["port"])
        return None

    def has_started(self):
        """It listens, and the job runs: from then on its status is the same for minutes."""
        self.port = self.find_port()
        return self.port is not None and b'"running"' in self.fetch_status("application/json")


class JobServer(Vtstatusd):
    """Real jobs in a file, which outlives the server. It shares both processors with the load."""

    cpus = "0,1"
    flags = ()

    def command(self):
        return [self.binary, "--listen", "127.0.0.1:0", "--cert", self.scratch / "server.pem",
                "--key", self.scratch / "server-key.pem", "--log-format", "json", "--store",
                f"sqlite:{self.scratch / 'jobs.db'}", *self.flags]

    def has_started(self):
        self.port = self.find_port()
        return self.port is not None


class Nghttpd(Server):
    name = "nghttpd"

    def command(self):
        return ["nghttpd", "-a", "127.0.0.1", "-n", "1", "-d", self.scratch / "www", str(self.port),
                self.scratch / "server-key.pem", self.scratch / "server.pem"]


class H2o(Server):
    name = "h2o"

    def command(self):
        config = self.scratch / "h2o.conf"
        config.write_text(f"""
num-threads: 1
user: root
http2-idle-timeout: 600
listen:
  host: 127.0.0.1
  port: {self.port}
  ssl:
    certificate-file: {self.scratch}/server.pem
    key-file: {self.scratch}/server-key.pem
    ocsp-update-interval: 0
hosts:
  default:
    paths:
      /:
        file.dir: {self.scratch}/www
""")
        return ["h2o", "-c", config]


class Nginx(Server):
    name = "nginx"

    def command(self):
        body_bytes = (self.scratch / STATUS_FILE).stat().st_size
        config = self.scratch / "nginx.conf"
        config.write_text(f"""
daemon off;
user root;
worker_processes 1;
pid {self.scratch}/nginx.pid;
error_log {self.scratch}/nginx-error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    server {{
        listen 127.0.0.1:{self.port} ssl http2;
        ssl_certificate {self.scratch}/server.pem;
        ssl_certificate_key {self.scratch}/server-key.pem;
        ssl_protocols TLSv1.3;
        location / {{
            default_type application/x-protobuf;
            return 200 "{"x" * body_bytes}";
        }}
    }}
}}
""")
        return ["nginx", "-c", config]


class Grpcpp(Server):
    name = "grpc++"
    binary = None

    def command(self):
        return [self.binary, f"127.0.0.1:{self.port}", self.scratch / "server.pem",
                self.scratch / "server-key.pem", self.scratch / STATUS_FILE]


PEERS = (Nghttpd, H2o, Nginx)

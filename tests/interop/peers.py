# SPDX-License-Identifier: Apache-2.0
"""What the tests of this folder share: code for stock clients, made from the protos as users make
theirs, and the ways to run clients that are written in other languages.
"""
import functools
import http.server
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "tests/interop/node"
sys.path.insert(0, str(ROOT / "tests/support"))
from driven_job import DrivenJob, is_watched_by  # noqa: E402
from vts_server import IS_SANITIZED, Server, scratch_folder, shared_certs  # noqa: E402

OUR_PROTOS = ROOT / "proto"
TEST_PROTOS = ROOT / "tests/interop/proto"
# What a client in another language may take at most; it is reached only when something is broken.
CLIENT_S = 180 if IS_SANITIZED else 60


def allow_origin(origin):
    """The server's flags for browsers that come from there."""
    return ("--allow-origin", origin)


def names_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.proto"))


def generate(plugin_arguments, folder=OUR_PROTOS, names=None):
    """Runs protoc on the protos of a folder; each argument has a place for the output's folder,
    which is returned."""
    out = scratch_folder()
    subprocess.run(["protoc", "-I", folder, "-I", "/usr/include",
                    *(argument.format(out) for argument in plugin_arguments),
                    *(names or names_in(folder))], check=True)
    return out


def import_python_code(folder=OUR_PROTOS):
    """Makes the code for python3-grpcio, and makes it importable by the names that protoc gives it:
    the libraries google and grpc must be looked for in both places."""
    out = generate(["--python_out={}", "--grpc_python_out={}",
                    "--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin"], folder)
    sys.path.append(str(out))  # google is a namespace, which spreads over the whole path
    import grpc
    grpc.__path__.append(str(out / "grpc"))


def generate_node_code(folder=OUR_PROTOS):
    """The folder with what protoc-gen-es makes. Its packages are those of the tests."""
    out = generate(["--es_out={}", "--es_opt=target=js,import_extension=js",
                    f"--plugin={NODE}/node_modules/.bin/protoc-gen-es"], folder)
    (out / "node_modules").symlink_to(NODE / "node_modules")
    (out / "package.json").write_text('{"type": "module"}')
    return out


class Jobs(list):
    """Servers with a job each: one that ends once it is watched, one that never does, one that has
    failed. is_watched: as for DrivenJob.go_on_once()."""

    def __init__(self, *flags, is_watched=is_watched_by(1)):
        super().__init__((Server(*flags), Server("--simulate", "delay=24h", *flags),
                          Server("--simulate", "delay=0s,error_rate=1,seed=3", *flags)))
        self.ca = shared_certs() / "ca.pem"
        DrivenJob(self[0]).go_on_once(is_watched)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for server in self:
            server.__exit__(*error)


class Pages(http.server.ThreadingHTTPServer):
    """Serves a folder on an origin of its own."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), functools.partial(self.Handler, directory=folder))
        self.origin = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


def run_client(*command):
    """Runs a client that prints its cases and their count itself, and ends this script if any
    failed."""
    try:
        done = subprocess.run([str(part) for part in command], timeout=CLIENT_S, check=False)
    except subprocess.TimeoutExpired:
        sys.exit(f"{command[0]} did not end within {CLIENT_S} s")
    if done.returncode != 0:
        sys.exit(done.returncode)


def run_node(script, *arguments):
    run_client("/usr/bin/node", NODE / script, *arguments)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a browser gets from vtstatusd on another origin: node/browser.mjs, node/browser_page.mjs."""
import subprocess

import peers
from driven_job import is_watched_by
from vts_server import scratch_folder


def bundle(folder):
    subprocess.run([peers.NODE / "node_modules/.bin/esbuild", peers.NODE / "browser_page.mjs",
                    "--bundle", "--format=esm", "--log-level=warning",
                    f"--alias:gen={peers.generate_node_code()}", f"--outfile={folder}/page.js"],
                   check=True)
    (folder / "index.html").write_text('<!doctype html><script type="module" src="page.js"></script>')


def is_watched(metrics):
    """By each of its PEERS; and its EventSource, which has had an event, has asked for what is not
    there."""
    return is_watched_by(7)(metrics) and metrics["vts_http_responses_4xx_total"] >= 1


folder = scratch_folder()
bundle(folder)
with peers.Pages(folder) as home, peers.Pages(folder) as abroad, \
        peers.Jobs(*peers.allow_origin(home.origin), is_watched=is_watched) as servers:
    peers.run_node("browser.mjs", home.origin, abroad.origin, *(server.port for server in servers))

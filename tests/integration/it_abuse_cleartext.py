#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vtstatusd against peers that flood, stall and lie at its port without TLS: some of each kind of
it_abuse_h2.py, which runs them all with --cleartext."""
import os
import sys
from pathlib import Path

KINDS = ("rapid reset", "CONTINUATION", "HPACK bomb", "PING flood", "SETTINGS flood", "preface",
         "window", "never reads", "slow", "idle", "one after the other", "250 at once")

if __name__ == "__main__":
    script = Path(__file__).with_name("it_abuse_h2.py")
    os.execv(sys.executable, [sys.executable, "-B", str(script), "--cleartext", *KINDS])

# SPDX-License-Identifier: Apache-2.0
"""What every part of the benchmark is told, and how a target is."""
from pathlib import Path
from typing import NamedTuple


class Plan(NamedTuple):
    """One run of bench/run.sh."""

    scratch: Path  # has the certificates and www/status
    build: Path  # of the release
    peer_build: Path  # of what speaks grpc++
    status: bytes  # the JobStatus that every server answers
    rounds: int
    requests: int
    has_ours: bool  # vtstatusd takes part

    @property
    def ca_file(self):
        return str(self.scratch / "ca.pem")


def print_target(what, value, most, unit=""):
    verdict = "met" if value <= most else "MISSED"
    print(f"  {what:52}{value:>9.2f} {unit:9} at most {most:g}: {verdict}")

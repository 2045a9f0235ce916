#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Waiting in a world that is not to be relied upon: names that do not resolve, clocks that jump,
certificates that are not the server's, connections that die without a word.

Exit code 77: there is no python3-grpcio.
"""
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main  # noqa: E402
from vts_server import IS_SANITIZED, ROOT, Server, make_certs, scratch_folder  # noqa: E402

try:
    from jobs_client import Jobs
except ImportError:
    print("skipped: there is no python3-grpcio or no python3-protobuf")
    sys.exit(77)
import h2_raw  # noqa: E402
from fault_proxy import Fault, Proxy  # noqa: E402
from waits import Waits  # noqa: E402

MODES = ("auto", "watch", "long-poll", "poll")
DAY_S = 24 * 3600
# What a busy machine may add to a deadline.
LATE_S = 6 if IS_SANITIZED else 2
NAME = "elsewhere.example"

server = jobs = odd = None


def identity(name, certs=None):
    certs = certs or odd
    return certs / f"{name}.pem", certs / f"{name}-key.pem"


def elsewhere():
    """A way to the server, which is at another name there."""
    return Proxy(server, always=Fault(identity=identity("elsewhere")), host=NAME, certs=odd)


def submit(name):
    jobs.create(job_id=name, queue=name)
    return name


def cancel(name):
    """The end that is to be told: {job: (revision, word)}."""
    return {name: (jobs.cancel(job_id=name).job.status.revision, "error")}


def expect_failure(wait, code, text, at_least=0.0, at_most=0.0):
    outcome = wait.finish()
    equal(outcome.code, code, wait.story())
    check(text in outcome.text, wait.story())
    check(at_least <= outcome.seconds <= at_most + LATE_S, f"not in time; {wait.story()}")


# ---- names --------------------------------------------------------------------------------------

@case
def names_that_resolve_later_are_waited_for():
    with Waits() as waits, elsewhere() as proxy:
        for mode in MODES:
            waits.order("names", 2)
            name = submit(f"names-{mode}")
            wait = waits.begin(proxy, mode, [name])
            wait.until(lambda: wait.revisions(name))
            equal([words[1] for words in wait.of_kind("failure")], ["resolve"] * 2, wait.story())
            wait.expect_truth(**cancel(name))


@case
def names_that_never_resolve_are_a_clear_error():
    text = f"cannot resolve {NAME}: there is no address for that name"
    with Waits() as waits, elsewhere() as proxy:
        waits.order("names", -1)
        name = submit("no-name")
        by_count = [waits.begin(proxy, mode, [name], max_failures=3) for mode in MODES]
        by_time = [waits.begin(proxy, mode, [name], deadline=1.5) for mode in MODES]
        for wait in by_count:
            expect_failure(wait, "resolve", text + " (3 tries in a row failed)", at_most=30)
        for wait in by_time:
            expect_failure(wait, "resolve", text, at_least=1.4, at_most=1.5)
        equal(proxy.connections, 0)


@case
def look_ups_that_do_not_end_hold_up_nobody():
    with Waits() as waits, elsewhere() as proxy:
        waits.order("hold")
        name = submit("held-name")
        held = [waits.begin(proxy, mode, [name], deadline=1.5, how=how)
                for mode in MODES for how in ("call", "thread")]
        for wait in held:
            expect_failure(wait, "gave_up", f"{NAME}:{proxy.port} has not answered",
                           at_least=1.4, at_most=1.5)
        waits.order("let-go")
        wait = waits.begin(proxy, "auto", [name])
        wait.until(lambda: wait.revisions(name))
        wait.expect_truth(**cancel(name))


# ---- clocks -------------------------------------------------------------------------------------

def jump(ahead_s):
    """Waits that go on while the wall's clock jumps, there and back."""
    with Waits() as waits, Proxy(server, certs=odd, always=Fault(
            identity=identity("server"))) as proxy:
        well = {mode: submit(f"jump-{mode}-{ahead_s}") for mode in MODES}
        for name in well.values():
            check(jobs.status(job_id=name), "no status")
        going = {mode: waits.begin(proxy, mode, [name]) for mode, name in well.items()}
        idle = submit(f"idle-{ahead_s}")
        late = [waits.begin(proxy, mode, [idle], deadline=2.0) for mode in MODES]
        for wait in (*going.values(), *late):
            wait.until(lambda w=wait: w.revisions(w.jobs[0]))
        waits.order("wall", ahead_s)
        for wait in late:
            expect_failure(wait, "gave_up", "at the deadline", at_least=1.9, at_most=2)
        for mode, wait in going.items():
            equal(wait.outcome, None, wait.story())
            if mode == "poll":  # the others may be told by what is under way
                wait.expect_truth(**cancel(well[mode]))
        waits.order("wall", 0)
        for mode, wait in going.items():
            if mode != "poll":
                wait.expect_truth(**cancel(well[mode]))
        # Whoever goes on after the last of them is told only of what is newer.
        seen = late[0].revisions(idle)[-1]
        wait = waits.begin(proxy, "auto", [idle], how="thread", after=seen)
        end = cancel(idle)
        wait.expect_truth(**end)
        equal(wait.revisions(idle), [end[idle][0]], wait.story())


@case
def a_wall_clock_that_jumps_a_day_ahead_changes_nothing():
    jump(DAY_S)


@case
def a_wall_clock_that_jumps_a_day_back_changes_nothing():
    jump(-DAY_S)


# ---- certificates -------------------------------------------------------------------------------

def expect_distrust(name, shown, certs, text):
    """At once, after one connection, and nothing is sent."""
    with Waits() as waits:
        for mode in MODES:
            with Proxy(server, always=Fault(identity=shown), certs=certs) as proxy:
                wait = waits.begin(proxy, mode, [name], deadline=30)
                expect_failure(wait, "tls", text, at_most=0)
                equal((proxy.connections, wait.revisions(name), wait.of_kind("failure")),
                      (1, [], []), wait.story())


@case
def certificates_of_another_authority_are_refused_at_once():
    expect_distrust(submit("authority"), identity("server"), server.certs,
                    "was issued by an authority that is not trusted here")


@case
def certificates_that_have_expired_are_refused_at_once():
    expect_distrust(submit("expired"), identity("expired"), odd, "its certificate has expired")


@case
def certificates_for_another_name_are_refused_at_once():
    expect_distrust(submit("other-name"), identity("elsewhere"), odd,
                    "its certificate is for another name than 'localhost'")


@case
def certificates_that_change_during_a_wait_are_refused():
    with Waits() as waits:
        for mode in MODES:
            name = submit(f"changed-{mode}")
            cut = Fault("cut", unit="frames", kinds=(h2_raw.DATA,), after=1)
            with Proxy(server, cut, always=Fault(identity=identity("server"))) as proxy:
                wait = waits.begin(proxy, mode, [name], deadline=30)
                expect_failure(wait, "tls", "was issued by an authority that is not trusted here",
                               at_most=20)
                equal(len(wait.revisions(name)), 1, wait.story())
                equal(proxy.connections, 2)


# ---- ways that die without a word ---------------------------------------------------------------

def play_silence(mode, fault, passes_s):
    """A way dies under a wait that had begun well, and time passes until it is noticed."""
    with Waits() as waits, Proxy(server, fault) as proxy:
        name = submit(f"silence-{mode}-{fault.way}")
        wait = waits.begin(proxy, mode, [name], deadline=3000)
        wait.until(lambda: wait.revisions(name))
        proxy.wait_met()
        end = cancel(name)
        waits.order("monotonic", passes_s)
        wait.expect_truth(**end)
        equal(wait.of_kind("failure"), [], wait.story())
        equal(proxy.connections, 2, wait.story())


@case
def connections_that_died_are_not_used_again():
    with Waits() as waits:
        for mode in MODES:
            with Proxy(server, Fault("stall", unit="plain", way="up")) as proxy:
                name = submit(f"died-{mode}")
                wait = waits.begin(proxy, mode, [name], request_timeout=1.0)
                wait.until(lambda w=wait, n=name: w.revisions(n))
                # The next request after the one that was made anew.
                lease = jobs.lease(worker_id="w", queues=[name]).lease
                wait.until(lambda w=wait, n=name: len(w.revisions(n)) == 2)
                end = jobs.complete(job_id=name, token=lease.token).status
                wait.expect_truth(**{name: (end.revision, "completed")})
                equal((len(wait.of_kind("failure")), proxy.connections), (1, 2), wait.story())


@case
def streams_that_die_without_a_word_are_opened_anew():
    for mode in ("auto", "watch"):
        play_silence(mode, Fault("stall", unit="frames", kinds=(h2_raw.DATA,), after=1), 301)


@case
def long_polls_that_die_without_a_word_are_sent_anew():
    play_silence("long-poll", Fault("stall", unit="frames", kinds=(h2_raw.DATA,), after=1), 131)


if __name__ == "__main__":
    odd = scratch_folder()
    subprocess.run([ROOT / "tests/support/make_odd_certs.sh", odd], check=True)
    with Server() as server, Jobs(server) as jobs:
        main(__file__)

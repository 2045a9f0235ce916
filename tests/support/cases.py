# SPDX-License-Identifier: Apache-2.0
"""Cases of a test script: functions that raise AssertionError when what they look at is wrong.

    @case
    def unknown_job_is_404(): ...

    main(__file__)

prints a line a case and ends with "NAME: N passed, N failed". Arguments choose cases by their names.
A case that calls skip() counts as neither; when some were skipped and none failed, so does the test.

Time is the server's affair wherever it can be: a case waits for events, however long they take. What
is about time itself, and so can be spoilt by a machine that is busy, is told how long its times are:

    @case
    @with_more_time
    def a_young_connection_stays(scale): ... f"max_age_ms={100 * scale}" ...
"""
import concurrent.futures
import functools
import os
import sys
import time
import traceback
from pathlib import Path

_cases = []


def case(function):
    _cases.append(function)
    return function


def with_more_time(function):
    """A case that may fail with times as short as these, but not with all: a machine that is busy is
    late by some time, a fault by any time. What else goes wrong is no matter of time."""
    @functools.wraps(function)
    def run():
        for scale in (1, 4, 16):
            try:
                return function(scale)
            except Exception as error:
                if scale == 16 or getattr(error, "is_final", False):
                    raise
                print(f"     {function.__name__}, {scale} times as long: {error}", flush=True)
        return None
    return run


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}: wanted {wanted!r}, got {got!r}")


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def wait_until(condition, what, timeout=60, poll_s=0.01):
    """For what cannot be waited for: the state of another process. Asks again until it holds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(poll_s)


class Skipped(Exception):
    pass


def skip(reason):
    """Ends the case, for what it needs is not on this machine."""
    raise Skipped(reason)


SKIPPED_TEST = 77  # as an exit status, which CTest shows


def _run(function):
    """Whether it passed; None: it was skipped."""
    start = time.monotonic()
    try:
        function()
    except Skipped as reason:
        print(f"skipped {function.__name__}: {reason}", flush=True)
        return None
    except Exception as error:  # whatever it is, the other cases shall run
        print(f"{traceback.format_exc()}FAIL {function.__name__}: {error}", flush=True)
        return False
    print(f"ok   {function.__name__} ({time.monotonic() - start:.2f} s)", flush=True)
    return True


def main(file, at_once=1):
    """at_once: how many cases run beside each other, for those that wait more than they work and
    have their servers to themselves."""
    chosen = [one for one in _cases if not sys.argv[1:] or one.__name__ in sys.argv[1:]]
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        results = list(pool.map(_run, chosen))
    skipped = f", {results.count(None)} skipped" if None in results else ""
    print(f"{Path(file).stem}: {results.count(True)} passed, {results.count(False)} failed{skipped}")
    sys.stdout.flush()
    if not results or False in results:
        sys.exit(os.EX_SOFTWARE)
    sys.exit(SKIPPED_TEST if None in results else 0)

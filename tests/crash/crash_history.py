# SPDX-License-Identifier: Apache-2.0
"""Whether history.py sees each promise broken, and none where all are kept."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cases import case, check, equal, main  # noqa: E402
from history import Broken, History, parse_time_ns  # noqa: E402

SECOND = 10**9


def moment(seconds):
    return f"2026-01-01T00:00:{seconds:02}.5Z"


def status(revision, state, attempt=0, **fields):
    made = {"revision": str(revision), "state": f"STATE_{state}", "updateTime": moment(revision)}
    if attempt:
        made["attempt"] = attempt
    return {**made, **fields}


def whole(name, its_status, calls=(), request="r"):
    """A job whose attempts, one a second from second 10 on, are of these calls of LeaseJob."""
    attempts = [{"number": number, "workerId": call, "startTime": moment(9 + number)}
                for number, call in enumerate(calls, 1)]
    return {"id": name, "labels": {"request": request}, "status": its_status, "maxAttempts": 3,
            "attempts": attempts}


class Told:
    """A history of the job "a", by hand. now: the wall clock's second."""

    def __init__(self):
        self.now = 10
        self.history = History(lambda: parse_time_ns(moment(self.now)))
        self.job = self.history.meet(whole("a", status(1, "PENDING")))

    def see(self, revision, state, floor=None, **fields):
        self.history.see(self.job, status(revision, state, **fields),
                         self.job.floor() if floor is None else floor)

    def lease(self, revision, *calls, token=None, until=30):
        """The last of the calls gets the job."""
        self.history.lease_calls[calls[-1]] = None
        told = whole("a", status(revision, "RUNNING", len(calls)), calls)
        return self.history.grant(calls[-1], {"token": token or calls[-1], "job": told,
                                              "expireTime": moment(until)})


def broken(words, call):
    """The call raises Broken, with these words in it."""
    try:
        call()
    except Broken as error:
        check(words in str(error), error)
        return
    raise AssertionError(f"nobody notices: {words}")


@case
def a_job_that_goes_its_way_breaks_nothing():
    told = Told()
    first = told.lease(2, "w1", until=20)
    told.history.report(first, told.history.next_tick())
    told.history.keep(first, moment(21), 40)
    first.is_end_sent = True
    told.see(3, "PENDING", attempt=1)
    told.history.report(first, told.history.next_tick(), 3)
    second = told.lease(4, "w1", "w2", until=12)
    told.now = 13
    told.history.lose(second, "LEASE_LOST", False)
    told.see(6, "CANCELLED", attempt=2)
    told.history.cancel(told.job, status(6, "CANCELLED", 2))
    told.job.retries += 1
    told.see(7, "PENDING")
    told.see(8, "SUCCEEDED", attempt=1)
    equal((told.job.top, told.job.is_done(), len(told.job.ends)), (8, True, 2))
    told.job.is_delete_sent = True
    told.history.miss(told.job, "JOB_GONE")


@case
def a_revision_that_is_lost_is_noticed():
    told = Told()
    told.see(5, "RUNNING", attempt=1)
    told.see(4, "RUNNING", floor=2, attempt=1)  # asked for earlier
    broken("revision 4 is seen after 5", lambda: told.see(4, "RUNNING", attempt=1))


@case
def a_revision_that_means_two_things_is_noticed():
    told = Told()
    told.see(2, "RUNNING", attempt=1)
    broken("revision 2 was", lambda: told.see(2, "CANCELLED"))


@case
def a_job_that_is_lost_or_comes_back_is_noticed():
    told = Told()
    broken("nobody deleted it", lambda: told.history.miss(told.job, "JOB_NOT_FOUND"))
    told.job.is_delete_sent = True
    told.history.miss(told.job, "JOB_GONE")
    broken("is seen after inf", lambda: told.see(1, "PENDING"))


@case
def a_second_end_is_noticed():
    told = Told()
    told.see(2, "FAILED")
    broken("nobody asked for it", lambda: told.see(3, "PENDING"))
    told = Told()
    told.see(2, "SUCCEEDED")
    told.job.retries += 1
    broken("after its success", lambda: told.see(3, "FAILED"))


@case
def a_cancellation_that_is_forgotten_is_noticed():
    told = Told()
    told.see(2, "CANCELLING")
    told.history.cancel(told.job, status(2, "CANCELLING"))
    broken("after its cancellation", lambda: told.see(3, "RUNNING"))


@case
def a_request_that_makes_two_jobs_is_noticed():
    told = Told()
    broken("made both", lambda: told.history.meet(whole("b", status(1, "PENDING"))))


@case
def a_lease_given_while_another_holds_is_noticed():
    told = Told()
    told.lease(2, "w1", until=12)
    broken("before the lease of w1 ends", lambda: told.lease(4, "w1", "w2"))
    told = Told()
    told.lease(2, "w1", until=11)  # the second attempt starts at 11.5
    told.lease(4, "w1", "w2")


@case
def a_token_or_a_revision_of_two_leases_is_noticed():
    told = Told()
    told.lease(2, "w1", token="same", until=11)
    broken("a token came twice", lambda: told.lease(4, "w1", "w2", token="same"))
    told = Told()
    told.lease(2, "w1", until=11)
    broken("was", lambda: told.lease(2, "w1", "w2"))


@case
def a_report_of_who_has_no_lease_any_more_is_noticed():
    told = Told()
    first = told.lease(2, "w1", until=11)
    told.lease(4, "w1", "w2")
    broken("it is w2's by then", lambda: told.history.report(first, told.history.next_tick()))
    sent_tick = 0  # before the other had it
    told.history.report(first, sent_tick)
    broken("when it was w2's", lambda: told.history.report(first, sent_tick, 5))


@case
def an_end_that_comes_twice_is_noticed():
    told = Told()
    lease = told.lease(2, "w1")
    told.history.report(lease, told.history.next_tick(), 3)
    broken("twice", lambda: told.history.report(lease, told.history.next_tick(), 4))


@case
def a_lease_lost_too_early_is_noticed():
    told = Told()
    lease = told.lease(2, "w1", until=12)
    broken("before the end", lambda: told.history.lose(lease, "LEASE_LOST", False))
    broken("holds", lambda: told.history.check_lease_kept(told.job, status(3, "PENDING", 1)))
    told.history.lose(lease, "LEASE_LOST", True)  # its end was sent, and may have arrived
    told.now = 13
    told.history.lose(lease, "LEASE_LOST", False)
    told.history.check_lease_kept(told.job, status(3, "PENDING", 1))


@case
def attempts_that_are_counted_wrong_are_noticed():
    told = Told()
    told.lease(2, "w1", until=11)
    told.history.lease_calls.update({"idle": "", "lost": None, "lost2": None, "lost3": None})
    look = told.history.check_attempts
    for words, calls, attempt in (
            ("who got ''", ("w1", "idle"), 2), ("the list 2", ("w1", "lost"), 1),
            ("two attempts", ("w1", "w1"), 2), ("of 3", ("w1", "lost", "lost2", "lost3"), 4),
            ("is forgotten", ("lost",), 1)):
        broken(words, lambda: look(told.job, whole("a", status(4, "RUNNING", attempt), calls)))
    look(told.job, whole("a", status(4, "RUNNING", 2), ("w1", "lost")))


@case
def an_end_that_says_something_else_is_noticed():
    told = Told()
    lease = told.lease(2, "w1")
    lease.percent = 40
    look = told.history.check_end
    done = status(3, "SUCCEEDED", 1, outputUri="x", progress={"percent": 100})
    look(lease, done, {"outputUri": "x"})
    broken("made it", lambda: look(lease, done, {"outputUri": "y"}))
    broken("made it", lambda: look(lease, done, {"error": {}}))
    broken("at 40 %", lambda: look(lease, status(3, "FAILED", 1, progress={"percent": 39}),
                                   {"error": {}}))


main(__file__)

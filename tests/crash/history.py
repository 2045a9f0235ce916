# SPDX-License-Identifier: Apache-2.0
"""What clients were told by a server that is killed again and again, and whether it can all be true.

Each method takes one answer, or the loss of one, and raises Broken when it contradicts what was told
before. Promises, each with the check that holds it:

- What was told is durable: no read that is sent after a revision was seen shows an older one, and a
  revision means the same to all, for ever (see).
- A job ends once: a success is its last revision, and of a failure or cancellation a retry alone
  leads on (see). A cancellation that was acknowledged is heeded (see).
- A lease is one worker's: between two leases of a job the first was ended, or ran out (grant). Of
  reports under two tokens, those of the first all come first (report). A lease that holds is not
  lost (lose, see).
- Attempts are counted: each belongs to a call of LeaseJob that had no other answer (check_attempts).
- A request makes one job, however often it is sent (meet).

Order is that of the answers' arrival, for `tick` counts all that is sent and all that arrives. Times
are the wall clock's in nanoseconds: that of the server too, which runs on the same machine.
"""
import calendar
import math
import time

DONE = ("STATE_SUCCEEDED", "STATE_FAILED", "STATE_CANCELLED")
HELD = ("STATE_RUNNING", "STATE_CANCELLING")
HEEDED = ("STATE_CANCELLING", "STATE_CANCELLED", "STATE_SUCCEEDED")
# Of a status, what belongs to its revision; the rest is made at each reading.
KEPT = ("status", "done", "state", "progress", "error", "updateTime", "pendingReason", "attempt",
        "outputUri")


class Broken(AssertionError):
    """The server broke a promise."""


def parse_time_ns(text):
    """Of RFC 3339 in UTC, as ProtoJSON has it."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
    return seconds * 10**9 + int(fraction.ljust(9, "0") or 0)


class Lease:
    """expire_ns: what was acknowledged; the true one may be later, never earlier. is_end_sent: a
    report that ends it may have arrived. end: the revision it was acknowledged with."""

    def __init__(self, job, call, answer, tick):
        attempt = answer["job"]["attempts"][-1]
        self.job, self.call, self.token, self.tick = job, call, answer["token"], tick
        self.revision = int(answer["job"]["status"]["revision"])
        self.attempt = answer["job"]["status"]["attempt"]
        self.start_ns = parse_time_ns(attempt["startTime"])
        self.expire_ns = parse_time_ns(answer["expireTime"])
        self.is_end_sent = self.is_release_sent = False
        self.end, self.percent = None, 0

    def holds_at(self, now_ns):
        return not self.is_end_sent and now_ns < self.expire_ns


class Job:
    """top: the highest revision that was seen. ends: the revisions at which it was done. retries:
    how many were sent, but for those that were refused. cancelled: of the last acknowledged
    cancellation its revision and the retries until then. is_acknowledged: who submitted it knows,
    and will not ask for it again. is_taken: a client decides over it, so that
    no other does at the same time."""

    def __init__(self, name):
        self.name, self.top, self.revisions, self.ends = name, 0, {}, {}
        self.leases, self.retries, self.cancelled = [], 0, None
        self.is_acknowledged = self.is_taken = self.is_delete_sent = self.is_gone = False

    def state(self):
        return self.revisions[self.top]["state"]

    def is_done(self):
        return self.top in self.ends

    def floor(self):
        """The lowest revision that an answer to what is asked now may show."""
        return math.inf if self.is_gone else self.top

    def fail(self, what):
        steps = [f"{revision} {kept.get('state')}" for revision, kept in sorted(self.revisions.items())]
        leases = [f"{one.revision} by {one.call}, end {one.end or one.is_end_sent}"
                  for one in self.leases]
        raise Broken(f"job {self.name}: {what}\n  revisions: {steps}\n  leases: {leases}\n"
                     f"  retries: {self.retries}, cancelled: {self.cancelled}")


class History:
    def __init__(self, now_ns=time.time_ns):
        self.jobs, self.by_request, self.tokens = {}, {}, set()
        self.present = {}  # of the jobs, those that are not gone
        self.lease_calls = {}  # by worker id: the job's name, "" for none, None while unknown
        self.tick, self.now_ns = 0, now_ns

    def next_tick(self):
        self.tick += 1
        return self.tick

    # ---- a job ----

    def meet(self, told, floor=0):
        """A whole job, for the first time or again; its status as see()."""
        name, request = told["id"], told["labels"]["request"]
        if self.by_request.setdefault(request, name) != name:
            raise Broken(f"request {request} made both {self.by_request[request]} and {name}")
        job = self.jobs.get(name)
        if job is None:
            job = self.jobs[name] = self.present[name] = Job(name)
        self.see(job, told["status"], floor)
        return job

    def see(self, job, status, floor):
        """A status. floor: job.floor() when it was asked for, which no revision reaches once the job
        was gone; in a stream, the one before plus 1."""
        revision, state = int(status["revision"]), status["state"]
        if revision < floor:
            job.fail(f"revision {revision} is seen after {floor} was: {status}")
        kept = {name: status[name] for name in KEPT if name in status}
        known = job.revisions.setdefault(revision, kept)
        if known != kept:
            job.fail(f"revision {revision} was {known} and is {kept}")
        if known is not kept:
            return  # it was seen before
        job.top = max(job.top, revision)
        if state in DONE:
            job.ends[revision] = state
        self.check_ends(job)
        self.check_cancelled(job, revision, state)

    def check_ends(self, job):
        earlier = [state for revision, state in job.ends.items() if revision < job.top]
        if "STATE_SUCCEEDED" in earlier:
            job.fail("it goes on after its success")
        if len(earlier) > job.retries:
            job.fail("it goes on after its end, and nobody asked for it")

    def check_cancelled(self, job, revision, state):
        if job.cancelled is None or state in HEEDED:
            return
        if revision > job.cancelled[0] and job.retries == job.cancelled[1]:
            job.fail(f"it is {state} after its cancellation")

    def check_lease_kept(self, job, status):
        """Of a status that came just now."""
        lease = job.leases[-1] if job.leases else None
        if lease is None or int(status["revision"]) < lease.revision:
            return
        if not lease.holds_at(self.now_ns()):
            return
        if status["state"] not in HELD or status["attempt"] != lease.attempt:
            job.fail(f"the lease of {lease.call} holds, and it is {status}")

    def miss(self, job, reason):
        """A job that is not there."""
        if not job.is_delete_sent:
            job.fail(f"{reason}, and nobody deleted it")
        self.forget(job)

    def forget(self, job):
        """Its deletion was acknowledged, or is seen."""
        job.is_gone = True
        self.present.pop(job.name, None)

    # ---- decisions ----

    def cancel(self, job, status):
        """An acknowledged cancellation."""
        if status["state"] not in HEEDED[:2]:
            job.fail(f"a cancellation made it {status}")
        job.cancelled = (int(status["revision"]), job.retries)
        for revision, kept in sorted(job.revisions.items()):
            self.check_cancelled(job, revision, kept["state"])

    # ---- leases ----

    def grant(self, call, answer):
        """An answer to LeaseJob with a lease."""
        job = self.meet(answer["job"])
        lease = Lease(job, call, answer, self.next_tick())
        self.lease_calls[call] = job.name
        if lease.token in self.tokens:
            job.fail(f"a token came twice, the second time to {call}")
        self.tokens.add(lease.token)
        job.leases.append(lease)
        job.leases.sort(key=lambda one: one.revision)
        at = job.leases.index(lease)
        near = job.leases[max(at - 1, 0):at + 2]
        for first, second in zip(near, near[1:]):
            self.check_handover(first, second)
        self.check_attempts(job, answer["job"])
        return lease

    def check_handover(self, first, second):
        job = first.job
        if first.revision == second.revision:
            job.fail(f"revision {first.revision} is the lease of {first.call} and {second.call}")
        if not first.is_end_sent and second.start_ns < first.expire_ns:
            job.fail(f"{second.call} was given it {(first.expire_ns - second.start_ns) / 1e9:.3f} s "
                     f"before the lease of {first.call} ends")
        if first.end is not None and first.end > second.revision:
            job.fail(f"{first.call} ended its lease after it was {second.call}'s")

    def report(self, lease, sent_tick, end_revision=None):
        """A report that was acknowledged, with the revision that ends the lease or without."""
        job = lease.job
        for other in job.leases:
            if other.revision > lease.revision and other.tick < sent_tick:
                job.fail(f"{lease.call} reports, though it is {other.call}'s by then")
        if end_revision is None:
            return
        if lease.end is not None:
            job.fail(f"{lease.call} ended its lease twice, at {lease.end} and {end_revision}")
        if end_revision <= lease.revision:
            job.fail(f"{lease.call} ended its lease at {end_revision}, before it had it")
        lease.end = end_revision
        for other in job.leases:
            if lease.revision < other.revision < end_revision:
                job.fail(f"{lease.call} ended its lease at {end_revision}, when it was {other.call}'s")

    def keep(self, lease, expire_time, percent):
        """An acknowledged heartbeat."""
        lease.expire_ns, lease.percent = parse_time_ns(expire_time), percent

    def check_end(self, lease, status, fields):
        """What an acknowledged end that was reported with these fields made of the job."""
        job, state = lease.job, status["state"]
        is_release = "outputUri" not in fields and "error" not in fields
        if state == "STATE_SUCCEEDED":
            told = (status.get("outputUri"), status["progress"]["percent"])
            if told != (fields.get("outputUri"), 100):
                job.fail(f"{fields} made it {status}")
        elif "outputUri" in fields or state not in ("STATE_PENDING", "STATE_FAILED", "STATE_CANCELLED"):
            job.fail(f"{fields} made it {status}")
        if is_release and state == "STATE_PENDING":
            return  # the attempt is undone
        if status["attempt"] != lease.attempt or status["progress"].get("percent", 0) < lease.percent:
            job.fail(f"attempt {lease.attempt} at {lease.percent} % ended as {status}")

    def lose(self, lease, reason, was_end_sent):
        """A report that was refused; was_end_sent: lease.is_end_sent before it was sent."""
        if reason in ("JOB_GONE", "JOB_NOT_FOUND"):
            self.miss(lease.job, reason)
        elif reason != "LEASE_LOST":
            lease.job.fail(f"{lease.call} was refused: {reason}")
        left_ns = lease.expire_ns - self.now_ns()
        if left_ns > 0 and not was_end_sent:
            lease.job.fail(f"{lease.call} lost its lease {left_ns / 1e9:.3f} s before the end: {reason}")

    # ---- attempts ----

    def check_attempts(self, job, told):
        """Of a whole job as it was told just now."""
        attempts = told.get("attempts", [])
        before = 0
        for attempt in attempts:
            number, call = attempt["number"], attempt["workerId"]
            if number != before + 1:
                job.fail(f"attempt {number} follows {before}")
            before = number
            if self.lease_calls.get(call, "") not in (None, job.name):
                job.fail(f"attempt {number} is of {call}, who got {self.lease_calls.get(call)!r}")
        calls = [attempt["workerId"] for attempt in attempts]
        if len(set(calls)) < len(calls):
            job.fail(f"a worker's call made two attempts: {calls}")
        # A retry gives all attempts anew; the list goes on counting.
        present = told["status"].get("attempt", 0)
        if before > told["maxAttempts"] * (job.retries + 1):
            job.fail(f"{before} attempts of {told['maxAttempts']}, with {job.retries} retries")
        if present > told["maxAttempts"]:
            job.fail(f"attempt {present} of {told['maxAttempts']}")
        if present > before or (job.retries == 0 and present not in (0, before)):
            job.fail(f"the status tells attempt {present}, the list {before}")
        self.check_all_told(job, told, calls)

    def check_all_told(self, job, told, calls):
        """Every lease that was acknowledged by the time of `told` is in its list, unless it may have
        been given back."""
        revision = int(told["status"]["revision"])
        for lease in job.leases:
            if lease.revision <= revision and not lease.is_release_sent and lease.call not in calls:
                job.fail(f"the attempt of {lease.call} is forgotten: {calls}")

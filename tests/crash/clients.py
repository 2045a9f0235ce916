# SPDX-License-Identifier: Apache-2.0
"""Clients of a server that is killed under them: each does one thing after the other on a connection
of its own, and tells the history of every answer."""
import asyncio
import itertools
import random

from history import Broken
from wire import LOST, Wire

LIVE_MAX = 150  # jobs that are not done, at which no more are submitted
KEPT_MAX = 250  # jobs that are not deleted, at which those that are done are
RETRIES_MAX = 3  # of one job, so that its list of attempts stays whole
WATCHED_MAX = 100
BULK = 50  # jobs in one request
LEASE_S = 1.5

# Answers to kill the server at.
WRITES = ("JobService/CreateJob", "JobService/CreateJobs", "JobService/CancelJob",
          "JobService/RetryJob", "JobService/DeleteJob", "WorkerService/LeaseJob",
          "WorkerService/HeartbeatJob", "WorkerService/CompleteJob", "WorkerService/FailJob",
          "WorkerService/ReleaseJob")
NEWS = ("StatusService/WatchStatuses",)


class World:
    """What clients share. up, down: set while the server runs or does not; kills: how often it was
    killed. kill(): kills it, if it runs."""

    def __init__(self, history, context, port, seed, kill):
        self.history, self.context, self.port, self.seed = history, context, port, seed
        self.up, self.down = asyncio.Event(), asyncio.Event()
        self.kills, self.calls, self.lost = 0, 0, 0
        self.kill, self.after, self.methods, self.countdown = kill, "", (), 0
        self.is_draining = self.is_over = False

    def live(self):
        return [job for job in self.history.present.values() if not job.is_done()]

    def kept(self):
        return list(self.history.present.values())

    def go_up(self):
        self.down.clear()
        self.up.set()

    def go_down(self):
        self.kills += 1
        self.methods = ()
        self.up.clear()
        self.down.set()

    def arm(self, after, methods, countdown):
        """Once the method `after` was called, or "" for at once, so many answers to one of `methods`
        are let through, and the last of them kills."""
        self.after, self.methods, self.countdown = after, methods, countdown

    def on_call(self, method):
        if method == self.after:
            self.after = ""

    def on_bytes(self, method):
        if self.after or method not in self.methods:
            return
        self.countdown -= 1
        if self.countdown <= 0:
            self.kill()


class Client:
    """step() does one thing; run() does them until is_finished()."""

    def __init__(self, world, name):
        self.world, self.name, self.history = world, name, world.history
        self.random = random.Random(f"{world.seed} {name}")
        self.wire, self.wire_kills = Wire(world.context, world.port, world.on_bytes), 0
        self.numbers = itertools.count(1)

    async def run(self):
        await self.be_up()
        while not self.is_finished():
            await self.step()
            await self.be_up()
        self.wire.close()

    def is_finished(self):
        return self.world.is_draining

    async def be_up(self):
        """Until there is a server; the connection to the one before is worth nothing. What is noted as
        sent is noted after this, for a call that waits for the next server was not sent to the last.
        """
        await self.world.up.wait()
        if self.wire_kills != self.world.kills:
            self.wire.close()
            self.wire_kills = self.world.kills

    async def ask(self, method, request):
        """An Answer, or LOST when the server was killed meanwhile."""
        await self.be_up()
        kills = self.world.kills
        self.world.on_call(method)
        answer = await self.wire.call(method, request)
        self.world.calls += 1
        if answer is LOST:
            self.world.lost += 1
            if kills == self.world.kills:
                raise Broken(f"{self.name}: the server broke off {method} {request}")
        return answer

    async def ask_until_told(self, method, request):
        while (answer := await self.ask(method, request)) is LOST:
            pass
        return answer

    def refuse(self, answer, *allowed):
        """For an answer that is none of success: raises Broken unless its reason is allowed."""
        if answer.reason not in allowed:
            raise Broken(f"{self.name}: refused with {answer.reason}")

    async def look(self, job):
        """Reads the whole job."""
        await self.be_up()
        floor = job.floor()
        answer = await self.ask("JobService/GetJob", {"jobId": job.name})
        if answer is LOST:
            return
        if answer.reason:
            self.refuse(answer, "JOB_GONE")
            self.history.miss(job, answer.reason)
            return
        told = answer.body["job"]
        self.history.meet(told, floor)
        self.history.check_lease_kept(job, told["status"])
        self.history.check_attempts(job, told)

    async def look_around(self):
        jobs = self.world.kept()
        if jobs:
            await self.look(self.random.choice(jobs))
        else:
            await self.ask("JobService/ListJobs", {})


class Submitter(Client):
    """Sends a request until it has an answer, and at times once more, or many requests in one."""

    async def step(self):
        if len(self.world.live()) >= LIVE_MAX:
            await self.look_around()
        elif self.random.random() < 0.04:
            await self.submit_many()
        else:
            await self.submit_one()

    def make_request(self):
        request_id = f"{self.name}-{next(self.numbers)}"
        request = {"spec": {"sourceUri": "file:///v.mp4", "targetLanguage": "de"},
                   "labels": {"request": request_id}, "requestId": request_id,
                   "priority": self.random.randint(-2, 2),
                   "maxAttempts": self.random.randint(1, 4)}
        if self.random.random() < 0.5:
            request["jobId"] = f"job-{request_id}"
        return request

    async def submit_one(self):
        request = self.make_request()
        job = await self.submit(request, 0)
        if self.random.random() < 0.2 and not job.is_taken:
            job.is_taken = True  # so that it is not deleted meanwhile
            if not job.is_delete_sent:
                await self.submit(request, job.floor())
            job.is_taken = False

    async def submit(self, request, floor):
        answer = await self.ask_until_told("JobService/CreateJob", request)
        if answer.reason:
            self.refuse(answer)
        return self.take(request, answer.body, floor)

    async def submit_many(self):
        requests = [self.make_request() for _ in range(BULK)]
        answer = await self.ask_until_told("JobService/CreateJobs", {"requests": requests})
        if answer.reason:
            self.refuse(answer)
        for request, result in zip(requests, answer.body["results"], strict=True):
            self.take(request, result, 0)

    def take(self, request, result, floor):
        told = result.get("job")
        if told is None or told["id"] != request.get("jobId", told["id"]):
            raise Broken(f"{self.name} asked for {request} and got {result}")
        job = self.history.meet(told, floor)
        job.is_acknowledged = True
        return job


class Worker(Client):
    """Leases a job, reports on it and ends it in one of all ways, or walks away from it."""

    def is_finished(self):
        return self.world.is_over

    async def step(self):
        call = f"{self.name}.{next(self.numbers)}"
        self.history.lease_calls[call] = None
        answer = await self.ask("WorkerService/LeaseJob", {
            "workerId": call, "leaseDuration": f"{LEASE_S}s", "waitTimeout": "0.5s"})
        if answer is LOST:
            return
        if answer.reason:
            self.refuse(answer)
        if "lease" not in answer.body:
            self.history.lease_calls[call] = ""
            return
        await self.work(self.history.grant(call, answer.body["lease"]))

    async def work(self, lease):
        for _ in range(self.random.randint(0, 3)):
            if not await self.beat(lease):
                return
        mood = self.random.random()
        if mood < 0.1:
            await self.sit_out_a_kill()
            if not await self.beat(lease):
                return
        elif mood < 0.14 and not self.world.is_draining:
            return  # the lease runs out
        await self.end(lease)

    async def sit_out_a_kill(self):
        """Keeps its lease while the server dies; at the end of all rounds it does not."""
        kills = self.world.kills
        while kills == self.world.kills and not self.world.is_draining:
            await self.look_around()

    async def beat(self, lease):
        """False when the lease is lost."""
        percent = min(lease.percent + self.random.randint(1, 30), 99)
        request = {"jobId": lease.job.name, "token": lease.token, "progress": {"percent": percent}}
        answer = LOST
        while answer is LOST:
            await self.be_up()
            sent_tick = self.history.next_tick()
            answer = await self.ask("WorkerService/HeartbeatJob", request)
        if answer.reason:
            self.history.lose(lease, answer.reason, lease.is_end_sent)
            return False
        self.history.report(lease, sent_tick)
        self.history.keep(lease, answer.body["expireTime"], percent)
        return True

    async def end(self, lease):
        method, fields = self.choose_end()
        request = {"jobId": lease.job.name, "token": lease.token, **fields}
        answer = LOST
        while answer is LOST:
            await self.be_up()
            floor, sent_tick, was_sent = lease.job.floor(), self.history.next_tick(), lease.is_end_sent
            lease.is_end_sent, lease.is_release_sent = True, method == "ReleaseJob"
            answer = await self.ask(f"WorkerService/{method}", request)
        if answer.reason:
            self.history.lose(lease, answer.reason, was_sent)
            return
        status = answer.body["status"]
        self.history.see(lease.job, status, floor)
        self.history.report(lease, sent_tick, int(status["revision"]))
        self.history.check_end(lease, status, fields)

    def choose_end(self):
        """(method, fields)"""
        mood = self.random.random()
        if mood < 0.6:
            return "CompleteJob", {"outputUri": f"file:///{self.name}/{next(self.numbers)}"}
        if mood < 0.9 or self.world.is_draining:
            return "FailJob", {"error": {"code": 13, "message": "it broke"},
                               "retryable": mood < 0.8,
                               "retryDelay": f"{self.random.randint(0, 50) / 1000}s"}
        return "ReleaseJob", {}


class Meddler(Client):
    """Cancels, retries and deletes jobs, one decision over a job at a time."""

    async def step(self):
        jobs = [job for job in self.world.kept() if not job.is_taken]
        job = self.random.choice(jobs) if jobs else None
        mood = self.random.random()
        if job is None or mood < 0.4:
            await self.look_around()
            return
        job.is_taken = True
        if not job.is_done():
            await (self.cancel(job) if mood < 0.6 else self.look(job))
        elif len(jobs) > KEPT_MAX and job.is_acknowledged:
            await self.delete(job)
        elif job.state() != "STATE_SUCCEEDED" and job.retries < RETRIES_MAX:
            await self.retry(job)
        else:
            await self.look(job)
        job.is_taken = False

    async def cancel(self, job):
        await self.be_up()
        floor = job.floor()
        answer = await self.ask("JobService/CancelJob", {"jobId": job.name, "reason": self.name})
        if answer is LOST:
            return
        if answer.reason:
            self.refuse(answer, "JOB_DONE")
            return
        self.history.meet(answer.body["job"], floor)
        self.history.cancel(job, answer.body["job"]["status"])

    async def retry(self, job):
        await self.be_up()
        floor = job.floor()
        job.retries += 1
        answer = await self.ask("JobService/RetryJob", {"jobId": job.name})
        if answer is LOST:
            return
        if answer.reason:
            self.refuse(answer)
        self.history.meet(answer.body["job"], floor + 1)
        if answer.body["job"]["status"]["state"] != "STATE_PENDING":
            job.fail(f"a retry made it {answer.body}")

    async def delete(self, job):
        await self.be_up()
        job.is_delete_sent = True
        answer = await self.ask("JobService/DeleteJob", {"jobId": job.name})
        if answer is LOST:
            return
        if answer.reason:
            self.refuse(answer)
        self.history.forget(job)


class Watcher(Client):
    """Follows some of the jobs from where they were seen last, until all are done or the server is."""

    def is_finished(self):
        return self.world.is_over

    async def step(self):
        jobs = self.world.live()
        if not jobs:
            await self.look_around()
            return
        await self.be_up()
        chosen = self.random.sample(jobs, min(WATCHED_MAX, len(jobs)))
        cursors = {job.name: job.top for job in chosen}
        request = {"jobs": [{"jobId": name, "afterRevision": str(revision)}
                            for name, revision in cursors.items()]}
        async for message in self.wire.stream("StatusService/WatchStatuses", request):
            status = message["status"]
            name, revision = status["jobId"], int(status["revision"])
            self.history.see(self.history.jobs[name], status, cursors[name] + 1)
            cursors[name] = revision


CREW = ((Submitter, 4), (Worker, 10), (Meddler, 2), (Watcher, 2))


def hire(world):
    return [kind(world, f"{kind.__name__.lower()}{number}")
            for kind, count in CREW for number in range(count)]


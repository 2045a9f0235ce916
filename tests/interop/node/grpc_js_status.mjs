// SPDX-License-Identifier: Apache-2.0
// What @grpc/grpc-js gets from vtstatusd: status, watches, health, and how calls fail.
//
// Arguments: the folder of the protos, the CA's certificate, and the ports of servers with a job
// that ends soon, one that never does, and one that has failed.
import protobuf from "protobufjs";
import { check, equal, failure, main, test } from "./cases.mjs";
import { connect, download, grpc, load, unary } from "./grpc_js.mjs";

const [folder, ca, quickPort, stillPort, failedPort] = process.argv.slice(2);
const tree = load(folder, "vtstatus/v1/status_service.proto", "grpc/health/v1/health.proto");
const { StatusService } = tree.vtstatus.v1;
const { Health } = tree.grpc.health.v1;
const client = connect(StatusService, stillPort, ca);
const health = connect(Health, stillPort, ca);
const Code = grpc.status;
const SERVICES = ["", "vtstatus.v1.StatusService"];
const MANY_IDS = Array.from({ length: 1000 }, (_, i) => String(i).padStart(128, "0"));

async function get(jobId, options) {
    return (await unary(client, "getStatus", { jobId }, options)).response.status;
}

async function batch(jobIds, from = client) {
    return (await unary(from, "batchGetStatus", { jobIds })).response.results;
}

function watch(request, { from = client, ...options } = {}) {
    return download(from, "watchStatus", request, options);
}

async function expect(code, promise) {
    const error = await failure(promise);
    equal(error.code, code, error.stack);
    check(error.details, "an error without a message");
    return error;
}

// The first detail of an error, as [type, message], by the published protos.
function detailOf(error) {
    const root = new protobuf.Root();
    root.resolvePath = (_, target) =>
        `${target.startsWith("google/protobuf") ? "/usr/include" : folder}/${target}`;
    root.loadSync(["google/rpc/status.proto", "google/rpc/error_details.proto"]);
    const [bytes] = error.metadata.get("grpc-status-details-bin");
    check(bytes, "no details");
    const status = root.lookupType("google.rpc.Status").decode(bytes);
    equal([status.code, status.message], [error.code, error.details]);
    const [any] = status.details;
    const type = any.type_url.replace("type.googleapis.com/", "");
    return [type, root.lookupType(type).decode(any.value)];
}

// The quick job waits for this.
test("a_watch_ends_with_the_done_status", async () => {
    const seen = (await watch({}, { from: connect(StatusService, quickPort, ca) }).rest()).map(
        (one) => one.status,
    );
    check(seen.length > 1, `${seen.length} messages`);
    seen.forEach(({ revision }, i) =>
        check(i === 0 || revision > seen[i - 1].revision, "revisions do not rise"),
    );
    equal(
        seen.map(({ done }) => done),
        seen.map((_, i) => i === seen.length - 1),
    );
    equal(seen.at(-1).status, "STATUS_COMPLETED");
});

test("the_empty_id_is_default", async () => {
    for (const jobId of ["", "default"]) {
        const status = await get(jobId);
        equal([status.jobId, status.status, status.done], ["default", "STATUS_PENDING", false]);
        check(status.revision >= 1 && status.pollAfter && status.updateTime, "fields are missing");
    }
});

test("a_failed_job_is_data", async () => {
    const { status } = (await unary(connect(StatusService, failedPort, ca), "getStatus", {}))
        .response;
    equal([status.status, status.done, status.pollAfter], ["STATUS_ERROR", true, null]);
    check(status.error.code && status.error.message, "it does not say why");
});

test("an_unknown_job_is_not_found", async () => {
    const jobId = "unknown";
    for (const call of [() => get(jobId), () => watch({ jobId }).next()]) {
        const [type, info] = detailOf(await expect(Code.NOT_FOUND, call()));
        equal(
            [type, info.reason, info.domain],
            ["google.rpc.ErrorInfo", "JOB_NOT_FOUND", "vtstatus"],
        );
    }
});

test("a_bad_id_is_an_invalid_argument", async () => {
    for (const bad of ["bad id", "a/b", "ä", "a".repeat(129)]) {
        await expect(Code.INVALID_ARGUMENT, get(bad));
        await expect(Code.INVALID_ARGUMENT, watch({ jobId: bad }).next());
    }
});

test("a_batch_keeps_its_order", async () => {
    const results = await batch(["unknown", "default", "unknown2"]);
    equal(
        results.map(({ jobId, result }) => [jobId, result]),
        [
            ["unknown", "error"],
            ["default", "status"],
            ["unknown2", "error"],
        ],
    );
    equal(results[0].error.code, Code.NOT_FOUND);
});

test("a_batch_of_none_is_empty", async () => {
    equal(await batch([]), []);
});

test("a_batch_of_a_thousand_is_answered", async () => {
    equal(
        (await batch(MANY_IDS)).map(({ jobId }) => jobId),
        MANY_IDS,
    );
});

test("a_batch_of_more_is_refused", async () => {
    await expect(Code.INVALID_ARGUMENT, batch(new Array(1001).fill("default")));
});

test("gzip_is_understood_and_spoken", async () => {
    const options = { "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip };
    const results = await batch(MANY_IDS, connect(StatusService, stillPort, ca, options));
    equal(
        results.map(({ jobId }) => jobId),
        MANY_IDS,
    );
});

test("metadata_is_accepted", async () => {
    const metadata = new grpc.Metadata();
    metadata.add("x-extra", "value");
    metadata.add("x-extra", "another");
    metadata.add("x-extra-bin", Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
    equal((await get("", { metadata })).jobId, "default");
});

test("a_cancelled_watch_ends_alone", async () => {
    const [first, second] = [watch({}), watch({})];
    equal((await first.next()).status.jobId, "default");
    equal((await second.next()).status.jobId, "default");
    first.call.cancel();
    await expect(Code.CANCELLED, first.next());
    equal((await get("")).jobId, "default");
    equal(second.status, undefined, "the other ended with it");
    second.call.cancel();
    await failure(second.next());
});

test("a_watch_ends_at_its_deadline", async () => {
    const call = watch({}, { timeout: 300 });
    equal((await call.next()).status.jobId, "default");
    await expect(Code.DEADLINE_EXCEEDED, call.rest());
});

test("a_deadline_in_the_past_is_exceeded", async () => {
    await expect(Code.DEADLINE_EXCEEDED, get("", { timeout: -1 }));
});

test("health_of_what_serves", async () => {
    for (const service of SERVICES) {
        equal((await unary(health, "check", { service })).response.status, "SERVING");
        const call = download(health, "watch", { service });
        equal((await call.next()).status, "SERVING");
        call.call.cancel();
        await expect(Code.CANCELLED, call.next());
    }
});

test("health_of_what_is_unknown", async () => {
    const service = "unknown.Service";
    await expect(Code.NOT_FOUND, unary(health, "check", { service }));
    const call = download(health, "watch", { service });
    equal((await call.next()).status, "SERVICE_UNKNOWN");
    call.call.cancel(); // so it was still open
    await expect(Code.CANCELLED, call.next());
});

test("health_of_everything", async () => {
    const { statuses } = (await unary(health, "list", {})).response;
    for (const service of SERVICES) {
        equal(statuses[service].status, "SERVING");
    }
});

test("what_is_not_there_is_unimplemented", async () => {
    for (const path of ["/vtstatus.v1.StatusService/Nonsense", "/unknown.Service/Method"]) {
        await expect(
            Code.UNIMPLEMENTED,
            new Promise((resolve, reject) => {
                const asIs = (bytes) => bytes;
                client.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), (error, value) =>
                    error ? reject(error) : resolve(value),
                );
            }),
        );
    }
});

await main("interop_grpc_js_status");

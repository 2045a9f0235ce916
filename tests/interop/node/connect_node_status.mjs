// SPDX-License-Identifier: Apache-2.0
// What @connectrpc/connect-node gets from vtstatusd, in every protocol, codec and HTTP version.
//
// Arguments: the folder of the generated code, the CA's certificate, and the ports of servers with
// a job that ends soon, one that never does, and one that has failed.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
    compressionGzip,
    createConnectTransport,
    createGrpcTransport,
    createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { check, equal, failure, main, test } from "./cases.mjs";

const [folder, caFile, quickPort, stillPort, failedPort] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${folder}/${name}_pb.js`));
const { StatusService } = await load("vtstatus/v1/status_service");
const { Status } = await load("vtstatus/v1/status");
const { Health, HealthCheckResponse_ServingStatus: Serving } = await load("grpc/health/v1/health");
const { ErrorInfoSchema } = await load("google/rpc/error_details");
const ca = readFileSync(caFile);

const SERVICES = ["", "vtstatus.v1.StatusService"];
const MANY_IDS = Array.from({ length: 1000 }, (_, i) => String(i).padStart(128, "0"));

// How a client can talk: gRPC itself needs HTTP/2, and only Connect has GET.
const WAYS = [
    [
        "connect",
        createConnectTransport,
        ["2", "1.1"],
        [
            {},
            { useBinaryFormat: true },
            { useHttpGet: true },
            { useHttpGet: true, useBinaryFormat: true },
        ],
    ],
    ["grpc", createGrpcTransport, ["2"], [{ useBinaryFormat: true }, { useBinaryFormat: false }]],
    [
        "grpc_web",
        createGrpcWebTransport,
        ["2", "1.1"],
        [{ useBinaryFormat: true }, { useBinaryFormat: false }],
    ],
].flatMap(([protocol, create, versions, variants]) =>
    versions.flatMap((httpVersion) =>
        variants.map((options) => ({
            name: [
                protocol,
                options.useBinaryFormat ? "proto" : "json",
                ...(options.useHttpGet ? ["get"] : []),
                `http${httpVersion}`,
            ].join("_"),
            transport: (port, more = {}) =>
                create({
                    baseUrl: `https://localhost:${port}`,
                    httpVersion,
                    nodeOptions: { ca },
                    ...options,
                    ...more,
                }),
        })),
    ),
);

// Sends gzip whatever the size, and takes nothing else.
const GZIP = {
    acceptCompression: [compressionGzip],
    sendCompression: compressionGzip,
    compressMinBytes: 0,
};

async function collect(stream) {
    const all = [];
    for await (const message of stream) {
        all.push(message.status);
    }
    return all;
}

async function expect(code, promise) {
    const error = await failure(promise);
    check(error instanceof ConnectError, `no ConnectError: ${error.stack}`);
    equal(Code[error.code], Code[code], error.message);
    check(error.rawMessage, "an error without a message");
    return error;
}

function checkWatch(seen) {
    check(seen.length > 1, `${seen.length} messages`);
    seen.forEach(({ revision }, i) =>
        check(i === 0 || revision > seen[i - 1].revision, "revisions do not rise"),
    );
    equal(
        seen.map(({ done }) => done),
        seen.map((_, i) => i === seen.length - 1),
    );
    equal(seen.at(-1).status, Status.COMPLETED);
}

// All at once, for the quick job waits for all.
const watches = WAYS.map(({ transport }) =>
    collect(createClient(StatusService, transport(quickPort)).watchStatus({})).catch(
        (error) => error,
    ),
);

WAYS.forEach(({ name, transport }, i) => {
    const client = createClient(StatusService, transport(stillPort));
    const health = createClient(Health, transport(stillPort));

    test(`${name}_a_watch_ends_with_the_done_status`, async () => {
        const seen = await watches[i];
        check(Array.isArray(seen), seen.stack);
        checkWatch(seen);
    });

    test(`${name}_a_status`, async () => {
        for (const jobId of ["", "default"]) {
            const { status } = await client.getStatus({ jobId });
            equal([status.jobId, status.status, status.done], ["default", Status.PENDING, false]);
            check(
                status.revision >= 1n && status.pollAfter && status.updateTime,
                "fields are missing",
            );
        }
    });

    test(`${name}_a_failed_job_is_data`, async () => {
        const { status } = await createClient(StatusService, transport(failedPort)).getStatus({});
        equal([status.status, status.done, status.pollAfter], [Status.ERROR, true, undefined]);
        check(status.error.code && status.error.message, "it does not say why");
    });

    test(`${name}_errors`, async () => {
        const jobId = "unknown";
        for (const call of [
            () => client.getStatus({ jobId }),
            () => collect(client.watchStatus({ jobId })),
        ]) {
            const [info] = (await expect(Code.NotFound, call())).findDetails(ErrorInfoSchema);
            equal([info?.reason, info?.domain], ["JOB_NOT_FOUND", "vtstatus"]);
        }
        for (const bad of ["bad id", "a/b", "ä", "a".repeat(129)]) {
            await expect(Code.InvalidArgument, client.getStatus({ jobId: bad }));
            await expect(Code.InvalidArgument, collect(client.watchStatus({ jobId: bad })));
        }
    });

    test(`${name}_batches`, async () => {
        equal((await client.batchGetStatus({ jobIds: [] })).results, []);
        const { results } = await client.batchGetStatus({ jobIds: ["unknown", "default"] });
        equal(
            results.map(({ jobId, result }) => [jobId, result.case]),
            [
                ["unknown", "error"],
                ["default", "status"],
            ],
        );
        equal(results[0].result.value.code, Code.NotFound);
    });

    test(`${name}_a_batch_of_a_thousand`, async () => {
        // By POST: no URL is as long.
        const big = createClient(StatusService, transport(stillPort, { useHttpGet: false }));
        equal(
            (await big.batchGetStatus({ jobIds: MANY_IDS })).results.map(({ jobId }) => jobId),
            MANY_IDS,
        );
        await expect(
            Code.InvalidArgument,
            big.batchGetStatus({ jobIds: new Array(1001).fill("default") }),
        );
    });

    test(`${name}_gzip`, async () => {
        const zipped = createClient(
            StatusService,
            transport(stillPort, { ...GZIP, useHttpGet: false }),
        );
        equal(
            (await zipped.batchGetStatus({ jobIds: MANY_IDS })).results.map(({ jobId }) => jobId),
            MANY_IDS,
        );
    });

    test(`${name}_metadata`, async () => {
        const headers = { "x-extra": "value", "x-extra-bin": "AAECAw" };
        let header;
        await client.getStatus(
            {},
            {
                headers,
                onHeader: (fields) => {
                    header = fields;
                },
            },
        );
        check(header.get("content-type"), "no response header");
    });

    test(`${name}_a_cancelled_watch_ends_alone`, async () => {
        const control = new AbortController();
        const first = client.watchStatus({}, { signal: control.signal })[Symbol.asyncIterator]();
        equal((await first.next()).value.status.jobId, "default");
        control.abort();
        await expect(Code.Canceled, first.next());
        equal((await client.getStatus({})).status.jobId, "default");
    });

    test(`${name}_deadlines`, async () => {
        await expect(Code.DeadlineExceeded, collect(client.watchStatus({}, { timeoutMs: 300 })));
    });

    test(`${name}_health`, async () => {
        for (const service of SERVICES) {
            equal((await health.check({ service })).status, Serving.SERVING);
        }
        await expect(Code.NotFound, health.check({ service: "unknown.Service" }));
        const { statuses } = await health.list({});
        SERVICES.forEach((service) => equal(statuses[service].status, Serving.SERVING));
        for (const [service, wanted] of [
            ["", Serving.SERVING],
            ["unknown.Service", Serving.SERVICE_UNKNOWN],
        ]) {
            const control = new AbortController();
            const watch = health
                .watch({ service }, { signal: control.signal })
                [Symbol.asyncIterator]();
            equal((await watch.next()).value.status, wanted);
            control.abort(); // so it was still open
            await expect(Code.Canceled, watch.next());
        }
    });

    test(`${name}_what_is_not_there`, async () => {
        const unknown = { ...StatusService, typeName: "unknown.Service" };
        const method = { ...StatusService.method.getStatus, parent: unknown };
        const missing = { ...StatusService.method.getStatus, name: "Nonsense" };
        for (const one of [method, missing]) {
            const request = transport(stillPort).unary(one, undefined, undefined, undefined, {});
            await expect(Code.Unimplemented, request);
        }
    });
});

await main("interop_connect_node_status", 8);

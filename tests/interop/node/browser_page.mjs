// SPDX-License-Identifier: Apache-2.0
// What runs inside the browser: grpc-web, two generations of it, @connectrpc/connect-web, and the
// browser's own EventSource and fetch, against vtstatusd on another origin. "gen" is the folder of
// the generated code.
//
// grpc-web's own generator is no npm package, so the few lines of a stub stand here.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import * as grpcWeb2 from "grpc-web";
import * as grpcWeb1 from "grpc-web-1";
import { ErrorInfoSchema } from "gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "gen/google/rpc/status_pb.js";
import {
    Health,
    HealthCheckResponse_ServingStatus as Serving,
} from "gen/grpc/health/v1/health_pb.js";
import { Status } from "gen/vtstatus/v1/status_pb.js";
import { StatusService } from "gen/vtstatus/v1/status_service_pb.js";

const SERVICES = ["", "vtstatus.v1.StatusService"];
const MANY_IDS = Array.from({ length: 1000 }, (_, i) => String(i).padStart(128, "0"));
const CASE_MS = 30_000;
const cases = [];

function check(condition, what) {
    if (!condition) {
        throw new Error(what);
    }
}

function equal(got, wanted, what = "") {
    const [one, other] = [got, wanted].map((value) => JSON.stringify(value) ?? String(value));
    check(one === other, `${what}: wanted ${other}, got ${one}`);
}

async function failure(promise) {
    let value;
    try {
        value = await promise;
    } catch (error) {
        return error;
    }
    throw new Error(`no error but ${value}`);
}

// ---- the libraries behind one face: messages, or an error with code, message and ErrorInfo -----

// The ErrorInfo that comes first in a google.rpc.Status, which is given in base64.
function errorInfoIn(text) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const [any] = fromBinary(StatusSchema, bytes).details;
    return any && anyUnpack(any, ErrorInfoSchema);
}

// Calls of one method by grpc-web, with the code of protobuf-es for the messages.
class GrpcWebPeer {
    constructor(library, format, url) {
        this.library = library;
        this.client = new library.GrpcWebClientBase({ format });
        this.url = url;
    }

    describe(method) {
        const name = `/${method.parent.typeName}/${method.name}`;
        const type = method.methodKind === "unary" ? "unary" : "server_streaming";
        return [
            this.url + name,
            new this.library.MethodDescriptor(
                name,
                type,
                Object,
                Object,
                (message) => toBinary(method.input, message),
                (bytes) => fromBinary(method.output, bytes),
            ),
        ];
    }

    metadata({ timeout }) {
        return timeout === undefined ? {} : { deadline: String(Date.now() + timeout) };
    }

    static failureOf({ code, message, metadata }) {
        const info = errorInfoIn(metadata?.["grpc-status-details-bin"] ?? "");
        return Object.assign(new Error(message), { code, info });
    }

    unary(method, message, options = {}) {
        const [url, descriptor] = this.describe(method);
        const request = create(method.input, message);
        return new Promise((resolve, reject) => {
            this.client.rpcCall(
                url,
                request,
                this.metadata(options),
                descriptor,
                (error, response) =>
                    error ? reject(GrpcWebPeer.failureOf(error)) : resolve(response),
            );
        });
    }

    // onMessage may return false to cancel the call.
    stream(method, message, onMessage, options = {}) {
        const [url, descriptor] = this.describe(method);
        const request = create(method.input, message);
        const call = this.client.serverStreaming(url, request, this.metadata(options), descriptor);
        return new Promise((resolve, reject) => {
            call.on("data", (one) => {
                if (onMessage(one) === false) {
                    call.cancel();
                    resolve();
                }
            });
            call.on("error", (error) => reject(GrpcWebPeer.failureOf(error)));
            call.on("end", resolve);
        });
    }
}

class ConnectPeer {
    constructor(createTransport, options, url) {
        this.transport = createTransport({ baseUrl: url, ...options });
    }

    client(method) {
        return createClient(method.parent, this.transport);
    }

    static failureOf(error) {
        const { code, rawMessage } = ConnectError.from(error);
        const [info] = ConnectError.from(error).findDetails(ErrorInfoSchema);
        return Object.assign(new Error(rawMessage), { code, info });
    }

    async unary(method, message, { timeout } = {}) {
        try {
            return await this.client(method)[method.localName](message, { timeoutMs: timeout });
        } catch (error) {
            throw ConnectPeer.failureOf(error);
        }
    }

    async stream(method, message, onMessage, { timeout } = {}) {
        const control = new AbortController();
        const options = { timeoutMs: timeout, signal: control.signal };
        try {
            for await (const one of this.client(method)[method.localName](message, options)) {
                if (onMessage(one) === false) {
                    control.abort();
                    return;
                }
            }
        } catch (error) {
            throw ConnectPeer.failureOf(error);
        }
    }
}

// streams: whether messages come as they are sent; grpc-web's binary form only has them at the end.
const PEERS = [
    ...[
        ["grpc_web_1", grpcWeb1],
        ["grpc_web_2", grpcWeb2],
    ].flatMap(([name, library]) => [
        {
            name: `${name}_text`,
            streams: true,
            connect: (url) => new GrpcWebPeer(library, "text", url),
        },
        {
            name: `${name}_binary`,
            streams: false,
            connect: (url) => new GrpcWebPeer(library, "binary", url),
        },
    ]),
    {
        name: "connect_web_grpc_web",
        streams: true,
        connect: (url) => new ConnectPeer(createGrpcWebTransport, {}, url),
    },
    {
        name: "connect_web_json",
        streams: true,
        connect: (url) => new ConnectPeer(createConnectTransport, {}, url),
    },
    {
        name: "connect_web_proto_get",
        streams: true,
        connect: (url) =>
            new ConnectPeer(
                createConnectTransport,
                { useBinaryFormat: true, useHttpGet: true },
                url,
            ),
    },
];

// ---- cases -------------------------------------------------------------------------------------

async function expect(code, promise) {
    const error = await failure(promise);
    equal(error.code, code, error.message);
    check(error.message, "an error without a message");
    return error;
}

async function collect(peer, method, message, options) {
    const all = [];
    await peer.stream(
        method,
        message,
        (one) => {
            all.push(one);
        },
        options,
    );
    return all;
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

function add(name, run) {
    cases.push({ name, run });
}

function addCases({ name, streams, connect }, { quick, still, failed }) {
    const peer = connect(still);
    const { getStatus, batchGetStatus, watchStatus } = StatusService.method;
    const { check: checkHealth, list, watch } = Health.method;
    // At once, before the quick job goes on.
    const watched = collect(connect(quick), watchStatus, {}).catch((error) => error);

    add(`${name}_a_watch_ends_with_the_done_status`, async () => {
        const seen = await watched;
        check(Array.isArray(seen), seen.message);
        checkWatch(seen.map(({ status }) => status));
    });
    add(`${name}_a_status`, async () => {
        for (const jobId of ["", "default"]) {
            const { status } = await peer.unary(getStatus, { jobId });
            equal([status.jobId, status.status, status.done], ["default", Status.PENDING, false]);
        }
    });
    add(`${name}_a_failed_job_is_data`, async () => {
        const { status } = await connect(failed).unary(getStatus, {});
        equal([status.status, status.done], [Status.ERROR, true]);
        check(status.error.code && status.error.message, "it does not say why");
    });
    add(`${name}_errors`, async () => {
        const jobId = "unknown";
        for (const call of [
            () => peer.unary(getStatus, { jobId }),
            () => collect(peer, watchStatus, { jobId }),
        ]) {
            const { info } = await expect(Code.NotFound, call());
            equal([info?.reason, info?.domain], ["JOB_NOT_FOUND", "vtstatus"]);
        }
        await expect(Code.InvalidArgument, peer.unary(getStatus, { jobId: "bad id" }));
        await expect(Code.InvalidArgument, collect(peer, watchStatus, { jobId: "bad id" }));
    });
    add(`${name}_batches`, async () => {
        equal((await peer.unary(batchGetStatus, { jobIds: [] })).results.length, 0);
        const { results } = await peer.unary(batchGetStatus, { jobIds: ["unknown", "default"] });
        equal(
            results.map(({ jobId, result }) => [jobId, result.case]),
            [
                ["unknown", "error"],
                ["default", "status"],
            ],
        );
    });
    if (!name.endsWith("_get")) {
        // no URL is as long
        add(`${name}_a_batch_of_a_thousand`, async () => {
            const { results } = await peer.unary(batchGetStatus, { jobIds: MANY_IDS });
            equal(
                results.map(({ jobId }) => jobId),
                MANY_IDS,
            );
        });
    }
    add(`${name}_deadlines`, async () => {
        await expect(Code.DeadlineExceeded, collect(peer, watchStatus, {}, { timeout: 300 }));
    });
    add(`${name}_health`, async () => {
        for (const service of SERVICES) {
            equal((await peer.unary(checkHealth, { service })).status, Serving.SERVING);
        }
        await expect(Code.NotFound, peer.unary(checkHealth, { service: "unknown.Service" }));
        const { statuses } = await peer.unary(list, {});
        SERVICES.forEach((service) => equal(statuses[service].status, Serving.SERVING));
    });
    if (streams) {
        add(`${name}_cancelled_watches`, async () => {
            let seen = 0;
            await peer.stream(watchStatus, {}, () => {
                seen += 1;
                return false;
            });
            equal(seen, 1);
            await peer.stream(watch, { service: "" }, ({ status }) => {
                equal(status, Serving.SERVING);
                return false;
            });
            equal((await peer.unary(getStatus, {})).status.jobId, "default");
        });
    }
}

// What an EventSource hears until the server wants no more of it.
function follow(url, onFirst = () => {}) {
    return new Promise((resolve) => {
        const source = new EventSource(url);
        const seen = [];
        for (const type of ["status", "done", "message"]) {
            source.addEventListener(type, ({ data, lastEventId }) => {
                seen.push({ type, lastEventId, status: JSON.parse(data) });
                if (seen.length === 1) {
                    onFirst();
                }
            });
        }
        source.onerror = () => {
            if (source.readyState === EventSource.CLOSED) {
                resolve(seen);
            }
        };
    });
}

function addRestCases({ quick, still, failed }) {
    // At once, before the quick job goes on. That we are there, the answer 404 tells.
    const awaited = fetch(`${quick}/status`, { headers: { Prefer: "wait=60" } });
    const followed = follow(`${quick}/status`, () => fetch(`${quick}/status/unknown`));

    add("event_source_ends_with_the_done_event", async () => {
        const seen = await followed;
        check(seen.length > 1, `${seen.length} events`);
        equal(
            seen.map(({ type }) => type),
            seen.map((_, i) => (i === seen.length - 1 ? "done" : "status")),
        );
        seen.forEach(({ lastEventId, status }) => equal(status.revision, lastEventId));
        const ids = seen.map(({ lastEventId }) => Number(lastEventId));
        ids.forEach((id, i) => check(i === 0 || id > ids[i - 1], `revisions ${ids}`));
        equal(seen.at(-1).status.status, "completed");
    });
    add("event_source_of_what_is_done_has_one_event", async () => {
        const seen = await follow(`${failed}/status/default`);
        equal(
            seen.map(({ type, status }) => [type, status.status]),
            [["done", "error"]],
        );
    });
    add("event_source_of_an_unknown_job_has_none", async () => {
        equal(await follow(`${still}/status/unknown`), []);
    });
    add("fetch_waits_for_the_end", async () => {
        const response = await awaited;
        equal(response.headers.get("preference-applied"), "wait=60");
        check(response.headers.get("etag"), "no entity tag");
        equal((await response.json()).status, "completed");
    });
}

async function canFetch(url) {
    try {
        return (await (await fetch(`${url}/status`)).json()).jobId === "default";
    } catch {
        return false;
    }
}

async function runCase({ name, run }) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`not within ${CASE_MS} ms`)), CASE_MS);
    });
    try {
        await Promise.race([run(), late]);
        return { name };
    } catch (error) {
        return { name, failure: error.stack };
    } finally {
        clearTimeout(timer);
    }
}

// urls: of servers with a job that ends once it is watched, one that never does, and one that has
// failed. The peers work beside each other; the cases of one follow each other.
window.runCases = async (urls) => {
    const groups = [...PEERS.map((peer) => () => addCases(peer, urls)), () => addRestCases(urls)].map(
        (addGroup) => {
            const start = cases.length;
            addGroup();
            return cases.slice(start);
        },
    );
    const results = await Promise.all(
        groups.map(async (group) => {
            const done = [];
            for (const one of group) {
                done.push(await runCase(one));
            }
            return done;
        }),
    );
    return results.flat();
};

// Whether a page of this origin may read a status at all, in each way.
window.canRead = async (url) =>
    Promise.all([
        canFetch(url),
        ...PEERS.map(async ({ connect }) => {
            try {
                return (
                    (await connect(url).unary(StatusService.method.getStatus, {})).status.jobId ===
                    "default"
                );
            } catch {
                return false;
            }
        }),
    ]);

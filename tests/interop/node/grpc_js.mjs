// SPDX-License-Identifier: Apache-2.0
// What the scripts for @grpc/grpc-js share: clients made from .proto files, calls as promises.
import { readFileSync } from "node:fs";
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

const CALL_MS = 20_000;

// An equal channel would share its connection; this makes each one's its own.
const OWN_CONNECTION = { "grpc.use_local_subchannel_pool": 1 };

export { grpc };

// The package tree of these files, as grpc-js gives it.
export function load(folder, ...files) {
    const definition = protoLoader.loadSync(files, {
        includeDirs: [folder, "/usr/include"],
        longs: Number,
        enums: String,
        defaults: true,
        oneofs: true,
    });
    return grpc.loadPackageDefinition(definition);
}

export function connect(Service, port, ca, options = {}) {
    const credentials = grpc.credentials.createSsl(readFileSync(ca));
    return new Service(`localhost:${port}`, credentials, { ...OWN_CONNECTION, ...options });
}

function deadline(timeout) {
    return { deadline: Date.now() + timeout };
}

// A unary call: {response, initial, status}; rejects with the ServiceError.
export function unary(
    client,
    method,
    request,
    { metadata = new grpc.Metadata(), timeout = CALL_MS } = {},
) {
    return new Promise((resolve, reject) => {
        const result = {};
        const finish = () => {
            if ("response" in result && result.status) {
                resolve(result);
            }
        };
        const call = client[method](request, metadata, deadline(timeout), (error, response) => {
            if (error) {
                reject(error);
            } else {
                result.response = response;
                finish();
            }
        });
        call.on("metadata", (initial) => {
            result.initial = initial;
        });
        call.on("status", (status) => {
            result.status = status;
            finish();
        });
    });
}

// A client stream: {call, response}; the latter is a promise.
export function upload(client, method, { timeout = CALL_MS } = {}) {
    let call;
    const response = new Promise((resolve, reject) => {
        call = client[method](new grpc.Metadata(), deadline(timeout), (error, value) =>
            error ? reject(error) : resolve(value),
        );
    });
    response.catch(() => {}); // whoever wants it awaits it
    return { call, response };
}

// A call with many responses. next() gives one, or undefined at an OK end; it throws what else the
// call ends with. rest() gives all that are left. Only what was asked for is read ahead.
export class Responses {
    constructor(call) {
        this.call = call;
        call.on("metadata", (initial) => {
            this.initial = initial;
        });
        call.on("status", (status) => {
            this.status = status;
        });
        this.iterator = call[Symbol.asyncIterator]();
    }

    async next() {
        const { value, done } = await this.iterator.next();
        return done ? undefined : value;
    }

    async rest() {
        const all = [];
        for (let one = await this.next(); one !== undefined; one = await this.next()) {
            all.push(one);
        }
        return all;
    }
}

// download(client, method, request) for a server stream, duplex(client, method) for both ways.
export function download(
    client,
    method,
    request,
    { metadata = new grpc.Metadata(), timeout = CALL_MS } = {},
) {
    return new Responses(client[method](request, metadata, deadline(timeout)));
}

export function duplex(client, method, { metadata = new grpc.Metadata(), timeout = CALL_MS } = {}) {
    return new Responses(client[method](metadata, deadline(timeout)));
}

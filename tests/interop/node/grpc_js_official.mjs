// SPDX-License-Identifier: Apache-2.0
// The official gRPC interop cases, by @grpc/grpc-js:
// https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md
//
// Left out: whether a response came compressed, and single plain messages of a compressed stream;
// the library neither tells the first nor sends the second.
//
// Arguments: the folder of the protos, the server's port, the CA's certificate.
import { check, equal, failure, main, test } from "./cases.mjs";
import { connect, download, duplex, grpc, load, unary, upload } from "./grpc_js.mjs";

const [folder, port, ca] = process.argv.slice(2);
const { TestService, UnimplementedService } = load(folder, "grpc/testing/test.proto").grpc.testing;
const GZIP = { "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip };
const client = connect(TestService, port, ca);
const gzipClient = connect(TestService, port, ca, GZIP);

const LARGE_REQUEST = 271828;
const LARGE_RESPONSE = 314159;
const REQUEST_SIZES = [27182, 8, 1828, 45904];
const RESPONSE_SIZES = [31415, 9, 2653, 58979];
const ECHO_INITIAL = ["x-grpc-test-echo-initial", "test_initial_metadata_value"];
const ECHO_TRAILING = ["x-grpc-test-echo-trailing-bin", Buffer.from([0xab, 0xab, 0xab])];
const SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1f608}\t\n";

const sum = (sizes) => sizes.reduce((total, size) => total + size, 0);
const payload = (size) => ({ body: Buffer.alloc(size) });
const largeUnary = (fields) => ({
    responseSize: LARGE_RESPONSE,
    payload: payload(LARGE_REQUEST),
    ...fields,
});
const output = (sizes, fields) => ({
    responseParameters: sizes.map((size) => ({ size })),
    ...fields,
});
const sizesOf = (responses) => responses.map((response) => response.payload.body.length);

function checkLarge({ response }) {
    check(
        response.payload.body.equals(Buffer.alloc(LARGE_RESPONSE)),
        "not the zeros that were asked for",
    );
}

async function expect(code, promise, details) {
    const error = await failure(promise);
    equal(error.code, code, error.stack);
    if (details !== undefined) {
        equal(error.details, details);
    }
}

function send(stream, sizes, fields) {
    sizes.forEach((size) => stream.call.write({ payload: payload(size), ...fields }));
    stream.call.end();
    return stream.response;
}

test("empty_unary", async () => {
    equal((await unary(client, "emptyCall", {})).response, {});
});

test("large_unary", async () => {
    checkLarge(await unary(client, "unaryCall", largeUnary()));
});

test("cacheable_unary", async () => {
    checkLarge(await unary(client, "cacheableUnaryCall", largeUnary()));
});

test("client_streaming", async () => {
    const response = await send(upload(client, "streamingInputCall"), REQUEST_SIZES);
    equal(response.aggregatedPayloadSize, sum(REQUEST_SIZES));
});

test("server_streaming", async () => {
    equal(
        sizesOf(await download(client, "streamingOutputCall", output(RESPONSE_SIZES)).rest()),
        RESPONSE_SIZES,
    );
});

test("ping_pong", async () => {
    const talk = duplex(client, "fullDuplexCall");
    for (const [i, size] of RESPONSE_SIZES.entries()) {
        talk.call.write(output([size], { payload: payload(REQUEST_SIZES[i]) }));
        equal(sizesOf([await talk.next()]), [size]);
    }
    talk.call.end();
    equal(await talk.next(), undefined);
});

test("empty_stream", async () => {
    const talk = duplex(client, "fullDuplexCall");
    talk.call.end();
    equal(await talk.rest(), []);
});

test("half_duplex", async () => {
    const talk = duplex(client, "halfDuplexCall");
    RESPONSE_SIZES.forEach((size) => talk.call.write(output([size])));
    talk.call.end();
    equal(sizesOf(await talk.rest()), RESPONSE_SIZES);
});

test("timeout_on_sleeping_server", async () => {
    const talk = duplex(client, "fullDuplexCall", { timeout: 1 });
    talk.call.on("error", () => {}); // it may come before anybody reads
    talk.call.write({
        responseParameters: [{ size: 8, intervalUs: 10_000_000 }],
        payload: payload(27182),
    });
    await expect(grpc.status.DEADLINE_EXCEEDED, talk.next());
});

test("timeout_after_the_first_response", async () => {
    const request = { responseParameters: [{ size: 8 }, { size: 8, intervalUs: 10_000_000 }] };
    const call = download(client, "streamingOutputCall", request, { timeout: 500 });
    equal(sizesOf([await call.next()]), [8]);
    await expect(grpc.status.DEADLINE_EXCEEDED, call.next());
});

test("cancel_after_begin", async () => {
    const stream = upload(client, "streamingInputCall");
    stream.call.cancel();
    await expect(grpc.status.CANCELLED, stream.response);
});

test("cancel_after_first_response", async () => {
    const talk = duplex(client, "fullDuplexCall");
    talk.call.write(output([31415], { payload: payload(27182) }));
    equal(sizesOf([await talk.next()]), [31415]);
    talk.call.cancel();
    await expect(grpc.status.CANCELLED, talk.next());
});

test("status_code_and_message", async () => {
    const responseStatus = { code: 2, message: "test status message" };
    await expect(2, unary(client, "unaryCall", { responseStatus }), responseStatus.message);
    const talk = duplex(client, "fullDuplexCall");
    talk.call.write({ responseStatus });
    talk.call.end();
    await expect(2, talk.next(), responseStatus.message);
});

test("special_status_message", async () => {
    await expect(
        2,
        unary(client, "unaryCall", { responseStatus: { code: 2, message: SPECIAL } }),
        SPECIAL,
    );
});

test("custom_metadata", async () => {
    const metadata = new grpc.Metadata();
    metadata.set(...ECHO_INITIAL);
    metadata.set(...ECHO_TRAILING);
    const talk = duplex(client, "fullDuplexCall", { metadata });
    talk.call.write(output([LARGE_RESPONSE], { payload: payload(LARGE_REQUEST) }));
    talk.call.end();
    equal(sizesOf(await talk.rest()), [LARGE_RESPONSE]);
    for (const { initial, status } of [
        await unary(client, "unaryCall", largeUnary(), { metadata }),
        talk,
    ]) {
        equal(initial.get(ECHO_INITIAL[0]), [ECHO_INITIAL[1]]);
        equal(status.metadata.get(ECHO_TRAILING[0]), [ECHO_TRAILING[1]]);
    }
});

test("metadata_that_was_not_sent_does_not_come_back", async () => {
    const { initial, status } = await unary(client, "unaryCall", {});
    equal(initial.get(ECHO_INITIAL[0]), []);
    equal(status.metadata.get(ECHO_TRAILING[0]), []);
});

test("unimplemented_method", async () => {
    await expect(grpc.status.UNIMPLEMENTED, unary(client, "unimplementedCall", {}));
});

test("unimplemented_service", async () => {
    const other = connect(UnimplementedService, port, ca);
    await expect(grpc.status.UNIMPLEMENTED, unary(other, "unimplementedCall", {}));
    other.close();
});

test("client_compressed_unary", async () => {
    const probe = largeUnary({ expectCompressed: { value: true } });
    await expect(grpc.status.INVALID_ARGUMENT, unary(client, "unaryCall", probe));
    checkLarge(await unary(gzipClient, "unaryCall", probe));
    const plain = largeUnary({ expectCompressed: { value: false } });
    checkLarge(await unary(client, "unaryCall", plain));
    await expect(grpc.status.INVALID_ARGUMENT, unary(gzipClient, "unaryCall", plain));
});

test("server_compressed_unary", async () => {
    for (const value of [true, false]) {
        checkLarge(await unary(client, "unaryCall", largeUnary({ responseCompressed: { value } })));
    }
});

test("client_compressed_streaming", async () => {
    for (const [from, value] of [
        [gzipClient, true],
        [client, false],
    ]) {
        const stream = upload(from, "streamingInputCall");
        const response = await send(stream, REQUEST_SIZES, { expectCompressed: { value } });
        equal(response.aggregatedPayloadSize, sum(REQUEST_SIZES));
    }
    const probe = upload(client, "streamingInputCall");
    await expect(
        grpc.status.INVALID_ARGUMENT,
        send(probe, REQUEST_SIZES, { expectCompressed: { value: true } }),
    );
});

test("server_compressed_streaming", async () => {
    const responseParameters = [
        [31415, true],
        [92653, false],
    ].map(([size, value]) => ({ size, compressed: { value } }));
    const call = download(client, "streamingOutputCall", { responseParameters });
    equal(sizesOf(await call.rest()), [31415, 92653]);
});

test("slow_consumer", async () => {
    // More than any window holds is on its way while nobody reads; then all of it arrives.
    const sizes = new Array(64).fill(65536);
    const call = download(client, "streamingOutputCall", output(sizes));
    equal(sizesOf([await call.next()]), [65536]);
    for (let i = 0; i < 10; i++) {
        // other calls of the connection go on meanwhile
        checkLarge(await unary(client, "unaryCall", largeUnary()));
    }
    equal(sizesOf(await call.rest()), sizes.slice(1));
});

test("rpc_soak", async () => {
    for (let i = 0; i < 100; i++) {
        checkLarge(await unary(client, "unaryCall", largeUnary()));
    }
});

test("channel_soak", async () => {
    for (let i = 0; i < 20; i++) {
        const fresh = connect(TestService, port, ca);
        checkLarge(await unary(fresh, "unaryCall", largeUnary()));
        fresh.close();
    }
});

test("many_calls_at_once", async () => {
    const calls = Array.from({ length: 50 }, () => unary(client, "unaryCall", largeUnary()));
    (await Promise.all(calls)).forEach(checkLarge);
});

await main("interop_grpc_js_official");

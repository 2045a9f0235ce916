// SPDX-License-Identifier: Apache-2.0
// Prints each status of a job until it is done.
//
//     node watch.mjs https://localhost:5000 ca.pem default
import { readFileSync } from "node:fs";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { State, Status } from "./gen/vtstatus/v1/status_pb.js";
import { StatusService } from "./gen/vtstatus/v1/status_service_pb.js";

// The last status.
async function watch(client, jobId) {
    let status;
    for await (const response of client.watchStatus({ jobId })) {
        status = response.status;
        const percent = status.progress?.percent.toFixed(0) ?? 0; // none before it has begun
        console.log(`${State[status.state]} ${percent} % ${status.progress?.phase ?? ""}`);
    }
    return status;
}

async function run(baseUrl, caFile, jobId) {
    const transport = createGrpcTransport({ baseUrl, nodeOptions: { ca: readFileSync(caFile) } });
    const status = await watch(createClient(StatusService, transport), jobId);
    if (status.status !== Status.COMPLETED) {
        throw new Error(`the job failed: ${status.error.message}`);
    }
    console.log(`the result is at ${status.outputUri}`);
}

if (process.argv.length !== 5) {
    console.error("usage: watch.mjs URL CA_FILE JOB");
    process.exit(2);
}
try {
    await run(...process.argv.slice(2));
} catch (error) {
    console.error(error.message);
    process.exit(1);
}

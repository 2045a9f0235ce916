// SPDX-License-Identifier: Apache-2.0
// Shows each status of a job on the page until it is done.
//
// The page's URL may say which server and job: ?server=https://localhost:5000&job=default
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { State, Status } from "./gen/vtstatus/v1/status_pb.js";
import { StatusService } from "./gen/vtstatus/v1/status_service_pb.js";

const parameters = new URLSearchParams(location.search);
const baseUrl = parameters.get("server") ?? "https://localhost:5000";
const jobId = parameters.get("job") ?? "default";

function show(text) {
    document.body.append(Object.assign(document.createElement("p"), { textContent: text }));
}

async function watch(client) {
    for await (const { status } of client.watchStatus({ jobId })) {
        const percent = status.progress?.percent.toFixed(0) ?? 0; // none before it has begun
        show(`${State[status.state]} ${percent} % ${status.progress?.phase ?? ""}`);
        if (status.status === Status.COMPLETED) {
            show(`the result is at ${status.outputUri}`);
        } else if (status.done) {
            show(`the job failed: ${status.error.message}`);
        }
    }
}

watch(createClient(StatusService, createGrpcWebTransport({ baseUrl }))).catch((error) =>
    show(error.message),
);

// SPDX-License-Identifier: Apache-2.0
// Cases of a test script, as tests/support/cases.py has them: functions that throw when what they
// look at is wrong. main() prints a line a case and ends with "NAME: N passed, N failed".
import { inspect, isDeepStrictEqual } from "node:util";

const CASE_MS = 60_000; // reached only when something is broken
const cases = [];

export function test(name, run) {
    cases.push({ name, run });
}

export function check(condition, what) {
    if (!condition) {
        throw new Error(what);
    }
}

export function equal(got, wanted, what = "") {
    check(
        isDeepStrictEqual(got, wanted),
        `${what}: wanted ${inspect(wanted)}, got ${inspect(got)}`,
    );
}

// The error that a call must end with.
export async function failure(promise) {
    let value;
    try {
        value = await promise;
    } catch (error) {
        return error;
    }
    throw new Error(`no error but ${inspect(value)}`);
}

async function runCase({ name, run }) {
    const start = performance.now();
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`not within ${CASE_MS} ms`)), CASE_MS);
    });
    try {
        await Promise.race([run(), late]);
        console.log(`ok   ${name} (${((performance.now() - start) / 1000).toFixed(2)} s)`);
        return true;
    } catch (error) {
        console.log(`FAIL ${name}: ${error.stack}`);
        return false;
    } finally {
        clearTimeout(timer);
    }
}

// atOnce: how many cases may run beside each other. cleanUp() runs after the last.
export async function main(script, atOnce = 1, cleanUp = () => {}) {
    const todo = [...cases];
    let failed = 0;
    const work = async () => {
        for (let one = todo.shift(); one !== undefined; one = todo.shift()) {
            failed += (await runCase(one)) ? 0 : 1;
        }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    await cleanUp();
    console.log(`${script}: ${cases.length - failed} passed, ${failed} failed`);
    // Connections that are still open would keep the process.
    process.exit(failed > 0 || cases.length === 0 ? 1 : 0);
}

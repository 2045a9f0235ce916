// SPDX-License-Identifier: Apache-2.0
// Opens browser_page.mjs in a headless browser and has it run its cases.
//
// Arguments: the page's URL on an origin that the server lets in and on one that it does not, and
// the ports of servers with a job that ends soon, one that never does, and one that has failed.
import { chromium } from "playwright-core";
import { equal, main, test } from "./cases.mjs";

const [page, stranger, ...ports] = process.argv.slice(2);
const [quick, still, failed] = ports.map((port) => `https://localhost:${port}`);

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium-headless-shell" });
const context = await browser.newContext({ ignoreHTTPSErrors: true }); // the CA is ours

async function open(url) {
    const tab = await context.newPage();
    await tab.goto(url);
    return tab;
}

const results = await (
    await open(page)
).evaluate((urls) => window.runCases(urls), { quick, still, failed });
for (const { name, failure } of results) {
    test(name, async () => {
        if (failure) {
            throw new Error(failure);
        }
    });
}

test("a_page_of_another_origin_reads_nothing", async () => {
    const canRead = await (await open(stranger)).evaluate((url) => window.canRead(url), still);
    equal(
        canRead,
        canRead.map(() => false),
    );
    const canReadAtHome = await (await open(page)).evaluate((url) => window.canRead(url), still);
    equal(
        canReadAtHome,
        canRead.map(() => true),
    );
});

await main("interop_browser_status", 1, () => browser.close());

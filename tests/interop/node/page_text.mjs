// SPDX-License-Identifier: Apache-2.0
// Opens a page in a headless browser, waits until it shows a text, and prints all that it shows.
//
// Arguments: the page's URL and the text.
import { chromium } from "playwright-core";

const [url, text] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium-headless-shell" });
const context = await browser.newContext({ ignoreHTTPSErrors: true }); // the CA is ours
const page = await context.newPage();
try {
    await page.goto(url);
    await page.getByText(text).waitFor({ timeout: 30_000 });
} finally {
    console.log(await page.innerText("body"));
    await browser.close();
}

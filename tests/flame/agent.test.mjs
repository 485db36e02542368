// SPDX-License-Identifier: GPL-2.0-only OR MIT
//
// agent.test.mjs - the page of the agent in a browser: does it show what runs, and only that?
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, test } from "node:test";
import { FOREST as HOLD, TOOL, WORK, eventually, finish, frames, open, start } from "./page.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const STORES = path.join(WORK, "stores");
const HOSTILE = "<img src=x onerror=alert(1)>";
const BYTES = 100000; // that hold.c keeps at a time
let url, agent, held;

function hold(name) {
	return start(TOOL, ["run", "--quiet", "--memory=4M", `--store=${path.join(STORES, `${name}.stackdepot`)}`,
		"--", HOLD]);
}

async function order(what) {
	held.child.stdin.write(what);
	await once(held.child.stdout, "data");
}

before(async () => {
	mkdirSync(STORES);
	held = await hold("held");
	await hold(HOSTILE);
	agent = await start(process.env.AGENT, ["--listen=127.0.0.1:0", "--interval=1", `--stores=${STORES}`]);
	url = agent.said.match(/http:\S+/)[0];
});
after(finish);

const overview = async () => (await fetch(`${url}overview.json`)).json();
const row = (page, name) => page.locator("tr.service-row").filter({ has: page.locator(`button[data-service="${name}"]`) });
const live = (page, name) => row(page, name).locator("td.number").first().getAttribute("title");

/* What axe has to say, by rule and element. */
async function violations(page) {
	await page.evaluate(axe);
	return page.evaluate(() => axe.run().then(({ violations: found }) =>
		found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)));
}

test("it shows what the stores hold, as it changes", async () => {
	const page = await open(url);
	const wanted = (await overview()).services.find(({ service }) => service === "held");
	const said = `${wanted.live_bytes.toLocaleString("en")} bytes`;

	assert.equal(await live(page, "held"), said);
	assert.equal(await page.locator("tr.service-row").count(), 2);
	await order("k");
	const grown = `${(wanted.live_bytes + BYTES).toLocaleString("en")} bytes`;

	assert.ok(await eventually(async () => await live(page, "held") === grown), "it grew");
	assert.equal(await row(page, "held").locator("td.number").nth(1).getAttribute("title"),
		`+${BYTES.toLocaleString("en")} bytes`);
	assert.ok(await eventually(async () => (await row(page, "held").locator("polyline").getAttribute("points"))
		.split(" ").length > 2), "there is a line");
	await order("e");
	assert.ok(await eventually(async () => await row(page, "held").locator("td.alert").textContent() === "1"), "an error");
	assert.equal(await row(page, "held").locator("td.alert").getAttribute("title"), "slab-out-of-bounds: 1");
	assert.deepEqual(page.problems, []);
	assert.ok(page.requests.every((asked) => asked.startsWith(url)), "nobody else is asked");
});

test("by keyboard alone: search, open a service, keep the focus", async () => {
	const page = await open(url);

	await page.keyboard.press("/");
	await page.keyboard.type("HELD");
	assert.equal(await page.locator("tr.service-row").count(), 1);
	assert.equal(await page.locator("#matches").textContent(), "1 service");
	await page.locator('button[data-service="held"]').focus();
	await page.keyboard.press("Enter");
	assert.equal(await page.locator("tr.process-row").count(), 1);
	assert.match(await page.locator("tr.process-row th").textContent(), /^\d+ .*agent-hold/);
	assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-expanded")), "true");
	await new Promise((done) => setTimeout(done, 2500));
	assert.equal(await page.evaluate(() => document.activeElement.dataset.service), "held", "after it was shown again");
	await page.keyboard.press("Tab");
	assert.equal(await page.evaluate(() => document.activeElement.textContent), "Flame");
	await page.keyboard.press("Enter");
	await page.waitForURL(/flame\?service=held/);
	assert.ok(await eventually(async () => (await frames(page)).some(({ name }) => name === "keep")), "its picture");
	assert.deepEqual(page.problems, []);
});

test("columns sort, and say so", async () => {
	const page = await open(url);
	const first = () => page.locator("button.service").first().getAttribute("data-service");

	await page.locator('th[data-column="name"] button').click();
	assert.equal(await first(), HOSTILE);
	await page.locator('th[data-column="name"] button').click();
	assert.equal(await first(), "held");
	assert.equal(await page.locator('th[data-column="name"]').getAttribute("aria-sort"), "descending");
});

test("hostile names are text", async () => {
	const page = await open(url);

	assert.equal(await page.locator("img").count(), 0);
	await page.locator("button.service").filter({ hasText: HOSTILE }).click();
	await row(page, HOSTILE).getByRole("link", { name: "Flame" }).click();
	await page.waitForURL(/flame\?/);
	assert.ok(await eventually(async () => (await frames(page)).length > 0), "its link leads there");
	assert.deepEqual(page.problems, []);
});

test("rules of accessibility, light and dark, wide and narrow", async () => {
	const page = await open(url);

	await page.locator('button[data-service="held"]').click();
	for (const colorScheme of ["light", "dark"])
		for (const width of [1200, 400]) {
			await page.emulateMedia({ colorScheme });
			await page.setViewportSize({ width, height: 800 });
			assert.deepEqual(await violations(page), [], `${colorScheme}, ${width}`);
		}
});

test("without the agent it says that it is from before", async () => {
	const page = await open(url);

	agent.child.kill();
	assert.ok(await eventually(async () => /does not answer/.test(await page.locator("#problem").textContent())));
	assert.equal(await page.locator("tr.service-row").count(), 2);
});

// SPDX-License-Identifier: GPL-2.0-only OR MIT
//
// fleet.test.mjs - the fleet in the page of the agent: of a real ClickHouse, and of servers that mean ill.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, test } from "node:test";
import { FOREST as HOLD, TOOL, WORK, finish, frames, open, start } from "./page.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const STORES = path.join(WORK, "stores");
const HOSTILE = "<img src=x onerror=alert(1)>";
const BYTES = 100000; // that hold.c keeps at a time
const PATIENCE = { timeout: 120000 };
const SECRET = "a-secret-of-the-fleet";
let server, bad, url, answer;

async function agent(...more) {
	const { said } = await start(process.env.AGENT, ["--listen=127.0.0.1:0", "--interval=1", "--rate=100000", `--stores=${STORES}`,
		`--push-spool=${path.join(WORK, "spool")}`, "--push-every=3600", ...more]);

	return said.match(/http:\S+/)[0];
}

before(async () => {
	mkdirSync(STORES);
	server = (await start("python3", [process.env.SERVE, TOOL, process.env.BUGS, HOLD])).said.trim();
	assert.match(server, /^http:/, server);
	url = await agent(`--push=${server}`);
	bad = createServer((request, reply) => request.on("end", () => answer(reply, request)).resume());
	bad.listen(0, "127.0.0.1");
	await once(bad, "listening");
});
after(async () => {
	bad?.closeAllConnections(); // nothing is there if before() failed
	bad?.close();
	await finish();
});

const said = (page) => page.locator("#fleet-said");
const grown = (page) => page.locator("#fleet-growth tbody tr").filter({ has: page.locator("button[data-stack]") });

/* The page at the fleet, when everything has been asked. */
async function fleet(at = url) {
	const page = await open(`${at}#fleet`);

	await said(page).filter({ hasText: /Asked at|did not answer/ }).waitFor(PATIENCE);
	return page;
}

async function violations(page) {
	await page.evaluate(axe);
	return page.evaluate(() => axe.run().then(({ violations: found }) =>
		found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)));
}

test("services, releases, growth and errors are those of the server", async () => {
	const page = await fleet();
	const { services } = await (await fetch(`${url}fleet/services`)).json();
	const rows = page.locator("#fleet-services tbody tr");

	assert.equal(await rows.count(), 2);
	assert.deepEqual(services.map(({ service }) => service).sort(), [HOSTILE, "web"]);
	assert.equal(await rows.filter({ hasText: "web" }).locator("td").last().textContent(), "2.0");
	const first = grown(page).first();

	assert.equal(await first.locator("td").first().getAttribute("title"), `+${(4 * BYTES).toLocaleString("en")} bytes`);
	assert.match(await first.textContent(), /1 of 1/);
	assert.match(await first.locator("button").textContent(), /keep/);
	assert.equal(await page.locator("#fleet-errors details").count(), 1);
	assert.match(await page.locator("#fleet-errors summary").textContent(), /double-free/);
	assert.equal(await page.locator("img").count(), 0, "names are text");
	assert.deepEqual(page.problems, []);
	assert.ok(page.requests.every((asked) => asked.startsWith(url)), "nobody but the agent is asked");
});

test("by keyboard alone: the tab, a stack with its line, the flame graph", async () => {
	const page = await open(url);

	assert.equal(page.requests.some((asked) => asked.includes("/fleet/")), false, "it is not asked before somebody looks");
	await page.locator("#tab-host").focus();
	await page.keyboard.press("ArrowRight");
	assert.equal(await page.evaluate(() => document.activeElement.id), "tab-fleet");
	await said(page).filter({ hasText: "Asked at" }).waitFor(PATIENCE);
	await grown(page).first().locator("button").focus();
	await page.keyboard.press("Enter");
	await page.locator(".trend").waitFor(PATIENCE);
	assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-expanded")), "true", "the focus stays");
	assert.match(await page.locator("figcaption").textContent(), /^web, live on all hosts, .* now 488\.3 KiB$/);
	const points = (await page.locator(".trend polyline").getAttribute("points")).split(" ");

	assert.equal(points.length, 49);
	assert.deepEqual(await page.locator(".one-stack tbody tr td:nth-child(2)").allTextContents(), ["1.0", "2.0"]);
	assert.match(await page.locator(".one-stack .frames li").first().textContent(), /keep.*hold\.c/);
	await page.keyboard.press("/");
	await page.keyboard.type("nothing of that name");
	assert.equal(await grown(page).count(), 0);
	await page.keyboard.press("Escape");
	assert.equal(await grown(page).count() > 0, true);
	await page.locator("#fleet-flame").focus();
	await page.keyboard.press("Enter");
	await page.waitForURL(/fleet\/flame\?/, PATIENCE);
	await page.locator("#flame g.frame").first().waitFor(PATIENCE);
	assert.ok((await frames(page)).some(({ name }) => name === "keep"), "the picture of all hosts");
	assert.deepEqual(page.problems, []);
});

test("one service", async () => {
	const page = await fleet();

	await page.locator("#fleet-service").selectOption(HOSTILE);
	await page.waitForFunction(() => !document.querySelector("#fleet-growth button") &&
		/Asked at/.test(document.querySelector("#fleet-said").textContent), null, PATIENCE);
	assert.equal(await page.locator("#fleet-service").inputValue(), HOSTILE);
	assert.equal(await page.locator("#fleet-services tbody tr").count(), 2, "all can still be chosen");
	assert.deepEqual(page.problems, []);
});

test("rules of accessibility, light and dark, wide and narrow", async () => {
	const page = await fleet();

	await grown(page).first().locator("button").click();
	await page.locator(".trend").waitFor(PATIENCE);
	await page.locator("#fleet-errors summary").click();
	for (const colorScheme of ["light", "dark"])
		for (const width of [1200, 400]) {
			await page.emulateMedia({ colorScheme });
			await page.setViewportSize({ width, height: 800 });
			assert.deepEqual(await violations(page), [], `${colorScheme}, ${width}`);
		}
});

test("words of a client's become nothing but words", async () => {
	const status = async (query) => (await fetch(`${url}fleet/${query}`)).status;

	assert.equal(await status("growth?since=7x"), 400);
	assert.equal(await status("growth?since=-1d"), 400);
	assert.equal(await status("stack"), 400);
	assert.equal(await status("stack?id=--server=http://127.0.0.1:1"), 400);
	assert.equal(await status(`growth?service=${"x".repeat(300)}`), 400);
	assert.equal(await status("growth?service=%1b"), 400);
	const { stacks } = await (await fetch(`${url}fleet/growth?service=${encodeURIComponent("--json' OR 1 = 1")}`)).json();

	assert.deepEqual(stacks, []);
	assert.equal((await fetch(`${url}fleet/growth`, { headers: { "Sec-Fetch-Site": "cross-site" } })).status, 403);
	assert.equal(await status("init"), 404);
});

test("a server that means ill is said to, and nothing secret is", async () => {
	const file = path.join(WORK, "credentials");

	writeFileSync(file, `fleet:${SECRET}\n`, { mode: 0o600 });
	let asked = 0;
	const there = await agent(`--push=http://127.0.0.1:${bad.address().port}`, `--push-credentials=${file}`);
	const cases = [
		[(reply) => reply.end("<script>alert(1)</script>"), /no ClickHouse/],
		[(reply) => { reply.statusCode = 500; reply.end("\u001b[31m<b>broken</b>\nmore"); }, /500: .*<b>broken<\/b>/],
		[(reply) => { reply.statusCode = 401; reply.end("who are you"); }, /401: who are you/],
		[(reply) => reply.destroy(), /did not answer/],
		/* The tables are there, and then there is no end of it. */
		[(reply) => asked++ ? reply.end("x\ty\n".repeat(1 << 24)) : reply.end("1\n"), /Asked at|did not answer/],
	];

	for (const [reply, wanted] of cases) {
		answer = reply;
		const page = await fleet(there);

		assert.match(await said(page).textContent(), wanted);
		assert.equal(await page.locator("b, script[src], img").count(), 0);
		assert.equal((await page.content()).includes(SECRET), false);
		assert.ok((await (await fetch(`${there}metrics`)).text()).includes("stackdepot_agent"), "the agent goes on");
		await page.close();
	}
	let given = null;

	answer = (reply, request) => { given = request.headers; reply.destroy(); };
	await fetch(`${there}fleet/services`);
	assert.equal(given["x-clickhouse-key"], SECRET, "who asks is known by a header");
});

test("without a server there is no such view", async () => {
	const { said } = await start(process.env.AGENT, ["--listen=127.0.0.1:0", `--stores=${STORES}`]);
	const [alone] = said.match(/http:\S+/);
	const page = await open(alone);

	assert.equal(await page.locator("[role=tab]").count(), 0);
	assert.equal((await fetch(`${alone}fleet/growth`)).status, 404);
	assert.deepEqual(page.problems, []);
});

// SPDX-License-Identifier: GPL-2.0-only OR MIT
//
// page.test.mjs - the page in a browser: does it show what the report says, and only that?
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, test } from "node:test";
import { FOREST, TOOL, WORK, eventually, exact, finish, flame, frames, open, record, report, reported,
	settled }
	from "./page.mjs";

const BUGS = path.join(path.dirname(FOREST), "../bugs/bug-five-bugs");
const FAMILY = path.join(path.dirname(FOREST), "../report/report-family");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let store, file;

before(() => {
	store = record("forest.store", FOREST, "5");
	file = flame("forest.html", store);
});
after(finish);

async function metric(page, id) {
	await page.locator(`input[value="${id}"]`).check();
}

function dataOf(page) {
	return JSON.parse(readFileSync(page, "utf8")
		.match(/<script type="application\/json" id="data">(.*?)<\/script>/s)[1]);
}

test("it shows what the report says", async () => {
	const page = await open(file);
	const wanted = { keep_small: 3200, keep_large: 30000, keep_more: 5000 };

	for (const [name, bytes] of Object.entries(wanted)) {
		assert.equal(reported(store, name), bytes, name);
		assert.equal(await exact(page, name), bytes, name);
	}
	const drawn = await frames(page);
	const width = (name) => drawn.find((frame) => frame.name === name).width;

	assert.ok(Math.abs(width("keep_large") / width("keep_small") - 30000 / 3200) < 0.2,
		"widths are as values");
	assert.ok(!drawn.some((frame) => frame.name === "churn"), "nothing of churn() is live");
	await metric(page, "live_objects");
	assert.equal(await exact(page, "keep_small"), 100);
	await metric(page, "allocations");
	assert.equal(await exact(page, "churn"), reported(store, "churn", "allocations", "top"));
	assert.equal(await exact(page, "churn"), 1000);
	await metric(page, "allocated_bytes");
	assert.equal(await exact(page, "churn"), 50000);
	assert.deepEqual(page.problems, []);
});

test("searching highlights, and tells the share", async () => {
	const page = await open(file);
	const all = report("leaks", store).live_bytes;

	await page.keyboard.press("/");
	await page.keyboard.type("KEEP_L");
	let marked = (await frames(page)).filter((frame) => frame.match);
	assert.deepEqual(marked.map((frame) => frame.name), ["keep_large"]);
	assert.equal(marked[0].fill, "var(--match)");
	const share = (100 * 30000 / all).toFixed(1);
	assert.equal(await page.locator("#matches").textContent(), `1 function, ${share} %`);
	await page.fill("#search", "/^keep_(small|large)$/");
	marked = (await frames(page)).filter((frame) => frame.match);
	assert.deepEqual(marked.map((frame) => frame.name).sort(), ["keep_large", "keep_small"]);
	await page.fill("#search", "/(/");
	assert.equal(await page.locator("#matches").textContent(), "not an expression");
	await page.locator("#search").focus();
	await page.keyboard.press("Escape");
	assert.equal(await page.inputValue("#search"), "");
	assert.ok((await frames(page)).every((frame) => !frame.match));
	assert.deepEqual(page.problems, []);
});

test("clicking zooms, and there is a way back", async () => {
	const page = await open(file);
	const width = async (name) =>
		(await frames(page)).find((frame) => frame.name === name)?.width;
	const path_ = () => page.locator("#path li").allTextContents();
	const whole = await width("all");

	await page.locator('#flame g[name="keep_small"]').click();
	await eventually, settled(page);
	assert.ok(await eventually(async () => Math.abs(await width("keep_small") - whole) < 2),
		"it is as wide as all");
	assert.equal(await width("keep_large"), undefined);
	assert.equal((await path_()).at(-1), "keep_small");
	await metric(page, "live_objects");
	assert.equal((await path_()).at(-1), "keep_small", "another figure of the same place");
	await page.locator("#path button", { hasText: "main" }).first().click();
	await settled(page);
	assert.ok(await eventually(async () => await width("keep_large") > 1), "its sibling is back");
	await page.locator("#path .reset").click();
	assert.deepEqual(await path_(), ["all"]);
});

test("the sandwich has callers and callees", async () => {
	const page = await open(file);

	await page.locator('#flame g[name="shared_leaf"]').first().focus();
	await page.keyboard.press("s");
	assert.equal(await page.inputValue("#function"), "shared_leaf");
	const above = await frames(page, "callers");
	const callers = above.filter((frame) => frame.level === 2).map((frame) => frame.name);
	assert.deepEqual(callers.sort(), ["keep_large", "keep_small"]);
	assert.equal(await exact(page, "keep_large", "callers"), 30000);
	assert.equal(await exact(page, "shared_leaf", "callers"), 33200, "merged over both places");
	await page.fill("#function", "main");
	await page.locator("#function").press("Enter");
	const below = (await frames(page, "callees")).filter((frame) => frame.level === 2);
	assert.deepEqual(below.map((frame) => frame.name).sort(),
		["hostile", "keep_large", "keep_more", "keep_small"]);
	assert.equal(await exact(page, "keep_small", "callees"), 3200);
	assert.deepEqual(page.problems, []);
});

test("the keyboard does it all", async () => {
	const page = await open(file);
	const focused = () => page.evaluate(() => document.activeElement.getAttribute("name"));
	const tabs = [];

	for (let i = 0; i < 30 && await focused() !== "all"; i++) {
		await page.keyboard.press("Tab");
		tabs.push(await page.evaluate(() => document.activeElement.id));
	}
	assert.equal(await focused(), "all", "the graph is in the tab order");
	assert.ok(tabs.includes("search") && tabs.includes("theme") && tabs.includes("tab-flame"));
	for (let i = 0; i < 20 && await focused() !== "keep_large"; i++)
		await page.keyboard.press("ArrowDown");
	assert.equal(await focused(), "keep_large", "down goes to the largest");
	await page.keyboard.press("ArrowRight");
	assert.equal(await focused(), "keep_more");
	await page.keyboard.press("ArrowLeft");
	await page.keyboard.press("ArrowUp");
	assert.equal(await focused(), "main");
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("Enter");
	assert.equal((await page.locator("#path li").allTextContents()).at(-1), "keep_large");
	const stroke = await page.locator('#flame g[name="keep_large"] rect')
		.evaluate((rect) => getComputedStyle(rect).strokeWidth);
	assert.equal(stroke, "4px", "focus can be seen");
	await page.keyboard.press("Escape");
	assert.deepEqual(await page.locator("#path li").allTextContents(), ["all"]);
	await page.locator("#tab-flame").focus();
	await page.keyboard.press("ArrowRight");
	assert.ok(await page.locator("#panel-sandwich").isVisible());
	assert.ok(await page.locator("#panel-flame").isHidden());
});

test("light and dark, as the system has it or as asked for", async () => {
	const page = await open(file);
	const light = () => page.evaluate(() =>
		Number(getComputedStyle(document.body).backgroundColor.match(/\d+/)[0]) > 128);

	assert.equal(await light(), true);
	await page.emulateMedia({ colorScheme: "dark" });
	assert.equal(await light(), false);
	await page.locator("#theme").click();
	assert.equal(await light(), true);
});

test("errors have their three stacks", async () => {
	const bugs = record("bugs.store", BUGS);
	const page = await open(flame("bugs.html", bugs));

	await page.locator("#tab-errors").click();
	const known = report("errors", bugs).errors;
	assert.equal(await page.locator("article.error").count(), known.length);
	const twice = page.locator("article.error", { has: page.locator("h2", { hasText: "double-free" }) });
	const stacks = await twice.locator(".of-three").evaluateAll((parts) => parts.map((part) =>
		[...part.querySelectorAll(".name")].map((name) => name.textContent)));
	const place = (frame) => `${frame.module.split("/").pop()}+0x${frame.offset.toString(16)}`;
	const names = (stack) => stack.map((frame) => frame.function ?? place(frame));
	const error = known.find((one) => one.kind === "double-free");
	assert.deepEqual(stacks, [names(error.stack), names(error.allocated), names(error.freed_at)]);
	assert.ok(stacks[0].includes("free_twice") && stacks[1].includes("allocate"));
	assert.deepEqual(page.problems, []);
});

test("two stores: what grew", async () => {
	const later = record("later.store", FOREST, "25");
	const page = await open(flame("growth.html", store, later));

	assert.equal(await exact(page, "keep_more"), 20000);
	assert.ok(!(await frames(page)).some((frame) => frame.name === "keep_large"), "did not change");
	assert.match(await page.locator("#details").textContent(), /\+20,000 bytes/);
	const back = await open(flame("shrink.html", later, store));
	assert.equal(await exact(back, "keep_more"), -20000);
	const fill = async (one) => (await frames(one)).find((frame) => frame.name === "keep_more").fill;
	assert.notEqual(await fill(page), await fill(back), "more and less have their colours");
	await metric(page, "live_bytes");
	assert.equal(await exact(page, "keep_more"), 25000);
});

test("nothing is asked of the network, and nothing can be", async () => {
	const page = await open(file);
	const blocked = await page.evaluate(async () => {
		const violations = [];
		const add = (tag, set) => document.body.append(Object.assign(document.createElement(tag), set));

		document.addEventListener("securitypolicyviolation",
			(event) => violations.push(event.effectiveDirective));
		await fetch("http://127.0.0.1:9/").catch(() => {});
		add("img", { src: "http://127.0.0.1:9/a.png" });
		add("script", { textContent: "window.ran = true" });
		add("style", { textContent: "body { display: none }" });
		await new Promise((done) => setTimeout(done, 300));
		return { violations, ran: window.ran ?? false };
	});

	assert.equal(blocked.ran, false);
	for (const directive of ["connect-src", "img-src", "script-src-elem", "style-src-elem"])
		assert.ok(blocked.violations.includes(directive), `${directive} is closed`);
	const views = await open(file);
	for (const view of ["sandwich", "functions", "stacks", "errors", "process"])
		await views.locator(`#tab-${view}`).click();
	assert.deepEqual(views.requests, [views.url_]);
	assert.deepEqual(views.problems, []);
});

test("hostile names are harmless", async () => {
	const names = ["</script><script>window.hostile=1</script>",
		"\"><img/src=x/onerror=window.hostile=1>\xff<!--", "${window.hostile=1}{{1+1}}&lt;b&gt;"];
	const evil = path.join(WORK, "evil");
	const renames = path.join(WORK, "renames");
	const old = ["hostile", "keep_large", "keep_small"];

	writeFileSync(renames, names.map((name, i) => `${old[i]} ${name}\n`).join(""), "latin1");
	execFileSync("objcopy", ["--strip-debug", `--redefine-syms=${renames}`, FOREST, evil]);
	const hostile = record("evil.store", evil, "</script><img src=x onerror=window.hostile=1>");
	const written = flame("evil.html", hostile);
	const text = readFileSync(written, "utf8");
	assert.ok(!text.includes(names[0]) && !text.includes("<img"), "not as markup");
	const page = await open(written);
	const shown = (await frames(page)).map((frame) => frame.name);
	assert.ok(shown.includes(names[0]), "as text");
	assert.ok(shown.includes(names[1].replace("\xff", "\\xff")), "bytes that are no text as well");
	await page.locator("#flame g.frame").filter({ hasText: "img/src" }).first().hover();
	await page.fill("#search", names[0]);
	for (const view of ["sandwich", "functions", "stacks", "process"]) {
		await page.locator(`#tab-${view}`).click();
		assert.equal(await page.locator("img").count(), 0, view);
	}
	assert.equal(await page.evaluate(() => window.hostile), undefined);
	assert.deepEqual(page.requests, [page.url_]);
	assert.deepEqual(page.problems, []);
});

/* The sandwich has what is drawn, and says what of the function is not: together all of it. */
async function foldedInSandwich(page, data) {
	const of = data.functions.name.findIndex((name) => data.strings[name] === "to_the_right");

	await page.locator("#tab-sandwich").click();
	await page.fill("#function", "to_the_right");
	await page.locator("#function").press("Enter");
	const text = await page.locator("#sandwich-folded").textContent();
	const missing = text.match(/^(.*) of this function lie in stacks that were folded/)[1];
	const drawn = await exact(page, "to_the_right", "callees");
	const whole = data.functions.total[0][of];

	assert.ok(drawn < whole, `${drawn} of ${whole} are drawn`);
	assert.equal(missing, `${((whole - drawn) / 1024).toFixed(1)} KiB`);
	await page.fill("#function", "main");
	await page.locator("#function").press("Enter");
	assert.equal(await page.locator("#sandwich-folded").textContent(), "", "all of main is there");
}

test("several processes are one page", async () => {
	const family = record("family.store", FAMILY, "1000");
	const page = await open(flame("family.html", family));

	assert.equal(await exact(page, "keep"), 6000);
	assert.match(await page.locator("#process").textContent(),
		/^3 processes, 0 of them running; the first, process \d+, exited with status 0$/);
	await page.locator("#tab-errors").click();
	assert.match(await page.locator("article.error p").textContent(),
		/by thread \d+ of process \d+ and of 2 more .* seen 3 times/);
	await page.locator("#tab-process").click();
	const live = await page.locator("#panel-process tbody td.number").allTextContents();
	assert.deepEqual(live, ["6.2 KiB", "3.2 KiB", "1.3 KiB"],
		"most first, a buffer of stdout and the thread's own too");
	assert.equal(await page.locator("#panel-process caption").textContent(), "3 processes");
	await page.evaluate(axe);
	const found = await page.evaluate(() => window.axe.run());
	assert.deepEqual(found.violations.map((rule) => [rule.id, rule.nodes[0].html.slice(0, 200)]), []);
	assert.deepEqual(page.problems, []);
});

test("a large store makes a small page, which says what is folded", async () => {
	const wide = record("wide.store", FOREST, "wide", "14");
	const all = report("leaks", wide);
	const written = flame("wide.html", wide);
	const data = dataOf(written);

	assert.ok(all.stacks.length >= 16384, `${all.stacks.length} stacks`);
	assert.ok(data.totals.nodes > 30000, `${data.totals.nodes} nodes`);
	assert.ok(data.nodes.up.length <= 20000 && data.nodes.up.length > 19000);
	assert.ok(statSync(written).size < 1 << 20, `${statSync(written).size} bytes`);
	const kept = (column) => data.nodes.now[column].reduce((sum, value) => sum + value, 0);
	assert.equal(kept(0), all.live_bytes, "nothing is lost");
	assert.equal(kept(1), all.live_objects);
	const left = data.functions.name.findIndex((name) => data.strings[name] === "to_the_left");
	const holds = (stack) => stack.stack.some((frame) => frame.function === "to_the_left");
	assert.equal(data.functions.total[0][left], all.stacks.filter(holds)
		.reduce((sum, stack) => sum + stack.live_bytes, 0), "once a stack, folded or not");
	assert.ok(dataOf(flame("few.html", "--nodes=100", wide)).nodes.up.length <= 100);
	const page = await open(path.join(WORK, "few.html"));
	assert.match(await page.locator("#folded").textContent(), /frames of [\d,]+ small stacks are folded/);
	await foldedInSandwich(page, dataOf(path.join(WORK, "few.html")));
	await page.locator("#tab-flame").click();
	assert.ok((await frames(page)).some((frame) => /^\(\d+ small stacks folded\)$/.test(frame.name)));
	const big = await open(written);
	await big.fill("#search", "to_the_right");
	assert.match(await big.locator("#matches").textContent(), /^1 function, /);
	assert.deepEqual(big.problems, []);
});

test("narrow screens, and rules of accessibility", async () => {
	const page = await open(file);

	for (const [scheme, width] of [["light", 1200], ["dark", 1200], ["light", 360]]) {
		await page.emulateMedia({ colorScheme: scheme });
		await page.setViewportSize({ width, height: 800 });
		for (const view of ["flame", "sandwich", "functions", "stacks", "errors", "process"]) {
			await page.locator(`#tab-${view}`).click();
			const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
			assert.ok(over <= 0, `${view} at ${width}: ${over} too wide`);
			if (width < 1200)
				continue;
			await page.evaluate(axe);
			const found = await page.evaluate(() => window.axe.run());
			assert.deepEqual(found.violations.map((rule) => [view, scheme, width, rule.id,
				rule.nodes[0].html.slice(0, 200), rule.nodes[0].failureSummary]), []);
		}
	}
});

test("what cannot be done is said in a line", () => {
	const say = (...args) => {
		const done = spawnSync(TOOL, ["flame", ...args], { encoding: "utf8" });

		assert.equal(done.status, 2, args.join(" "));
		assert.equal(done.stderr.trim().split("\n").length, 1, done.stderr);
		return done.stderr;
	};

	assert.match(say(store), /-o OUT.html is missing/);
	assert.match(say("-o", path.join(WORK, "x")), /flame: of what/);
	assert.match(say("--nodes=3", store, "-o", path.join(WORK, "x")), /from 10 to/);
	assert.match(say(FOREST, "-o", path.join(WORK, "x")), /not a store/);
	assert.match(say(store, "-o", path.join(WORK, "no/where")), /No such file/);
	assert.match(say(store, "-o", "/dev/full"), /\/dev\/full: (No space left on device|cannot be written)/);
	/* Who writes less than a page keeps the one that was there, and leaves nothing else. */
	const old = path.join(WORK, "old", "page.html");
	mkdirSync(path.dirname(old));
	writeFileSync(old, "old");
	const cut = spawnSync("sh", ["-c", 'ulimit -f 8; trap "" XFSZ; exec "$0" flame "$1" -o "$2"', TOOL, store,
		old], { encoding: "utf8" });
	assert.equal(cut.status, 2, cut.stderr);
	assert.match(cut.stderr, /page\.html: (File too large|cannot be written)/);
	assert.equal(readFileSync(old, "utf8"), "old");
	assert.deepEqual(readdirSync(path.dirname(old)), ["page.html"]);
});

// SPDX-License-Identifier: GPL-2.0-only OR MIT
//
// page.mjs - stores, pages and a browser to look at them.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { accessSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

export const TOOL = process.env.STACKDEPOT;
export const FOREST = process.env.FOREST;
export const WORK = mkdtempSync(path.join(tmpdir(), "flame."));

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
	"--disable-background-networking", "--disable-component-update", "--disable-sync"];
const browser = await chromium.launchPersistentContext(path.join(WORK, "profile"), {
	executablePath: "/usr/bin/chromium", headless: true, args: FLAGS, reducedMotion: "reduce",
	viewport: { width: 1200, height: 900 } });

const started = [];

export async function finish() {
	for (const child of started) {
		child.stdin.end();
		child.kill();
	}
	await browser.close();
	rmSync(WORK, { recursive: true, force: true });
}

/* A program whose standard output says that it is there; finish() ends it. */
export async function start(command, args) {
	const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });

	started.push(child);
	const [said] = await Promise.race([once(child.stdout, "data"), once(child, "close")]);

	if (!Buffer.isBuffer(said))
		throw new Error(`${command} ended, and said nothing`);
	return { child, said: said.toString() };
}

export function record(name, ...command) {
	const store = path.join(WORK, name);

	/* Of a bug the C library may make an end. */
	spawnSync(TOOL, ["run", "--quiet", `--store=${store}`, "--", ...command]);
	accessSync(store);
	return store;
}

export function flame(name, ...args) {
	const page = path.join(WORK, name);

	execFileSync(TOOL, ["flame", ...args, "-o", page]);
	return page;
}

export function report(kind, store) {
	const done = spawnSync(TOOL, ["report", kind, "--json", "--all",
		"--no-default-suppressions", store],
		{ maxBuffer: 1 << 28 });

	return JSON.parse(done.stdout);
}

/* What the report says of a function: the sum of the stacks that it is in. */
export function reported(store, name, key = "live_bytes", kind = "leaks") {
	return report(kind, store).stacks
		.filter((stack) => stack.stack?.some((frame) => frame.function === name))
		.reduce((sum, stack) => sum + stack[key], 0);
}

/* A page with what it asked for and what went wrong in it. */
export async function open(file) {
	const page = await browser.newPage();

	page.requests = [];
	page.problems = [];
	page.on("request", (request) => page.requests.push(request.url()));
	page.on("pageerror", (error) => page.problems.push(error.message));
	page.on("console", (message) => page.problems.push(message.text()));
	page.url_ = /^(http|file):/.test(file) ? file : pathToFileURL(file).href;
	await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
	await page.goto(page.url_);
	await settled(page);
	return page;
}

export function frames(page, chart = "flame") {
	return page.locator(`#${chart} g.frame`).evaluateAll((groups) => groups.map((group) => ({
		name: group.getAttribute("name"),
		label: group.getAttribute("aria-label"),
		level: Number(group.getAttribute("aria-level")),
		width: group.querySelector("rect").getBoundingClientRect().width,
		match: group.classList.contains("match"),
		fill: group.querySelector("rect").getAttribute("fill"),
	})));
}

/*
 * What is drawn by and by, even without motion, is drawn: three looks, a tenth of a second apart,
 * saw the same. A busy machine draws late, so there is no saying how long that takes.
 */
export async function settled(page) {
	const look = () => page.evaluate(() => [...document.querySelectorAll("g.frame rect")]
		.map((rect) => rect.getBoundingClientRect()).map((at) => `${at.x} ${at.width}`).join());
	let same = 0, before = null;

	while (same < 3) {
		await page.evaluate(() => new Promise((done) =>
			requestAnimationFrame(() => setTimeout(done, 100))));
		const now = await look();

		same = now === before ? same + 1 : 0;
		before = now;
	}
}

/* Wait until it holds; after five seconds of trying, it does not. */
export async function eventually(holds) {
	for (let i = 0; i < 50; i++) {
		if (await holds())
			return true;
		await new Promise((done) => setTimeout(done, 100));
	}
	return false;
}

/* As the page says it of the frame, to the last digit. */
export async function exact(page, name, chart = "flame") {
	await page.locator(`#${chart} g.frame[name="${name}"]`).first().focus();
	const text = await page.locator("#details").textContent();

	return Number(text.match(/([+\u2212]?[\d,]+)(?: bytes)? \(/)[1].replaceAll(",", "")
		.replace("\u2212", "-"));
}

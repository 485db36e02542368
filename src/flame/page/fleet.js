/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * fleet.js - what the server of the fleet knows of all hosts, asked through the agent.
 *
 * It is asked when somebody looks, and never by itself: it has more to do. What it answers is not
 * trusted: texts are texts, figures are numbers, lists are lists.
 */
import { byId, element, fill } from "./dom.js";
import { bytes, count, exact, figure, plural } from "./format.js";
import { line } from "./line.js";

const BYTES = { bytes: true }, GROWN = { bytes: true, signed: true };
const WIDTH = 640, HEIGHT = 110;
const TITLE = 3; // functions that name a stack
const state = { turn: 0, services: [], growth: [], errors: [], open: null, stack: null, asked: false };

const list = (value) => Array.isArray(value) ? value : [];
const number = (value) => Number.isFinite(value) ? value : 0;
const text = (value) => typeof value === "string" ? value : "";
const day = (seconds) => number(seconds) > 0 && number(seconds) < 1e11
	? new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ") : "";

/* --- asking ------------------------------------------------------------------------------- */

function words(more) {
	const query = new URLSearchParams({ since: byId("fleet-since").value, ...more });

	if (byId("fleet-service").value)
		query.set("service", byId("fleet-service").value);
	return query;
}

async function ask(question, query) {
	const answer = await fetch(`fleet/${question}?${query}`);

	if (!answer.ok)
		throw new Error((await answer.text()).split("\n")[0].slice(0, 300));
	return answer.json();
}

function say(what, problem) {
	byId("fleet-said").className = problem ? "alert" : "remark";
	fill(byId("fleet-said"), what);
}

/* One question after the other; who asks anew meanwhile does not get what was asked before. */
async function askAll() {
	const turn = ++state.turn;
	const since = new URLSearchParams({ since: byId("fleet-since").value });
	const questions = [["services", since, "services"], ["growth", words(), "stacks"], ["errors", words(), "errors"]];

	byId("fleet-flame").href = `fleet/flame?${words()}`;
	say("The server is asked \u2026");
	try {
		for (const [question, query, name] of questions) {
			const answer = await ask(question, query);

			if (turn !== state.turn)
				return;
			state[question] = list(answer?.[name]);
			showFleet();
		}
		say(`Asked at ${new Date().toLocaleTimeString("en-GB")}.`);
	} catch (problem) {
		if (turn === state.turn)
			say(`The server of the fleet did not answer: ${problem.message}`, true);
	}
}

async function openStack(row) {
	state.open = state.open === row.stack ? null : row.stack;
	state.stack = null;
	showGrowth();
	document.querySelector(`button[data-stack="${CSS.escape(text(row.stack))}"]`)?.focus();
	if (!state.open)
		return;
	try {
		const answer = await ask("stack", new URLSearchParams({ id: row.stack, since: byId("fleet-since").value }));

		if (state.open !== row.stack)
			return;
		state.stack = answer;
	} catch (problem) {
		if (state.open !== row.stack)
			return;
		state.stack = { problem: problem.message };
	}
	const at = document.activeElement?.dataset.stack;

	showGrowth();
	if (at)
		document.querySelector(`button[data-stack="${CSS.escape(at)}"]`)?.focus();
}

/* --- stacks ------------------------------------------------------------------------------- */

function frameName(frame) {
	return text(frame?.function) || `${text(frame?.module) || "?"}+0x${number(frame?.offset).toString(16)}`;
}

function place(frame) {
	return text(frame?.file) ? `${frame.file}${number(frame.line) ? `:${frame.line}` : ""}` : text(frame?.module);
}

function title(frames) {
	return list(frames).slice(0, TITLE).map(frameName).join(" \u2190 ") || "stack not known";
}

function frameList(frames) {
	if (!list(frames).length)
		return element("p", { class: "unknown" }, "not known");
	return element("ol", { class: "frames" }, list(frames).map((frame) => element("li", {},
		element("span", { class: "name" }, frameName(frame)), frame?.inlined === true ? element("em", {}, "inlined") : null,
		element("span", { class: "place" }, place(frame)))));
}

/* --- tables ------------------------------------------------------------------------------- */

function cell(metric, value) {
	return element("td", { class: "number", title: exact(metric, number(value)) }, figure(metric, number(value)));
}

function table(name, heads, rows, none) {
	if (!rows.length)
		return element("p", { class: "remark" }, none);
	return element("table", {}, element("caption", {}, name),
		element("thead", {}, element("tr", {}, heads.map(([label, isNumber]) =>
			element("th", { scope: "col", class: isNumber ? "number" : null }, label)))),
		element("tbody", {}, rows));
}

/* What is looked for, in the texts of a row. */
function matches(...texts) {
	const wanted = byId("search").value.toLowerCase();

	return texts.some((one) => text(one).toLowerCase().includes(wanted));
}

function servicesTable() {
	return table("Services", [["Service"], ["Hosts", true], ["Stores", true], ["Running", true], ["Live", true],
		["Left at exit", true], ["Errors", true], ["Releases"]],
	state.services.filter((row) => matches(row?.service, row?.releases)).map((row) => element("tr", {},
		element("th", { scope: "row" }, text(row.service)), cell({}, row.hosts), cell({}, row.stores), cell({}, row.running),
		cell(BYTES, row.live_bytes), cell(BYTES, row.left_bytes),
		element("td", { class: number(row.errors) ? "number alert" : "number" }, count(number(row.errors))),
		element("td", {}, text(row.releases) || "not said"))), "No service was heard in this time.");
}

/* --- one stack ---------------------------------------------------------------------------- */

function trendLines(trend) {
	const since = number(trend?.since), seconds = number(trend?.seconds);

	return list(trend?.services).map((one) => {
		const values = list(one?.live_bytes).map(number);
		const until = since + seconds * Math.max(values.length - 1, 0);

		return element("figure", {}, element("figcaption", {}, `${text(one?.service)}, live on all hosts, `,
			`${day(since)} to ${day(until)} UTC: at most ${bytes(Math.max(0, ...values))}, now ${bytes(values.at(-1) ?? 0)}`),
		line(values, WIDTH, HEIGHT, "trend"));
	});
}

function releaseTable(releases) {
	return table("Release by release", [["Service"], ["Release"], ["Live", true], ["Grown", true], ["Hosts that grew", true],
		["Hosts", true], ["From"], ["To"]], list(releases).map((row) => element("tr", {}, element("th", { scope: "row" },
		text(row?.service)), element("td", {}, text(row?.release) || "not said"), cell(BYTES, row?.live_bytes),
	cell(GROWN, row?.grown_bytes), cell({}, row?.growing_hosts), cell({}, row?.hosts), element("td", {}, day(row?.first_seen)),
	element("td", {}, day(row?.last_seen)))), "Nothing was told of it in this time.");
}

function stackRow(row) {
	const { stack } = state;
	const about = !stack ? [element("p", { class: "remark" }, "The server is asked \u2026")]
		: stack.problem ? [element("p", { class: "alert" }, `The server of the fleet did not answer: ${stack.problem}`)]
			: [trendLines(stack.trend), releaseTable(stack.releases)];

	return element("tr", {}, element("td", { colspan: "7", class: "one-stack" }, about.flat(), frameList(row.stack_frames)));
}

function growthRows(row) {
	const opened = state.open === row.stack;
	const name = element("button", { type: "button", class: "name", "aria-expanded": String(opened), "data-stack": text(row.stack),
		on: { click: () => openStack(row) } }, `${opened ? "\u25be" : "\u25b8"} ${title(row.stack_frames)}`);

	return [element("tr", {}, element("th", { scope: "row" }, text(row.service)), cell(GROWN, row.grown_bytes),
		element("td", { class: "number" }, `${count(number(row.growing_hosts))} of ${count(number(row.hosts))}`),
		cell(BYTES, row.live_bytes), element("td", { class: "number" }, `${count(number(row.steadiness_percent))} %`),
		element("td", {}, text(row.since_version) || "not said"), element("td", {}, name)),
	opened ? stackRow(row) : null];
}

function showGrowth() {
	fill(byId("fleet-growth"), table("What grew, the steadiest first", [["Service"], ["Grown", true], ["Hosts", true], ["Live", true],
		["Steps upwards", true], ["Since release"], ["Stack"]],
	state.growth.filter((row) => row && matches(row.service, title(row.stack_frames))).flatMap(growthRows)
		.filter(Boolean), "Nothing grew in this time."));
}

/* --- errors ------------------------------------------------------------------------------- */

function errorItem(row) {
	const stacks = [["Access", row.access_frames], ["Allocated", row.allocated_frames], ["Freed", row.freed_frames]];

	return element("details", { class: "stack" }, element("summary", {}, element("b", {}, text(row.kind)),
		element("small", {}, row.doubtful ? "it may be none" : plural(number(row.count), "time")),
		element("code", {}, `${text(row.service)}${row.since_release ? ` since release ${text(row.since_release)}` : ""}, ` +
			`on ${plural(number(row.hosts), "host")}: ${title(row.access_frames)}`)),
	element("p", { class: "remark" }, `Seen ${plural(number(row.count), "time")}, first ${day(row.first_seen)}, last ` +
		`${day(row.last_seen)} UTC.`),
	element("div", { class: "three" }, stacks.map(([name, frames]) => element("div", { class: "of-three" },
		element("h3", {}, name), frameList(frames)))));
}

/* --- all of it ---------------------------------------------------------------------------- */

/* Services to choose from; what is chosen stays. */
function showChoice() {
	const chosen = byId("fleet-service").value;
	const names = new Set(["", chosen, ...state.services.map((row) => text(row?.service))]);

	fill(byId("fleet-service"), [...names].sort().map((name) =>
		element("option", { value: name, selected: name === chosen }, name || "All services")));
}

export function showFleet() {
	const errors = state.errors.filter((row) => row && matches(row.service, row.kind, title(row.access_frames)));

	showChoice();
	fill(byId("fleet-services"), servicesTable());
	showGrowth();
	fill(byId("fleet-errors"), errors.length ? errors.map(errorItem)
		: element("p", { class: "remark" }, "No error was told in this time."));
}

/* The first time that somebody looks. */
export function openFleet() {
	if (state.asked)
		return;
	state.asked = true;
	askAll();
}

export function prepareFleet() {
	byId("fleet-service").addEventListener("change", askAll);
	byId("fleet-since").addEventListener("change", askAll);
	byId("fleet-again").addEventListener("click", askAll);
}

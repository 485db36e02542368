/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* agent.js - the page of the agent: services and their processes, looked at again by and by. */
import { byId, element, fill, prepareSearch, prepareTabs } from "./dom.js";
import { openFleet, prepareFleet, showFleet } from "./fleet.js";
import { bytes, count, exact, figure, plural } from "./format.js";
import { line } from "./line.js";
import { prepareTheme } from "./theme.js";

const LIVE = { bytes: true }, GROWTH = { bytes: true, signed: true };
const WIDTH = 120, HEIGHT = 22;
const COLUMNS = [
	{ id: "name", label: "Service, process" },
	{ id: "live", label: "Live", number: true },
	{ id: "growth", label: "Growing", number: true },
	{ id: "history", label: "", plain: "Live over time" },
	{ id: "objects", label: "Objects", number: true },
	{ id: "allocations", label: "Allocations", number: true },
	{ id: "recorder", label: "Recorder", number: true },
	{ id: "errors", label: "Errors", number: true },
	{ id: "links", label: "", plain: "Pictures" },
];
const state = { data: JSON.parse(byId("data").textContent), by: "live", ascending: false, open: new Set() };

/* Since the first point; points are kept in single precision. */
function growth({ history, live_bytes: live }) {
	return history.length ? Math.fround(live) - history[0] : 0;
}

/* --- rows --------------------------------------------------------------------------------- */

function number(metric, value, estimated) {
	return element("td", { class: "number", title: exact(metric, value) },
		(estimated && value ? "\u2248\u00a0" : "") + figure(metric, value));
}

/* Relative, so that they hold behind a prefix; /flame and the profiles take the same words. */
function link(path, service, process, label, name) {
	const query = new URLSearchParams(process ? { service, process } : { service });

	return element("a", { href: `${path}?${query}`, "aria-label": `${label} of ${name}` }, label);
}

function links(service, process, name) {
	return element("td", { class: "links" }, link("flame", service, process, "Flame", name), " ",
		link("debug/pprof/heap", service, process, "pprof", name),
		state.data.lost && process ? [" ", link("lost", service, process, "Lost", name)] : null);
}

function errorText({ kinds, doubts }) {
	const parts = Object.entries(kinds ?? {}).map(([kind, times]) => `${kind}: ${count(times)}`);

	return doubts ? [...parts, `${count(doubts)} that may be none`].join(", ") : parts.join(", ");
}

function figures(row, estimated) {
	const errors = Object.values(row.kinds ?? {}).reduce((sum, times) => sum + times, 0);

	return [number(LIVE, row.live_bytes, estimated), number(GROWTH, growth(row), estimated),
		element("td", {}, line(row.history, WIDTH, HEIGHT, "spark")), number({}, row.live_objects, estimated),
		number({}, row.allocations, estimated), number(LIVE, row.recorder_bytes, false),
		row.kinds ? element("td", { class: errors ? "number alert" : "number", title: errorText(row) },
			count(errors), row.doubts ? element("small", {}, ` +${count(row.doubts)}?`) : null)
			: element("td", {})];
}

function processRow(service, process) {
	const name = `process ${process.pid}`;

	return element("tr", { class: "process-row" },
		element("th", { scope: "row" }, `${process.pid} `, element("code", {}, process.command)),
		figures(process, service.sample_bytes > 0), links(service.service, process.pid, name));
}

function toggle(service) {
	const opened = state.open.has(service.service);

	if (opened)
		state.open.delete(service.service);
	else
		state.open.add(service.service);
	show();
	[...document.querySelectorAll("button.service")]
		.find((button) => button.dataset.service === service.service)?.focus();
}

function serviceHead(service) {
	const opened = state.open.has(service.service);
	const name = element("button", { type: "button", class: "service", "aria-expanded": String(opened),
		"data-service": service.service, title: service.path, on: { click: () => toggle(service) } },
	`${opened ? "\u25be" : "\u25b8"} ${service.service}`);
	const who = plural(service.running, "process", "processes") +
		(service.ended ? `, ${count(service.ended)} ended` : "");

	return element("th", { scope: "row" }, name, element("small", {}, ` ${who}`));
}

function serviceRows(service) {
	if (service.problem)
		return [element("tr", {}, element("th", { scope: "row" }, service.service),
			element("td", { colspan: String(COLUMNS.length - 1), class: "alert" }, service.problem))];
	const rows = [element("tr", { class: "service-row" }, serviceHead(service),
		figures(service, service.sample_bytes > 0), links(service.service, null, service.service))];

	if (state.open.has(service.service)) {
		rows.push(...service.processes.map((process) => processRow(service, process)));
		const more = service.running - service.processes.length;

		if (more > 0)
			rows.push(element("tr", {}, element("td", { colspan: String(COLUMNS.length), class: "remark" },
				`and ${plural(more, "smaller process", "smaller processes")}`)));
	}
	return rows;
}

/* --- the table ---------------------------------------------------------------------------- */

const VALUES = {
	name: (service) => service.service.toLowerCase(),
	live: (service) => service.live_bytes,
	growth,
	objects: (service) => service.live_objects,
	allocations: (service) => service.allocations,
	recorder: (service) => service.recorder_bytes,
	errors: (service) => Object.values(service.kinds).reduce((sum, times) => sum + times, 0),
};

function sortBy(column) {
	state.ascending = state.by === column.id ? !state.ascending : !column.number;
	state.by = column.id;
	show();
	document.querySelector(`th[data-column="${column.id}"] button`).focus();
}

function heading(column) {
	if (column.plain)
		return element("th", { scope: "col" }, element("span", { class: "unseen" }, column.plain));
	const order = state.by !== column.id ? "none" : state.ascending ? "ascending" : "descending";

	return element("th", { scope: "col", "aria-sort": order, "data-column": column.id,
		class: column.number ? "number" : null },
	element("button", { type: "button", on: { click: () => sortBy(column) } }, column.label));
}

function wanted() {
	const text = byId("search").value.toLowerCase();
	const matches = (service) => service.service.toLowerCase().includes(text) ||
		service.processes.some((process) => process.command.toLowerCase().includes(text));
	const direction = state.ascending ? 1 : -1;
	const value = VALUES[state.by];

	return state.data.services.filter(matches).sort((a, b) => {
		const [left, right] = [value(a), value(b)];

		return left < right ? -direction : left > right ? direction : a.service < b.service ? -1 : 1;
	});
}

function showTable() {
	const services = wanted();

	fill(byId("matches"), byId("search").value ? plural(services.length, "service") : "");
	if (!state.data.services.length) {
		fill(byId("services"), element("p", { class: "remark" },
			"No store was found. stackdepot run -- PROGRAM makes one; --stores of the agent says where it looks."));
		return;
	}
	fill(byId("services"), element("table", {},
		element("caption", { class: "unseen" }, "Services and their processes"),
		element("thead", {}, element("tr", {}, COLUMNS.map(heading))),
		element("tbody", {}, services.flatMap(serviceRows))));
}

/* --- the rest ----------------------------------------------------------------------------- */

function caveats({ services, foreign, links: symbolic, unreadable, left_out: left }) {
	const unrecorded = services.filter((service) => service.unrecorded);
	const dropped = services.filter((service) => service.errors_dropped);
	const sampled = services.filter((service) => service.sample_bytes);

	return [
		foreign ? `${plural(foreign, "file")} not opened: the owner is not that of the directory.` : null,
		symbolic ? `${plural(symbolic, "symbolic link")} not followed.` : null,
		unreadable ? `${plural(unreadable, "file or directory", "files and directories")} could not be opened.` : null,
		left ? `${plural(left, "older store")} left out.` : null,
		sampled.length ? `${plural(sampled.length, "service")} sampled: figures marked \u2248 are estimates.` : null,
		dropped.length ? `${plural(dropped.length, "service")} with more errors than the store had room for.` : null,
		unrecorded.length ? `${plural(unrecorded.length, "service")} with objects that the store had no room for.` : null,
	].filter(Boolean);
}

function showHead() {
	const { services, age } = state.data;
	const sum = (value) => services.reduce((all, service) => all + value(service), 0);
	const tile = (name, value, alert) => element("div", { class: alert ? "alert" : null },
		element("dt", {}, name), element("dd", {}, value));
	const errors = sum(VALUES.errors), lines = caveats(state.data);

	fill(byId("when"), age < 0 ? "has not looked yet" : `looked ${age < 1.5 ? "just now" : `${count(age)} s ago`}`);
	fill(byId("tiles"), tile("Services", count(services.length)),
		tile("Processes", count(sum((service) => service.running))),
		tile("Live", bytes(sum((service) => service.live_bytes))),
		tile("Growing", figure(GROWTH, sum(growth))), tile("Errors", count(errors), errors > 0));
	fill(byId("span"), span());
	byId("caveats").hidden = !lines.length;
	fill(byId("caveats"), lines.map((line) => element("p", {}, line)));
}

/* How much time the histories cover. */
function span() {
	const points = Math.max(2, ...state.data.services.map(({ history }) => history.length));
	const seconds = (points - 1) * state.data.interval;

	return seconds < 120 ? plural(seconds, "second") : plural(seconds / 60, "minute");
}

function show() {
	showHead();
	showTable();
}

/* What has the focus keeps it, although it is made anew. */
function focused() {
	const { dataset, parentElement } = document.activeElement ?? {};

	if (dataset?.service)
		return `button[data-service="${CSS.escape(dataset.service)}"]`;
	if (parentElement?.dataset.column)
		return `th[data-column="${parentElement.dataset.column}"] button`;
	if (document.activeElement?.href)
		return `a[href="${CSS.escape(document.activeElement.getAttribute("href"))}"]`;
	return null;
}

async function again() {
	try {
		const answer = await fetch("overview.json");

		if (!answer.ok)
			throw new Error(`${answer.status} ${answer.statusText}`);
		state.data = await answer.json();
		const at = focused();

		show();
		if (at)
			document.querySelector(at)?.focus();
		fill(byId("problem"));
	} catch (problem) {
		fill(byId("problem"), `The agent does not answer: ${problem.message}. What is shown is from before.`);
	}
	byId("problem").hidden = !byId("problem").textContent;
	later();
}

/* A page that nobody looks at does not ask. */
function later() {
	setTimeout(() => document.hidden ? document.addEventListener("visibilitychange", again, { once: true })
		: again(), Math.max(1, state.data.interval) * 1000);
}

/* Only where the agent knows a server. A reload stays where it is. */
function prepareViews() {
	const open = prepareTabs([["host", "This host"], ["fleet", "Fleet"]], (name) => {
		if (name === "fleet")
			openFleet();
		history.replaceState(null, "", name === "fleet" ? "#fleet" : location.pathname);
		look();
	});

	byId("views").hidden = false;
	prepareFleet();
	open(location.hash === "#fleet" ? "fleet" : "host");
}

/* What is looked for is looked for in what is shown. */
function look() {
	if (byId("panel-fleet").hidden)
		showTable();
	else
		showFleet();
}

prepareTheme();
byId("problem").hidden = true;
prepareSearch(look);
show();
if (state.data.fleet)
	prepareViews();
later();

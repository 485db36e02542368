/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* main.js - the page: which view, of which figures, and what is looked for. */
import { Chart, growthColour, moduleColour } from "./chart.js";
import { byId, element, fill, prepareSearch, prepareTabs } from "./dom.js";
import { bytes, count, exact, figure, plural, share } from "./format.js";
import { Model } from "./model.js";
import { FunctionTable, showErrors, showStacks } from "./tables.js";
import { prepareTheme } from "./theme.js";

const model = new Model(JSON.parse(byId("data").textContent));
const { data } = model;
const LEGEND = 6;

const state = { view: "flame", metric: model.metrics[0], found: null, chosen: -1 };

/* --- one frame, in words ------------------------------------------------------------------ */

function describe(node, whole) {
	const { metric } = state;
	const part = metric.signed ? "" : `, ${share(node.value, whole)}`;

	return `${node.name}, ${figure(metric, node.net)}${part}`;
}

function colour(node) {
	if (state.metric.signed)
		return growthColour(node.net, node.value);
	return moduleColour(node.fn < 0 ? undefined : model.modules.get(data.functions.module[node.fn]),
		node.name);
}

function where(node) {
	return node.fn < 0 ? "" : [model.functionModule(node.fn), model.functionFile(node.fn)]
		.filter(Boolean).join(" \u00b7 ");
}

/* Each figure of a frame, exact. */
function frameFigures(node, whole) {
	const { metric } = state;
	const rows = [[metric.label, exact(metric, node.net),
		metric.signed ? `${figure({ ...metric, signed: false }, node.value)} changed`
			: `${figure(metric, node.value)}, ${share(node.value, whole)}`]];

	if (node.self)
		rows.push(["of it self", exact({ ...metric, signed: false }, node.self), share(node.self, whole)]);
	return rows;
}

const tooltip = {
	show(event, node, whole) {
		const tip = byId("tooltip");

		fill(tip, element("b", {}, node.name, node.inlined ? element("em", {}, "inlined") : null),
			where(node) ? element("div", { class: "place" }, where(node)) : null,
			element("table", {}, element("tbody", {}, frameFigures(node, whole).map(([name, value, part]) =>
				element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value),
					element("td", {}, part))))));
		tip.hidden = false;
		const { clientWidth, clientHeight } = document.documentElement;
		const left = Math.min(event.clientX + 14, clientWidth - tip.offsetWidth - 8);
		const below = event.clientY + 18;

		tip.style.left = `${Math.max(8, left)}px`;
		tip.style.top = `${below + tip.offsetHeight < clientHeight ? below
			: Math.max(8, event.clientY - tip.offsetHeight - 10)}px`;
	},
	hide() {
		byId("tooltip").hidden = true;
	},
};

function showDetails(node, whole) {
	const [first, second] = frameFigures(node, whole);

	fill(byId("details"), element("b", {}, node.name),
		element("span", { class: "place" }, where(node)),
		element("span", {}, `${first[1]} (${first[2]})`),
		second ? element("span", {}, `self ${second[1]}`) : null,
		node.fn >= 0 ? element("button", { type: "button", "aria-keyshortcuts": "s",
			on: { click: () => choose(node.fn) } }, "Sandwich") : null);
}

/* --- the flame graph ---------------------------------------------------------------------- */

function chartOptions(down, label, zoom) {
	return { down, label, describe, colour, tooltip, zoom,
		focus: (node) => showDetails(node, model.view(state.metric).total[0]),
		choose: (node) => choose(node.fn) };
}

function showPath(path) {
	fill(byId("path"), element("ol", {}, path.map((node, i) => element("li", {},
		i + 1 < path.length
			? element("button", { type: "button", on: { click: () => flame.zoomTo(node) } }, node.name)
			: element("span", { "aria-current": "true" }, node.name)))),
	path.length > 1 ? element("button", { type: "button", class: "reset",
		on: { click: () => flame.reset() } }, "Reset zoom") : null);
	showDetails(path[path.length - 1], path[0].value);
}

const flame = new Chart(byId("flame"),
	chartOptions(true, () => `Flame graph, ${state.metric.label}`, showPath));
const callers = new Chart(byId("callers"), chartOptions(false, () => "Callers", () => {}));
const callees = new Chart(byId("callees"), chartOptions(true, () => "Callees", () => {}));

function showLegend() {
	const entry = (paint, text) => {
		const swatch = element("i", { "aria-hidden": "true" });

		swatch.style.background = paint;
		return element("span", {}, swatch, text);
	};

	if (state.metric.signed) {
		fill(byId("legend"), entry(growthColour(1, 1), "more"), entry(growthColour(0, 1), "both, evenly"),
			entry(growthColour(-1, 1), "less"), element("span", {}, "width: what changed"));
		return;
	}
	fill(byId("legend"), [...model.modules].slice(0, LEGEND).map(([name, rank]) =>
		entry(moduleColour(rank), model.text(name) || "no module")),
	model.modules.size > LEGEND ? element("span", {}, `and ${model.modules.size - LEGEND} more`) : null);
}

function showFolded() {
	const { nodes, stacks, now } = data.folded;
	const text = stacks ? `To keep this page small, ${plural(nodes, "frame")} of ` +
		`${plural(stacks, "small stack")} ${nodes === 1 ? "is" : "are"} folded into grey ones: ${bytes(now[0])} live, ` +
		`${bytes(now[2])} allocated. --nodes=N keeps more.` : "";

	fill(byId("folded"), text);
}

/* Its figures are those of all stacks; where it is below what was folded it cannot be drawn. */
function showMissing(total, drawn) {
	const { metric } = state;
	const missing = total - drawn;

	fill(byId("sandwich-folded"), Math.abs(missing) >= 0.5 ? `${figure(metric, missing)} of this function ` +
		"lie in stacks that were folded to keep this page small, and are not drawn here; " +
		"--nodes=N keeps more." : "");
}

/* --- the sandwich ------------------------------------------------------------------------- */

function mostSelf() {
	const self = data.functions.name.map((_, fn) =>
		Math.abs(model.functionTotals(state.metric, fn).self));

	return self.reduce((best, value, fn) => value > self[best] ? fn : best, 0);
}

function showSandwich() {
	if (!data.functions.name.length)
		return;
	if (state.chosen < 0)
		state.chosen = mostSelf();
	const { metric, chosen } = state;
	const { total, self } = model.functionTotals(metric, chosen);

	byId("function").value = model.functionName(chosen);
	fill(byId("middle"), element("b", {}, model.functionName(chosen)),
		element("span", { class: "place" }, where({ fn: chosen })),
		element("span", { title: exact(metric, total) }, `${figure(metric, total)} in all` +
			(metric.signed ? "" : ` (${share(total, model.grandTotal(metric))})`)),
		element("span", { title: exact(metric, self) }, `${figure(metric, self)} self`));
	const below = model.callees(metric, chosen);

	callers.show(model.callers(metric, chosen));
	callees.show(below);
	showMissing(total, below.net);
	/* The nearest callers are at the bottom. */
	byId("callers").scrollTop = byId("callers").scrollHeight;
	showDetails(below, model.view(metric).total[0]);
}

function choose(fn) {
	state.chosen = fn;
	tooltip.hide();
	openView("sandwich");
	byId("function").focus();
}

function chooseByName() {
	const name = byId("function").value;
	const fn = data.functions.name.findIndex((_, i) => model.functionName(i) === name);

	fill(byId("function-error"), fn < 0 && name ? "No function has this name." : "");
	if (fn >= 0) {
		state.chosen = fn;
		showSandwich();
	}
}

function prepareSandwich() {
	const names = new Set(data.functions.name.map((_, fn) => model.functionName(fn)));

	fill(byId("functions"), [...names].sort().map((value) => element("option", { value })));
	byId("function").addEventListener("change", chooseByName);
}

/* --- the process -------------------------------------------------------------------------- */

function facts(rows) {
	return element("dl", { class: "facts" }, rows.map(([name, value]) =>
		element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

function processFacts(process) {
	return facts([["Command", element("code", {}, process.command.join(" "))],
		["Process", process.who], ["Child of", `process ${process.parent}`],
		["Recorded", process.sample_bytes ? `sampled, one object in ${bytes(process.sample_bytes)}`
			: "every allocation"]]);
}

/* Of several, which one holds how much. */
function processTable(processes) {
	if (processes.length < 2)
		return null;
	const cells = ({ pid, live_bytes: live, command }) => [element("th", { scope: "row" }, `${pid}`),
		element("td", { class: "number" }, bytes(live)), element("td", {}, command.join(" "))];

	return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Processes" },
		element("table", {}, element("caption", {}, plural(processes.length, "process", "processes")),
			element("thead", {}, element("tr", {}, ["Process", "Live", "Command"].map((name) =>
				element("th", { scope: "col" }, name)))),
			element("tbody", {}, [...processes].sort((a, b) => b.live_bytes - a.live_bytes)
				.map((process) => element("tr", {}, cells(process))))));
}

function showProcess() {
	const licences = byId("licences").content.textContent;

	fill(byId("panel-process"), element("div", { class: "columns" },
		element("section", {}, element("h2", {}, "Process"), processFacts(data.process),
			processTable(data.process.processes),
			data.before ? [element("h2", {}, "Compared with"), processFacts(data.before)] : null,
			element("h2", {}, "This page"), facts([["Written by", `stackdepot ${data.tool}`],
				["Frames", `${count(data.nodes.up.length)} of ${count(data.totals.nodes)}`]])),
		element("section", {}, element("h2", {}, "What recording cost"),
			facts(data.stats.map(([name, value, inBytes]) =>
				[name, inBytes ? bytes(value) : count(value)])))),
	element("details", {}, element("summary", {}, "Libraries in this page, and their licences"),
		element("pre", { tabindex: "0" }, licences)));
}

function showHeader() {
	const { process, totals, caveats } = data;
	const command = process.command.join(" ");
	const tile = (name, value, title, view) => element("div", { class: view ? "alert" : null },
		element("dt", {}, name), element("dd", { title }, value));

	document.title = `${command.slice(0, 60) || "process"} \u2013 stackdepot`;
	fill(byId("command"), command);
	byId("command").title = command;
	fill(byId("process"), process.who);
	fill(byId("tiles"), model.metrics.map((metric) => {
		const value = model.grandTotal(metric);

		return tile(metric.label, (process.estimated ? "\u2248 " : "") + figure(metric, value),
			exact(metric, value));
	}), tile("Stacks", count(totals.stacks), null),
	tile("Errors", count(data.errors.length + data.errors_left_out), null, data.errors.length > 0));
	byId("caveats").hidden = !caveats.length;
	fill(byId("caveats"), caveats.map((line) => element("p", {}, line)));
}

/* --- views, figures, search, theme -------------------------------------------------------- */

const table = new FunctionTable(byId("function-table"), model, choose);
const VIEWS = [
	["flame", "Flame graph", () => { showLegend(); flame.show(model.tree(state.metric)); }],
	["sandwich", "Sandwich", showSandwich],
	["functions", "Functions", () => table.show(state.metric, state.found)],
	["stacks", "Stacks", () => showStacks(byId("panel-stacks"), model, state.metric, state.found, choose)],
	["errors", `Errors (${data.errors.length})`, () => showErrors(byId("panel-errors"), model, choose)],
	["process", "Process", showProcess],
];

function showView(name, last) {
	state.view = name;
	byId("metrics").hidden = name === "errors" || name === "process";
	byId("details").hidden = name !== "flame" && name !== "sandwich";
	if (last !== name || !byId(`panel-${name}`).dataset.shown)
		refresh();
	else if (name === "sandwich")
		showSandwich();
}

const openView = prepareTabs(VIEWS, showView);

function refresh() {
	const [name, , show] = VIEWS.find(([id]) => id === state.view);

	byId(`panel-${name}`).dataset.shown = "yes";
	show();
}

function prepareMetrics() {
	const pick = (metric) => {
		state.metric = metric;
		refresh();
		showMatches();
	};

	byId("metrics").append(...model.metrics.map((metric, i) => element("label", {},
		element("input", { type: "radio", name: "metric", value: metric.id, checked: i === 0,
			on: { change: () => pick(metric) } }), element("span", {}, metric.label))));
}

function showMatches() {
	const { found, metric } = state;
	const wanted = byId("search").value;
	const whole = model.view(metric).total[0];
	const sum = found ? model.matched(metric, found) : 0;

	byId("search").setAttribute("aria-invalid", String(Boolean(wanted) && !found));
	fill(byId("matches"), !wanted ? "" : !found ? "not an expression"
		: `${plural(found.size, "function")}, ${share(sum, whole)}`);
	byId("matches").title = found ? exact({ ...metric, signed: false }, sum) : "";
}

function search() {
	const wanted = byId("search").value;

	state.found = wanted ? model.search(wanted) : null;
	showMatches();
	for (const chart of [flame, callers, callees])
		chart.search(state.found);
	if (state.view === "functions" || state.view === "stacks")
		refresh();
}

showHeader();
prepareMetrics();
prepareSandwich();
prepareTheme();
showFolded();
prepareSearch(search);
document.addEventListener("scroll", tooltip.hide, { passive: true });
openView("flame");

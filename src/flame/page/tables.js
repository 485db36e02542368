/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* tables.js - functions, stacks and errors as lists. */
import { element, fill } from "./dom.js";
import { bytes, count, exact, figure, plural, share } from "./format.js";

const ROWS = 200;
const STACKS = 50;

function more(rest, what, show) {
	return rest > 0 ? element("button", { type: "button", class: "more", on: { click: show } },
		`Show ${plural(rest, `more ${what}`)}`) : null;
}

/* --- frames ------------------------------------------------------------------------------- */

function place(model, frame) {
	const { file, line } = model.data.frames;
	const name = model.text(file[frame]);

	return name ? name + (line[frame] ? `:${line[frame]}` : "") : "";
}

export function frameList(model, frames, choose) {
	if (!frames)
		return element("p", { class: "unknown" }, "not known");
	const { function: functions, inlined } = model.data.frames;

	return element("ol", { class: "frames" }, frames.map((frame) => {
		const fn = functions[frame];

		return element("li", {},
			element("button", { type: "button", class: "name", title: "Open in the sandwich view",
				on: { click: () => choose(fn) } }, model.functionName(fn)),
			inlined[frame] ? element("em", {}, "inlined") : null,
			element("span", { class: "place" }, place(model, frame) || model.functionModule(fn)));
	}));
}

/* --- functions ---------------------------------------------------------------------------- */

const COLUMNS = [
	{ id: "total", label: "Total", number: true },
	{ id: "self", label: "Self", number: true },
	{ id: "name", label: "Function" },
	{ id: "module", label: "Module" },
	{ id: "file", label: "File" },
];

export class FunctionTable {
	constructor(host, model, choose) {
		Object.assign(this, { host, model, choose, by: "self", ascending: false, rows: ROWS });
	}

	value(row, column) {
		return column === "self" || column === "total" ? row[column] : row[column].toLowerCase();
	}

	collect(metric, found) {
		const { model } = this;

		return model.data.functions.name.map((_, fn) => ({ fn, ...model.functionTotals(metric, fn),
			name: model.functionName(fn), module: model.functionModule(fn),
			file: model.functionFile(fn) }))
			.filter((row) => (row.total || row.self) && (!found || found.has(row.fn)));
	}

	sort(rows) {
		const direction = this.ascending ? 1 : -1;

		return rows.sort((a, b) => {
			const [left, right] = [this.value(a, this.by), this.value(b, this.by)];

			return left < right ? -direction : left > right ? direction : a.fn - b.fn;
		});
	}

	sortBy(column) {
		this.ascending = this.by === column.id ? !this.ascending : !column.number;
		this.by = column.id;
		this.show(this.metric, this.found);
		this.host.querySelector(`th[data-column="${column.id}"] button`).focus();
	}

	heading(column) {
		const order = this.by !== column.id ? "none" : this.ascending ? "ascending" : "descending";

		return element("th", { scope: "col", "aria-sort": order, "data-column": column.id,
			class: column.number ? "number" : null },
		element("button", { type: "button", on: { click: () => this.sortBy(column) } }, column.label));
	}

	row(row, whole) {
		const { metric } = this;
		const number = (value) => element("td", { class: "number", title: exact(metric, value) },
			figure(metric, value),
			metric.signed ? null : element("small", {}, share(value, whole)));

		return element("tr", {}, number(row.total), number(row.self),
			element("td", {}, element("button", { type: "button", class: "name",
				title: "Open in the sandwich view", on: { click: () => this.choose(row.fn) } }, row.name)),
			element("td", {}, row.module), element("td", { class: "place" }, row.file));
	}

	show(metric, found) {
		Object.assign(this, { metric, found });
		const rows = this.sort(this.collect(metric, found));
		const whole = this.model.grandTotal(metric);

		fill(this.host, element("table", {},
			element("caption", {}, `${plural(rows.length, "function")}, ${metric.label.toLowerCase()}`),
			element("thead", {}, element("tr", {}, COLUMNS.map((column) => this.heading(column)))),
			element("tbody", {}, rows.slice(0, this.rows).map((row) => this.row(row, whole)))),
		more(rows.length - this.rows, "function", () => {
			this.rows = Infinity;
			this.show(metric, found);
		}));
	}
}

/* --- stacks ------------------------------------------------------------------------------- */

function stackFigures(model, stack) {
	return element("dl", { class: "figures" }, model.metrics.map((metric) => {
		const value = model.stackValue(metric, stack);

		return element("div", {}, element("dt", {}, metric.label),
			element("dd", { title: exact(metric, value) }, figure(metric, value)));
	}));
}

/* The innermost functions say what it is. */
function stackTitle(model, stack) {
	const names = (stack.frames ?? []).slice(0, 3)
		.map((frame) => model.functionName(model.data.frames.function[frame]));

	return names.length ? names.join(" \u2190 ") : "stack not known";
}

function stackItem(model, metric, stack, open, choose) {
	const value = model.stackValue(metric, stack);
	const whole = model.grandTotal(metric);

	return element("details", { class: "stack", open }, element("summary", {},
		element("b", { title: exact(metric, value) }, figure(metric, value)),
		element("small", {}, metric.signed ? "" : share(value, whole)),
		element("code", {}, stackTitle(model, stack))),
	stackFigures(model, stack),
	stack.merged > 1 ? element("p", { class: "remark" },
		`${count(stack.merged)} stacks through these functions; the lines are those of the largest.`)
		: null,
	frameList(model, stack.frames, choose));
}

export function showStacks(host, model, metric, found, choose, limit = STACKS) {
	const rank = (stack) => Math.abs(model.stackValue(metric, stack));
	const stacks = model.data.stacks.filter((stack) => rank(stack) > 0 && (!found ||
		(stack.frames ?? []).some((frame) => found.has(model.data.frames.function[frame]))))
		.sort((a, b) => rank(b) - rank(a));

	fill(host, stacks.length ? null : element("p", { class: "remark" }, "No stacks to show."),
		stacks.slice(0, limit).map((stack, i) => stackItem(model, metric, stack, i === 0, choose)),
		more(stacks.length - limit, "stack",
			() => showStacks(host, model, metric, found, choose, Infinity)),
		element("p", { class: "remark" }, `${plural(model.data.stacks.length, "stack")} of ` +
			`${count(model.data.totals.stacks)} are in this page, the largest by each measure.`));
}

/* --- errors ------------------------------------------------------------------------------- */

function hex(value) {
	return `0x${value}`;
}

function errorFacts(error, several) {
	const facts = [`${error.verb} of ${hex(error.address)} by thread ${error.thread}` +
		(several ? ` of process ${error.process}` : "") +
		(error.processes > 1 ? ` and of ${count(error.processes - 1)} more` : "")];

	if (error.signal)
		facts.push(`signal ${error.signal}`);
	if (error.found_late)
		facts.push("found after the fact");
	if (error.object !== "0")
		facts.push(`${error.nearest ? "nearest object" : "object"} of ${bytes(error.object_bytes)} ` +
			`at ${hex(error.object)}${error.freed ? ", freed" : ""}`);
	if (error.count > 1)
		facts.push(`seen ${plural(error.count, "time")}`);
	return facts.join(" \u00b7 ");
}

function errorStack(model, title, thread, frames, choose) {
	return element("div", { class: "of-three" },
		element("h3", {}, title, thread ? element("small", {}, `thread ${thread}`) : null),
		frameList(model, frames, choose));
}

export function showErrors(host, model, choose) {
	const { errors, errors_seen: seen, errors_left_out: left, process } = model.data;

	fill(host, errors.length ? null : element("p", { class: "remark" }, "No errors were found."),
		errors.map((error) => element("article", { class: "error" },
			element("h2", {}, error.kind),
			element("p", {}, errorFacts(error, process.processes.length > 1)),
			element("div", { class: "three" },
				errorStack(model, error.found_late ? "Found at" : "Access", 0, error.access, choose),
				errorStack(model, "Allocation", error.allocated_by_thread, error.alloc, choose),
				errorStack(model, "Free", error.freed_by_thread, error.free, choose)))),
		errors.length ? element("p", { class: "remark" }, `${plural(errors.length, "different error")}, ` +
			`seen ${plural(seen, "time")}${left ? `; ${count(left)} more ${left === 1 ? "is" : "are"} not in this page`
				: ""}.`) : null);
}

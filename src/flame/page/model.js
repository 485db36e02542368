/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * model.js - the tree of calls that the page was written with, and what can be asked of it.
 *
 * A parent has a smaller number than its children; node 0 is all
 * there is. Each has only its own values: those of stacks that end there. Sums are made here.
 */

const FIGURES = [
	{ id: "live_bytes", label: "Live bytes", bytes: true, column: 0 },
	{ id: "live_objects", label: "Live objects", bytes: false, column: 1 },
	{ id: "allocated_bytes", label: "Allocated bytes", bytes: true, column: 2 },
	{ id: "allocations", label: "Allocations", bytes: false, column: 3 },
];

const GROWTH = [
	{ id: "growth_bytes", label: "Growth, bytes", bytes: true, column: 0, signed: true },
	{ id: "growth_objects", label: "Growth, objects", bytes: false, column: 1, signed: true },
];

/* Of each node its own value and those of all below. */
function sums(self, parents) {
	const total = Float64Array.from(self);

	for (let i = total.length - 1; i > 0; i--)
		total[parents[i]] += total[i];
	return total;
}

export class Model {
	constructor(data) {
		this.data = data;
		this.comparing = Boolean(data.nodes.before);
		/* What is asked first when two stores are compared is what grew. */
		this.metrics = this.comparing ? [...GROWTH, ...FIGURES] : FIGURES;
		this.figures = FIGURES;
		this.parents = data.nodes.up.map((up, i) => i - up);
		this.modules = this.rankModules();
		this.views = new Map();
	}

	/* --- names ---------------------------------------------------------------------------- */

	text(index) {
		return index < 0 ? "" : this.data.strings[index];
	}

	functionName(fn) {
		return this.text(this.data.functions.name[fn]);
	}

	functionModule(fn) {
		return this.text(this.data.functions.module[fn]);
	}

	functionFile(fn) {
		return this.text(this.data.functions.file[fn]);
	}

	/* The function of a node; -1 for the root and for what was folded. */
	nodeFunction(i) {
		const code = this.data.nodes.function[i];

		return i === 0 || code < 0 ? -1 : code >> 1;
	}

	nodeInlined(i) {
		return i > 0 && this.data.nodes.function[i] >= 0 && (this.data.nodes.function[i] & 1) === 1;
	}

	/* Stacks that a node stands for, if it is of those folded away; else 0. */
	nodeFolded(i) {
		return i > 0 ? Math.max(0, -this.data.nodes.function[i]) : 0;
	}

	nodeName(i) {
		if (i === 0)
			return "all";
		const folded = this.nodeFolded(i);

		if (folded)
			return `(${folded} small ${folded === 1 ? "stack" : "stacks"} folded)`;
		return this.functionName(this.nodeFunction(i));
	}

	/* Modules by what is allocated under them, for colours: the first are told apart best. */
	rankModules() {
		const weight = new Map();
		const { module, self } = this.data.functions;

		module.forEach((name, fn) =>
			weight.set(name, (weight.get(name) ?? 0) + self[2][fn]));
		return new Map([...weight.keys()].sort((a, b) => weight.get(b) - weight.get(a))
			.map((name, rank) => [name, rank]));
	}

	/* --- figures -------------------------------------------------------------------------- */

	/*
	 * self and total of each node for drawing, and net: the same unless it is growth, which is
	 * drawn as wide as what changed, and says what that comes to.
	 */
	view(metric) {
		let view = this.views.get(metric.id);

		if (view)
			return view;
		const now = this.data.nodes.now[metric.column];

		if (!metric.signed) {
			const self = Float64Array.from(now);
			const total = sums(self, this.parents);

			view = { self, total, netSelf: self, net: total };
		} else {
			const before = this.data.nodes.before[metric.column];
			const netSelf = Float64Array.from(now, (value, i) => value - before[i]);
			const self = netSelf.map(Math.abs);

			view = { self, total: sums(self, this.parents), netSelf,
				net: sums(netSelf, this.parents) };
		}
		this.views.set(metric.id, view);
		return view;
	}

	/* Of a function everywhere: exact, whatever was folded. */
	functionTotals(metric, fn) {
		const { self, total, before_self: oldSelf, before_total: oldTotal } = this.data.functions;
		const of = (now, before) => now[metric.column][fn] -
			(metric.signed ? before[metric.column][fn] : 0);

		return { self: of(self, oldSelf), total: of(total, oldTotal) };
	}

	grandTotal(metric) {
		const { now, before } = this.data.totals;

		return now[metric.column] - (metric.signed ? before[metric.column] : 0);
	}

	stackValue(metric, stack) {
		return stack.now[metric.column] - (metric.signed ? stack.before[metric.column] : 0);
	}

	/* --- trees ---------------------------------------------------------------------------- */

	leaf(metric, i, name, fn) {
		return { i, name, fn, inlined: this.nodeInlined(i), folded: this.nodeFolded(i), value: 0,
			self: 0, net: 0, children: [] };
	}

	/* Largest first; what was folded comes last. */
	static order(node) {
		node.children.sort((a, b) => (a.folded > 0) - (b.folded > 0) || b.value - a.value ||
			a.i - b.i);
		node.children.forEach(Model.order);
		return node;
	}

	tree(metric) {
		const { self, total, net } = this.view(metric);
		const made = new Array(total.length);

		for (let i = 0; i < total.length; i++) {
			if (i > 0 && !(total[i] > 0))
				continue;
			const node = this.leaf(metric, i, this.nodeName(i), this.nodeFunction(i));

			node.value = total[i];
			node.self = self[i];
			node.net = net[i];
			made[i] = node;
			if (i > 0)
				made[this.parents[i]].children.push(node);
		}
		return Model.order(made[0]);
	}

	/* Nodes of a function that are not below another of the same: counted once in recursion. */
	occurrences(fn) {
		const inside = new Uint8Array(this.parents.length);
		const found = [];

		for (let i = 1; i < inside.length; i++) {
			const here = this.nodeFunction(i) === fn;

			if (here && !inside[this.parents[i]])
				found.push(i);
			inside[i] = here || inside[this.parents[i]];
		}
		return found;
	}

	merge(into, metric, i) {
		const { self, total, net } = this.view(metric);

		into.value += total[i];
		into.self += self[i];
		into.net += net[i];
	}

	/* What it calls, over all places where it occurs. */
	callees(metric, fn) {
		const children = this.childLists();
		const root = this.leaf(metric, 0, this.functionName(fn), fn);
		const fold = (node, places) => {
			const groups = new Map();

			for (const i of places) {
				this.merge(node, metric, i);
				for (const child of children[i]) {
					const key = this.data.nodes.function[child] < 0 ? -1 : this.nodeFunction(child);

					if (!groups.has(key))
						groups.set(key, []);
					groups.get(key).push(child);
				}
			}
			for (const group of groups.values())
				node.children.push(fold(this.mergedLeaf(metric, group), group));
			node.children = node.children.filter((child) => child.value > 0);
			return node;
		};

		return Model.order(fold(root, this.occurrences(fn)));
	}

	mergedLeaf(metric, group) {
		const node = this.leaf(metric, group[0], this.nodeName(group[0]), this.nodeFunction(group[0]));

		node.folded = group.reduce((sum, i) => sum + this.nodeFolded(i), 0);
		if (node.folded)
			node.name = `(${node.folded} small ${node.folded === 1 ? "stack" : "stacks"} folded)`;
		return node;
	}

	/* Who calls it, its caller first. */
	callers(metric, fn) {
		const root = this.leaf(metric, 0, this.functionName(fn), fn);
		const known = new Map([[root, new Map()]]);

		for (const place of this.occurrences(fn)) {
			let node = root;

			this.merge(node, metric, place);
			for (let i = this.parents[place]; i > 0; i = this.parents[i]) {
				const siblings = known.get(node);
				const caller = this.nodeFunction(i);
				let next = siblings.get(caller);

				if (!next) {
					next = this.leaf(metric, i, this.nodeName(i), caller);
					siblings.set(caller, next);
					known.set(next, new Map());
					node.children.push(next);
				}
				this.merge(next, metric, place);
				node = next;
			}
		}
		/* In this direction nothing is a caller's own. */
		for (const node of known.keys()) {
			node.self = 0;
			node.children = node.children.filter((child) => child.value > 0);
		}
		return Model.order(root);
	}

	childLists() {
		if (!this.children) {
			this.children = this.parents.map(() => []);
			for (let i = 1; i < this.parents.length; i++)
				this.children[this.parents[i]].push(i);
		}
		return this.children;
	}

	/* --- search --------------------------------------------------------------------------- */

	/*
	 * Functions whose name, module or file has the text, or matches it if it is /an
	 * expression/. NULL for an expression that is none.
	 */
	search(query) {
		const expression = query.length > 1 && query.match(/^\/(.*)\/$/);
		const wanted = query.toLowerCase();
		let matches;

		try {
			const compiled = expression && new RegExp(expression[1], "i");

			matches = (text) => compiled ? compiled.test(text) : text.toLowerCase().includes(wanted);
		} catch {
			return null;
		}
		const strings = this.data.strings.map(matches);
		const { name, module, file } = this.data.functions;
		const found = new Set();

		name.forEach((_, fn) => {
			if (strings[name[fn]] || strings[module[fn]] || strings[file[fn]])
				found.add(fn);
		});
		return found;
	}

	/* What lies in or below those functions, each byte counted once. */
	matched(metric, found) {
		const { total } = this.view(metric);
		const inside = new Uint8Array(total.length);
		let sum = 0;

		for (let i = 1; i < total.length; i++) {
			inside[i] = inside[this.parents[i]];
			if (!inside[i] && found.has(this.nodeFunction(i))) {
				inside[i] = 1;
				sum += total[i];
			}
		}
		return sum;
	}
}

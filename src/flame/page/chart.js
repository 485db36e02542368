/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * chart.js - d3-flame-graph, with what it leaves out: a keyboard, names for screen readers, colours
 * by module that follow the theme.
 *
 * The library draws a frame as an SVG group and redraws at each zoom and search. After each of
 * those, decorate() makes the groups the items of an ARIA tree, one of which is in the tab
 * order; the arrow keys go from there.
 */
import flamegraph from "d3-flame-graph";
import { select } from "d3-selection";

const CELL = 19;
const HUES = [35, 230, 155, 300, 95, 190, 0, 265, 125, 60];

/* So that neighbours can be told apart: -1, 0 or 1 from the name. */
function shade(name) {
	let hash = 0;

	for (let i = 0; i < name.length; i++)
		hash = (hash * 31 + name.charCodeAt(i)) | 0;
	return ((hash >>> 3) % 3) - 1;
}

function paint(light, dark) {
	return `light-dark(oklch(${light}), oklch(${dark}))`;
}

export function moduleColour(rank, name = "") {
	const step = 0.022 * shade(name);

	if (rank === undefined)
		return paint("0.9 0 0", "0.34 0 0");
	const hue = HUES[rank % HUES.length];

	return paint(`${(0.87 + step).toFixed(3)} 0.075 ${hue}`, `${(0.42 + step).toFixed(3)} 0.075 ${hue}`);
}

/* More is warm and less is cold; how much of what changed went one way is how strong. */
export function growthColour(net, value) {
	const strength = value > 0 ? Math.abs(net) / value : 0;
	const hue = net > 0 ? 30 : 250;

	return paint(`${(0.93 - 0.13 * strength).toFixed(3)} ${(0.13 * strength).toFixed(3)} ${hue}`,
		`${(0.33 + 0.14 * strength).toFixed(3)} ${(0.13 * strength).toFixed(3)} ${hue}`);
}

const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

export class Chart {
	/*
	 * options: down (the root is on top), label (of the whole), describe(node) for a screen
	 * reader, colour(node), tooltip {show(event, node), hide()}, and what to do on
	 * focus(node), zoom(path), choose(node).
	 */
	constructor(host, options) {
		this.host = host;
		this.options = options;
		this.library = null;
		this.found = null;
		this.focused = null;
		this.width = 0;
		host.addEventListener("keydown", (event) => this.key(event));
		host.addEventListener("focusin", (event) => this.focusIn(event));
		new ResizeObserver(() => this.resize()).observe(host);
	}

	build() {
		const tooltip = Object.assign(() => {}, this.options.tooltip, { destroy() {} });

		tooltip.show = (event, d) => this.options.tooltip.show(event, d.data, this.root.value);
		this.library = flamegraph()
			.width(this.width)
			.cellHeight(CELL)
			.inverted(this.options.down)
			.minFrameSize(1)
			.resetHeightOnZoom(true)
			.transitionDuration(calm.matches ? 0 : 180)
			.tooltip(tooltip)
			.setColorMapper((d) => d.highlight ? "var(--match)" : this.options.colour(d.data))
			.setSearchMatch((d) => Boolean(this.found?.has(d.data.fn)))
			.setSearchHandler(() => {})
			.onClick((d) => this.zoomed(d));
	}

	/* Draw another tree. Where the reader was is kept if it is there too. */
	show(root) {
		const place = this.zoom?.data.i ?? 0;

		this.root = root;
		this.zoom = null;
		this.focused = null;
		this.width = this.host.clientWidth;
		this.build();
		this.host.replaceChildren();
		if (!this.width || !(root.value > 0))
			return;
		select(this.host).datum(root).call(this.library);
		this.hierarchy = select(this.host).datum();
		if (this.found)
			this.library.search("found");
		const zoom = place && this.hierarchy.find((d) => d.data.i === place);

		if (zoom)
			this.library.zoomTo(zoom);
		else
			this.zoomed(this.hierarchy);
	}

	resize() {
		if (!this.root || this.host.clientWidth === this.width)
			return;
		if (!this.width || !this.hierarchy) {
			this.show(this.root);
			return;
		}
		this.width = this.host.clientWidth;
		if (this.width) {
			this.library.width(this.width).update();
			this.decorate();
		}
	}

	/* Functions to stand out; NULL for none. */
	search(found) {
		this.found = found;
		if (!this.hierarchy || !this.width)
			return;
		if (found)
			this.library.search("found");
		else
			this.library.clear();
		this.decorate();
	}

	zoomed(d) {
		this.zoom = d;
		this.focused = d;
		this.decorate();
		this.options.zoom(d.ancestors().reverse().map((ancestor) => ancestor.data));
	}

	zoomTo(node) {
		const d = this.hierarchy?.find((candidate) => candidate.data === node);

		if (d)
			this.library.zoomTo(d);
	}

	reset() {
		if (this.hierarchy)
			this.library.zoomTo(this.hierarchy);
	}

	/* --- for those who do not see it ------------------------------------------------------ */

	decorate() {
		const svg = select(this.host).select("svg");

		svg.attr("role", "tree").attr("aria-label", this.options.label())
			.classed("searched", Boolean(this.found));
		svg.select("text.title").remove();
		svg.selectAll("g.frame")
			.attr("role", "treeitem")
			.attr("aria-level", (d) => d.depth + 1)
			.attr("aria-label", (d) => this.options.describe(d.data, this.root.value))
			.attr("aria-selected", (d) => String(d === this.zoom))
			.attr("tabindex", (d) => d === this.focused ? 0 : -1)
			.classed("match", (d) => Boolean(d.highlight))
			.classed("folded", (d) => d.data.folded > 0);
	}

	group(d) {
		return select(this.host).selectAll("g.frame").filter((other) => other === d).node();
	}

	focus(d) {
		const node = d && this.group(d);

		if (node)
			node.focus({ preventScroll: false });
	}

	focusIn(event) {
		const d = select(event.target).datum();

		if (!d?.data)
			return;
		select(this.host).selectAll("g.frame[tabindex='0']").attr("tabindex", -1);
		event.target.setAttribute("tabindex", 0);
		this.focused = d;
		this.options.focus(d.data);
	}

	/* Frames that are drawn in the row of this one, from left to right. */
	row(d) {
		return select(this.host).selectAll("g.frame").data()
			.filter((other) => other.depth === d.depth).sort((a, b) => a.x0 - b.x0);
	}

	neighbour(d, step) {
		const row = this.row(d);

		return row[row.indexOf(d) + step];
	}

	inner(d) {
		return d.children?.find((child) => this.group(child));
	}

	key(event) {
		const d = this.focused;
		const ahead = this.options.down ? "ArrowDown" : "ArrowUp";
		const back = this.options.down ? "ArrowUp" : "ArrowDown";
		const moves = {
			[ahead]: () => this.focus(this.inner(d)),
			[back]: () => this.focus(d.parent),
			ArrowLeft: () => this.focus(this.neighbour(d, -1)),
			ArrowRight: () => this.focus(this.neighbour(d, 1)),
			Home: () => this.focus(this.hierarchy),
			Enter: () => this.zoomFocused(d),
			" ": () => this.zoomFocused(d),
			Escape: () => this.escape(event),
			s: () => d.data.fn >= 0 && this.options.choose(d.data),
		};

		if (!d || !moves[event.key] || event.ctrlKey || event.metaKey || event.altKey)
			return;
		event.preventDefault();
		this.options.tooltip.hide();
		moves[event.key]();
	}

	zoomFocused(d) {
		this.library.zoomTo(d);
		this.focus(d);
	}

	/* Out again; once out, the key is for the page, which ends a search. */
	escape(event) {
		if (this.zoom === this.hierarchy)
			return;
		event.stopPropagation();
		this.zoomFocused(this.hierarchy);
	}
}

/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* dom.js - elements from names, attributes and texts; never from markup, as names are hostile. */

export function element(tag, attributes, ...children) {
	const node = document.createElement(tag);

	for (const [name, value] of Object.entries(attributes ?? {})) {
		if (name === "on")
			for (const [event, handler] of Object.entries(value))
				node.addEventListener(event, handler);
		else if (value === true)
			node.setAttribute(name, "");
		else if (value !== false && value !== undefined && value !== null)
			node.setAttribute(name, value);
	}
	node.append(...children.flat().filter((child) => child !== null && child !== undefined));
	return node;
}

export function byId(id) {
	return document.getElementById(id);
}

/* Of a page with a field to search in: / goes there, Escape empties it. */
export function prepareSearch(search) {
	const field = byId("search");

	field.addEventListener("input", search);
	document.addEventListener("keydown", (event) => {
		if (event.key === "/" && !event.target.matches("input")) {
			event.preventDefault();
			field.focus();
			field.select();
		} else if (event.key === "Escape" && field.value) {
			field.value = "";
			search();
		}
	});
}

/* A row of tabs: "tab-ID" opens "panel-ID", arrows go from one to the next. OPENED is told; returns what opens one. */
export function prepareTabs(views, opened) {
	const names = views.map(([id]) => id);
	let current = null;
	const open = (name) => {
		const last = current;

		current = name;
		for (const id of names) {
			byId(`panel-${id}`).hidden = id !== name;
			byId(`tab-${id}`).setAttribute("aria-selected", String(id === name));
			byId(`tab-${id}`).tabIndex = id === name ? 0 : -1;
		}
		opened(name, last);
	};
	const keydown = (event) => {
		const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];

		if (!step)
			return;
		event.preventDefault();
		open(names[(names.indexOf(current) + step + names.length) % names.length]);
		byId(`tab-${current}`).focus();
	};

	for (const [id, label] of views) {
		byId("tabs").append(element("button", { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `panel-${id}`,
			on: { click: () => open(id), keydown } }, label));
		byId(`panel-${id}`).setAttribute("role", "tabpanel");
		byId(`panel-${id}`).setAttribute("aria-labelledby", `tab-${id}`);
	}
	return open;
}

export function fill(node, ...children) {
	node.replaceChildren(...children.flat().filter((child) => child !== null));
}

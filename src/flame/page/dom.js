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

export function fill(node, ...children) {
	node.replaceChildren(...children.flat().filter((child) => child !== null));
}

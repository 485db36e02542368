/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* theme.js - light and dark, as the system has it until somebody chooses. */
import { byId } from "./dom.js";

export function prepareTheme() {
	const button = byId("theme");
	const system = window.matchMedia("(prefers-color-scheme: dark)");
	let dark = system.matches;
	const label = () => {
		button.textContent = dark ? "Light" : "Dark";
		button.setAttribute("aria-label", dark ? "Go over to light" : "Go over to dark");
	};

	system.addEventListener("change", () => {
		if (document.documentElement.dataset.theme)
			return;
		dark = system.matches;
		label();
	});
	button.addEventListener("click", () => {
		dark = !dark;
		document.documentElement.dataset.theme = dark ? "dark" : "light";
		label();
	});
	label();
}

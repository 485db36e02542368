/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* line.js - values over time, as a line from zero, so that heights are as values. */
import { bytes } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";

export function line(values, width, height, kind) {
	const most = Math.max(...values, 1);
	const x = (i) => values.length < 2 ? width : (i * width) / (values.length - 1);
	const y = (value) => height - 1 - ((height - 2) * value) / most;
	const drawing = document.createElementNS(SVG, "svg");
	const points = document.createElementNS(SVG, "polyline");
	const drawn = values.length === 1 ? [values[0], values[0]] : values;

	drawing.setAttribute("class", kind);
	drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
	drawing.setAttribute("preserveAspectRatio", "none");
	drawing.setAttribute("role", "img");
	drawing.setAttribute("aria-label", values.length ? `from ${bytes(values[0])} to ${bytes(values.at(-1))}, ` +
		`at most ${bytes(Math.max(...values))}` : "nothing yet");
	points.setAttribute("points", drawn.map((value, i) =>
		`${(values.length === 1 ? i * width : x(i)).toFixed(1)},${y(value).toFixed(1)}`).join(" "));
	drawing.append(points);
	return drawing;
}

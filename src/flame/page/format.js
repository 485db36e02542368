/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* format.js - figures as people read them, and exactly. */

const UNITS = ["", "KiB", "MiB", "GiB", "TiB"];
const MINUS = "\u2212";

/* As text_bytes() of the command line tool has them. */
export function bytes(value) {
	let unit = 0;

	while (Math.abs(value) >= 1024 && unit + 1 < UNITS.length) {
		value /= 1024;
		unit++;
	}
	if (!unit)
		return Math.abs(Math.round(value)) === 1 ? `${Math.round(value)} byte` : `${Math.round(value)} bytes`;
	return `${value.toFixed(1)} ${UNITS[unit]}`;
}

/* Thousands are set apart; nothing here depends on the reader's language. */
export function count(value) {
	return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

function signed(text, value) {
	return value > 0 ? `+${text}` : value < 0 ? MINUS + text.replace("-", "") : text;
}

/* A figure of a metric, short. */
export function figure(metric, value) {
	const text = metric.bytes ? bytes(value) : count(value);

	return metric.signed ? signed(text, value) : text;
}

/* The same to the last digit. */
export function exact(metric, value) {
	const text = count(value);

	return (metric.signed ? signed(text, value) : text) +
		(!metric.bytes ? "" : Math.abs(Math.round(value)) === 1 ? " byte" : " bytes");
}

export function share(part, whole) {
	const percent = whole > 0 ? (100 * part) / whole : 0;

	return percent > 0 && percent < 0.1 ? "< 0.1 %" : `${percent.toFixed(1)} %`;
}

export function plural(number, one, many) {
	return `${count(number)} ${number === 1 ? one : many ?? one + "s"}`;
}

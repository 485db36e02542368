// SPDX-License-Identifier: GPL-2.0-only OR MIT
//
// build.mjs OUT.html OUT.c - put the pages together, from the directory with node_modules.
//
// OUT.html is the page of `flame`, with a slot for the data; OUT.c has that page and the agent's, each as
// two strings, what comes before the slot and what after. Sources are found next to this file.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const source = path.dirname(fileURLToPath(import.meta.url));
const modules = path.join(process.cwd(), "node_modules");
const esbuild = createRequire(path.join(modules, "index.js"))("esbuild");

async function bundle(name, options) {
	const result = await esbuild.build({
		entryPoints: [path.join(source, name)],
		nodePaths: [modules],
		bundle: true,
		minify: true,
		write: false,
		metafile: true,
		charset: "ascii",
		legalComments: "none",
		target: ["chrome123", "firefox120", "safari17.5"],
		...options,
	});

	return { text: result.outputFiles[0].text.trimEnd(), inputs: Object.keys(result.metafile.inputs) };
}

/* Each package that went into the page, with its licence; equal texts once. */
function licences(inputs) {
	const packages = new Map();

	for (const input of inputs) {
		const name = input.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1];

		if (!name)
			continue;
		const about = JSON.parse(readFileSync(path.join(modules, name, "package.json"), "utf8"));
		const text = readFileSync(path.join(modules, name, "LICENSE"), "utf8").trim();
		const titles = packages.get(text) ?? new Set();

		packages.set(text, titles.add(`${name} ${about.version} (${about.license})`));
	}
	return [...packages].map(([text, titles]) => `${[...titles].sort().join(", ")}\n\n${text}`)
		.join("\n\n----\n\n");
}

function escapeMarkup(text) {
	return text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}

function policyHash(text) {
	return `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`;
}

function fillIn(template, slots) {
	return template.replace(/@([A-Z]+)@/g, (slot, name) => slots[name] ?? slot);
}

/* As C has it, in lines of a length that compilers and people bear. */
function cString(name, text) {
	const lines = [...Buffer.from(text, "utf8").toString("latin1").matchAll(/[^]{1,120}/g)]
		.map(([part]) => `\t"${part.replace(/[\\"?]|[^ -~]/g, (byte) =>
			`\\${byte.charCodeAt(0).toString(8).padStart(3, "0")}`)}"`);

	return `const char ${name}[] =\n${lines.join("\n")};\n`;
}

async function build(template, entry) {
	const script = await bundle(entry, { format: "iife", loader: { ".css": "empty" } });
	const style = await bundle("page.css", {});

	if (/<\/(script|style)|<!--/i.test(script.text + style.text))
		throw new Error("the bundle would end its own element");
	return fillIn(readFileSync(path.join(source, template), "utf8"), {
		POLICY: `default-src 'none'; script-src ${policyHash(script.text)}; ` +
			`style-src ${policyHash(style.text)}; base-uri 'none'; form-action 'none'`,
		STYLE: style.text,
		SCRIPT: script.text,
		LICENCES: escapeMarkup(licences(script.inputs)),
	});
}

function cPage(name, page) {
	const [head, tail, ...more] = page.split("@DATA@");

	if (tail === undefined || more.length)
		throw new Error("a page wants one slot for data");
	return `${cString(`${name}_page_head`, head)}\n${cString(`${name}_page_tail`, tail)}`;
}

const [pageName, codeName] = process.argv.slice(2);
const flame = await build("page.html", "main.js");
const agent = await build("agent.html", "agent.js");

writeFileSync(pageName, flame);
writeFileSync(codeName, "/* SPDX-License-Identifier: GPL-2.0-only OR MIT */\n" +
	"/* Made by build.mjs. */\n#include \"page.h\"\n\n" +
	`${cPage("flame", flame)}\n${cPage("agent", agent)}`);

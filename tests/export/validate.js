// SPDX-License-Identifier: GPL-2.0-only OR MIT
// node validate.js READERS SCHEMA FILE: does FILE fit the schema, in ajv's opinion?
"use strict";
const fs = require("fs");
const [readers, schema, file] = process.argv.slice(2);
const load = (path) => JSON.parse(fs.readFileSync(path, "utf8"));
const draft = /2020-12/.test(load(schema).$schema) ? "ajv/dist/2020" : "ajv";
const { default: Ajv } = require(require.resolve(draft, { paths: [readers] }));
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
const validate = ajv.compile(load(schema));

if (!validate(load(file))) {
	console.error(JSON.stringify(validate.errors.slice(0, 5), null, 1));
	process.exit(1);
}
console.log("valid");

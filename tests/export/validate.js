// SPDX-License-Identifier: GPL-2.0-only OR MIT
// node validate.js READERS SCHEMA FILE: does FILE fit the schema, in ajv's opinion?
"use strict";
const fs = require("fs");
const [readers, schema, file] = process.argv.slice(2);
const Ajv = require(require.resolve("ajv", { paths: [readers] }));

const load = (path) => JSON.parse(fs.readFileSync(path, "utf8"));
const ajv = new Ajv({ strict: false, allErrors: true });
const validate = ajv.compile(load(schema));

if (!validate(load(file))) {
	console.error(JSON.stringify(validate.errors.slice(0, 5), null, 1));
	process.exit(1);
}
console.log("valid");

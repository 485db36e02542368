// SPDX-License-Identifier: GPL-2.0-only OR MIT
// node pprof-format.js READERS FILE: stacks and values of a gzipped profile, as pprof-format reads it.
"use strict";
const fs = require("fs");
const zlib = require("zlib");
const [readers, file] = process.argv.slice(2);
const { Profile } = require(require.resolve("pprof-format", { paths: [readers] }));

const profile = Profile.decode(zlib.gunzipSync(fs.readFileSync(file)));
const text = (index) => profile.stringTable.strings[Number(index)];
const byId = (list) => new Map(list.map((item) => [Number(item.id), item]));
const locations = byId(profile.location);
const functions = byId(profile.function);
const mappings = byId(profile.mapping);

const names = (id) => {
	const location = locations.get(Number(id));
	const mapping = mappings.get(Number(location.mappingId));
	if (!location.line.length)
		return [`${text(mapping.filename).split("/").pop()} 0x${location.address.toString(16)}`];
	return location.line.map((line) => text(functions.get(Number(line.functionId)).name));
};
console.log(JSON.stringify({
	types: profile.sampleType.map((type) => `${text(type.type)}/${text(type.unit)}`),
	default: text(profile.defaultSampleType),
	comments: profile.comment.map(text),
	mappings: profile.mapping.map((mapping) => [text(mapping.filename), text(mapping.buildId)]),
	samples: profile.sample.map((sample) =>
		[sample.locationId.flatMap(names), sample.value.map(Number)]),
}));

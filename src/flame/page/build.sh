#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# build.sh SOURCE WORK OUT.html OUT.c needed|wanted [MODULES] - fetch the libraries into WORK, and bundle.
#
# What npm fetches is what package-lock.json says, by its hashes, and nothing of it is run but
# esbuild. With MODULES, a directory that has them in node_modules, nothing is fetched, and esbuild may
# be the system's. If that fails and the page is only wanted, OUT.c has an empty one.
set -u
source=$(realpath "$1") work=$2 html=$(realpath -m "$3") code=$(realpath -m "$4") how=$5 modules=${6-}

fetch() {
	mkdir -p "$work" && cp "$source/package.json" "$source/package-lock.json" "$work" &&
		cd "$work" &&
		npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 \
			--fetch-retry-mintimeout=1000 --fetch-timeout=30000
}

build() {
	if [ -z "$modules" ]; then
		fetch
	else
		# Where the system has modules, node tells only scripts that are none.
		NODE_PATH=${NODE_PATH:-$(node -p 'require("module").globalPaths.join(":")')}
		export NODE_PATH
		cd "$modules"
	fi && node "$source/build.mjs" "$html" "$code"
}

if log=$(build 2>&1); then
	exit 0
fi
printf '%s\n' "$log" | tail -5
if [ "$how" = needed ]; then
	exit 1
fi
echo "stackdepot flame will have no page; meson -Dflame=disabled does without this message"
: >"$html"
cp "$source/no_page.c" "$code"

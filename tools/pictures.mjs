// SPDX-License-Identifier: GPL-2.0-only OR MIT
//
// pictures.mjs NAME URL FILE - one picture of the documents, for tools/pictures.
import { finish, open } from "./page.mjs";

const [name, url, file] = process.argv.slice(2);
const SIZES = { agent: [1200, 420], fleet: [1200, 900], flame: [1200, 840], top: [1160, 580] };
const PATIENCE = { timeout: 120000 };
const ways = {
	async agent(page) {
		await page.locator('button[data-service="redis"]').click(PATIENCE);
	},
	async fleet(page) {
		await page.locator("#fleet-said").filter({ hasText: "Asked at" }).waitFor(PATIENCE);
		await page.locator("#fleet-growth button[data-stack]").first().click(PATIENCE);
		await page.locator(".trend").waitFor(PATIENCE);
	},
	async flame(page) {
		await page.locator("#flame g.frame").filter({ hasText: /sqlite3_step|executemany|scan_once/ }).first().hover({ force: true, ...PATIENCE });
	},
	async top() {},
};
const page = await open(name === "fleet" ? `${url}#fleet` : url);
const [width, height] = SIZES[name];

await page.setViewportSize({ width, height });
await ways[name](page);
await page.screenshot({ path: file });
await finish();

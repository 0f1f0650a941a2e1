// A page looked at in every way it is shown: axe finds nothing, nothing hangs over the edge, no script fails.
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fitsWidth, openPage, violations } from './browser.mjs';

/** Where pictures of what was looked at are put. */
const SHOTS = process.env.SHOTS ?? (await mkdtemp(join(tmpdir(), 'netwark-shots-')));
const WAYS = [
	['wide', 'light'],
	['wide', 'dark'],
	['phone', 'light']
];

/** Looks at one page in every way it is shown. */
export async function inspect(browser, { name, url, ready, cookie, ways = WAYS }) {
	for (const [screen, theme] of ways) {
		const { page, faults, context } = await openPage(browser, { cookie, screen, theme });
		await page.goto(url);
		await page.getByText(ready).first().waitFor();
		await page.evaluate(() => document.fonts.ready);
		const where = `${name}, ${screen}, ${theme}`;
		assert.deepEqual(await violations(page), [], where);
		assert.ok(await fitsWidth(page), `${where}: something hangs over the edge`);
		assert.deepEqual(faults, [], where);
		await page.screenshot({ path: join(SHOTS, `${name}-${screen}-${theme}.png`), fullPage: true });
		await context.close();
	}
}

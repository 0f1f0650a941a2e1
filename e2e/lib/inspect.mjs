// A page looked at in every way it is shown: axe finds nothing, nothing hangs over the edge, no script fails.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fitsWidth, openPage, violations } from './browser.mjs';

/** Where pictures of what was looked at are put, if anybody wants them. */
const { SHOTS } = process.env;

/** What only colours decide, and so what the dark theme may get wrong where the light one is right. */
const COLOURS = ['color-contrast', 'link-in-text-block'];

/** What the page has asked for and not been answered yet. */
function watchRequests(page) {
	const asked = new Set();
	page.on('request', (request) => asked.add(request.url()));
	for (const end of ['requestfinished', 'requestfailed']) page.on(end, (request) => asked.delete(request.url()));
	return asked;
}

/** Looks at one page in every way it is shown. */
export async function inspect(browser, { name, url, ready, cookie, screens = ['wide', 'phone'] }) {
	for (const screen of screens) {
		const { page, faults, context } = await openPage(browser, { cookie, screen });
		const asked = watchRequests(page);
		await page.goto(url);
		await page
			.getByText(ready)
			.first()
			.waitFor()
			.catch(async (error) => {
				const shown = await page.locator('body').innerText();
				const missing = `${name}, ${screen}: waited in vain for ${ready}`;
				throw new Error(`${missing}; unanswered: ${[...asked]}; faults: ${faults}; shown: ${shown}`, {
					cause: error
				});
			});
		await page.evaluate(() => document.fonts.ready);
		const look = async (theme, rules) => {
			const where = `${name}, ${screen}, ${theme}`;
			assert.deepEqual(await violations(page, rules), [], where);
			assert.ok(await fitsWidth(page), `${where}: something hangs over the edge`);
			assert.deepEqual(faults, [], where);
			if (SHOTS)
				await page.screenshot({ path: join(SHOTS, `${name}-${screen}-${theme}.png`), fullPage: true });
		};
		await look('light');
		if (screen === 'wide') {
			await page.emulateMedia({ colorScheme: 'dark' });
			await look('dark', COLOURS);
		}
		await context.close();
	}
}

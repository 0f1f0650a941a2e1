// A page looked at in every way it is shown: axe finds nothing, nothing hangs over the edge, no script fails.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fitsWidth, openPage, SCREENS, violations } from './browser.mjs';

/** Where pictures of what was looked at are put, if anybody wants them. */
const { SHOTS } = process.env;

/** What the page has asked for and not been answered yet. */
function watchRequests(page) {
	const asked = new Set();
	page.on('request', (request) => asked.add(request.url()));
	for (const end of ['requestfinished', 'requestfailed'])
		page.on(end, (request) => asked.delete(request.url()));
	return asked;
}

/** Looks at one page in every way it is shown; at a phone's width only if `narrow`. */
export async function inspect(browser, { name, url, ready, cookie, narrow = true }) {
	const { page, faults, context } = await openPage(browser, { cookie });
	const asked = watchRequests(page);
	await page.goto(url);
	await page
		.getByText(ready)
		.first()
		.waitFor()
		.catch(async (error) => {
			const shown = await page.locator('body').innerText();
			const missing = `${name}: waited in vain for ${ready}`;
			throw new Error(`${missing}; unanswered: ${[...asked]}; faults: ${faults}; shown: ${shown}`, {
				cause: error
			});
		});
	await page.evaluate(() => document.fonts.ready);
	const look = async (how, colours) => {
		const where = `${name}, ${how}`;
		assert.deepEqual(await violations(page, colours), [], where);
		assert.ok(await fitsWidth(page), `${where}: something hangs over the edge`);
		assert.deepEqual(faults, [], where);
		if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}-${how}.png`), fullPage: true });
	};
	await look('wide-light');
	await page.emulateMedia({ colorScheme: 'dark' });
	await look('wide-dark', 'only');
	if (narrow) {
		await page.emulateMedia({ colorScheme: 'light' });
		await page.setViewportSize(SCREENS.phone.viewport);
		await look('phone-light', 'without');
	}
	await context.close();
}

// Debian's Chromium, driven by Playwright, with an eye on everything that goes wrong in a page.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** One mistake in a list repeats for every row; so many are enough to see it. */
const MOST_LINES = 6;

/** How wide and high, and whether touched or clicked. */
export const SCREENS = {
	wide: { viewport: { width: 1360, height: 900 } },
	phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }
};

export async function openBrowser() {
	return chromium.launch({
		executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium-headless-shell',
		args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update']
	});
}

/** A page of a browser that knows nothing yet. `faults` gathers errors of scripts and refused loads. */
export async function openPage(browser, { cookie, screen = 'wide', theme = 'light' } = {}) {
	const context = await browser.newContext({
		...SCREENS[screen],
		colorScheme: theme,
		locale: 'en-GB',
		permissions: []
	});
	// Long, since other tests keep the processors busy for seconds at a time; nothing is measured by it.
	context.setDefaultTimeout(30_000);
	if (cookie) await context.addCookies([cookie]);
	const page = await context.newPage();
	const faults = [];
	page.on('pageerror', (error) => faults.push(error.message));
	page.on('console', (message) => {
		// A refused request shows up here, too; tests that provoke one look at the page instead.
		const refused = message.text().startsWith('Failed to load resource');
		if (message.type() === 'error' && !refused) faults.push(message.text());
	});
	return { page, faults, context };
}

/** What colours alone decide: the costliest rules, and the only ones that a dark theme may break where the light one is right. */
const COLOURS = ['color-contrast', 'link-in-text-block'];

/**
 * What axe finds wrong with the page as it stands, one line each: by all rules, those of colours alone (`only`), or all
 * but those (`without`), for a page whose colours were looked at already.
 */
export async function violations(page, colours = 'too') {
	// Evaluated by the debugger, so that the page's own policy for scripts stays as it is.
	await page.evaluate(`globalThis.axe || (() => {${AXE}})()`);
	const rules =
		colours === 'without' && Object.fromEntries(COLOURS.map((rule) => [rule, { enabled: false }]));
	const { violations: found } = await page.evaluate((options) => globalThis.axe.run(options), {
		resultTypes: ['violations'],
		...(colours === 'only' && { runOnly: COLOURS }),
		...(rules && { rules })
	});
	const lines = found.flatMap((one) =>
		one.nodes.map((node) => `${one.id}: ${node.target.join(' ')} (${node.failureSummary})`)
	);
	return lines.slice(0, MOST_LINES);
}

/** True when nothing has to be scrolled sideways to be seen. */
export function fitsWidth(page) {
	return page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);
}

// Below a path of another site, as a reverse proxy serves it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, openPage } from '../lib/browser.mjs';
import { startProxy } from '../lib/proxy.mjs';
import { PASSWORD, startServer } from '../lib/server.mjs';

let browser;
before(async () => {
	browser = await openBrowser();
});
after(() => browser?.close());

for (const keeps of [true, false]) {
	test(`everything is below the path when the proxy ${keeps ? 'passes it on' : 'takes it away'}`, async (t) => {
		let server;
		const proxy = await startProxy('/netwark', { keeps, server: () => server.url });
		t.after(() => proxy.stop());
		server = await startServer({ NETWARK_SERVER__PUBLIC_URLS: proxy.url });
		t.after(() => server.stop());
		assert.ok(server.setupLink.startsWith(`${proxy.url}/setup#code=`), server.setupLink);

		const { page, faults } = await openPage(browser);
		await page.goto(server.setupLink);
		await page.getByLabel('Password').fill(PASSWORD);
		await page.getByRole('button', { name: 'Begin' }).click();
		await page.getByRole('heading', { name: 'Overview' }).waitFor();
		assert.equal(page.url(), `${proxy.url}/`);

		await page.getByRole('button', { name: 'Ping 127.0.0.1' }).click();
		await page.getByRole('heading', { name: /ping\s+127\.0\.0\.1/ }).waitFor();
		await page.getByRole('status').filter({ hasText: 'Live' }).first().waitFor();
		assert.ok(page.url().startsWith(`${proxy.url}/operations/`), page.url());

		await page.getByRole('link', { name: 'Workers' }).first().click();
		await page.getByRole('heading', { name: 'Workers', exact: true }).waitFor();
		assert.equal(page.url(), `${proxy.url}/workers`);
		assert.equal(
			await page
				.locator('a[aria-current=page]')
				.first()
				.textContent()
				.then((text) => text.trim()),
			'Workers'
		);
		await page.reload();
		await page.getByRole('heading', { name: 'Workers', exact: true }).waitFor();

		const links = await page
			.locator('a[href^="/"]')
			.evaluateAll((all) => all.map((a) => a.getAttribute('href')));
		assert.deepEqual(
			links.filter((link) => !link.startsWith('/netwark')),
			[]
		);

		await page.goto(`${proxy.url}/api/docs`);
		await page.getByText('/operations/{id}/cancel').first().waitFor();

		await page.goto(`${proxy.url}/workers`);
		await page.getByRole('button', { name: 'Sign out' }).first().click();
		await page.getByRole('heading', { name: 'Sign in' }).waitFor();
		assert.ok(page.url().startsWith(`${proxy.url}/login`), page.url());
		assert.deepEqual(proxy.strays, []);
		assert.deepEqual(faults, []);
	});
}

import { expect, it } from 'vitest';
import { newAddress } from './old-addresses.ts';

it('older addresses of pages lead to the new ones', () => {
	expect(newAddress('whois/example.org')?.query).toBe('?q=example.org');
	expect(newAddress('whois/2001:db8::/32')?.query).toBe('?q=2001%3Adb8%3A%3A%2F32');
	expect(newAddress('ipcalc')?.href).toMatch(/^\/lookups(\/ip-calc)?$/);
	expect(newAddress('mac-oui')).toMatchObject({ href: expect.stringMatching(/^\/lookups/), query: '' });
	expect(newAddress('shoes')).toBeUndefined();
	expect(newAddress('')).toBeUndefined();
	expect(newAddress('constructor')).toBeUndefined();
});

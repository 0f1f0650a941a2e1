import type { Role } from '../api/types.ts';

/** The roles, weakest first, and what each may do in a few words. */
export const roles: { name: Role; may: string }[] = [
	{ name: 'viewer', may: 'sees everything' },
	{ name: 'operator', may: 'also runs measurements' },
	{ name: 'admin', may: 'also manages users and tokens' }
];

import type { TlsSession } from '../api/types.ts';

/** What the stapled OCSP answer says, and whether that is to be believed. */
export function stapleWords(staple: TlsSession['ocsp']): string {
	if (!staple) return 'none';
	if (staple.trusted) return `${staple.status}, signed by the authority`;
	if (staple.problem) return `${staple.status}, not to be trusted: ${staple.problem}`;
	return staple.status;
}

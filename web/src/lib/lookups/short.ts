import { api } from '../api/client.ts';
import type { Known, PartName } from '../api/types.ts';

/** What a short answer is made of: nothing that a registry is asked for. */
const PARTS: PartName[] = ['special', 'vendor', 'geoip', 'system', 'ptr', 'addresses'];
/** How long an answer is good for, in milliseconds. */
const KEPT_MS = 10 * 60_000;
const MOST = 500;

const answers = new Map<string, { at: number; known: Promise<Known> }>();

/** The short answer about anything; asked once, then kept for a while. A failure is not kept. */
export function shortAnswer(value: string, now = Date.now()): Promise<Known> {
	const kept = answers.get(value);
	if (kept && now - kept.at < KEPT_MS) return kept.known;
	const known = api().lookUpParts(value, PARTS);
	answers.delete(value);
	answers.set(value, { at: now, known });
	known.catch(() => answers.delete(value));
	const [oldest] = answers.keys();
	if (answers.size > MOST && oldest !== undefined) answers.delete(oldest);
	return known;
}

import type { PlannedAddress } from '../api/types.ts';

/** What a cell of the address plan says. */
export type CellState = 'free' | 'unswept' | 'seen' | 'known' | 'denied' | 'worker' | 'gone';

/** One address of a plan. */
export interface Cell {
	address: string;
	/** Its last number. */
	host: number;
	state: CellState;
	used: PlannedAddress | undefined;
}

/** The number of an IPv4 address; none for anything else. */
export function toNumber(address: string): number | undefined {
	const parts = address.split('.').map(Number);
	if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) return;
	return parts.reduce((sum, part) => sum * 256 + part, 0);
}

export function toAddress(number: number): string {
	return [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join('.');
}

/** The /24 networks of prefixes of IPv4, at most so many; a smaller prefix is shown within its /24. */
export function blocks(prefixes: string[], most = 256): string[] {
	const found: string[] = [];
	for (const prefix of prefixes) {
		const [address = '', length = '32'] = prefix.split('/');
		const first = toNumber(address);
		if (first === undefined) continue;
		const size = 2 ** (32 - Number(length));
		for (let at = first - (first % 256); at < first + size && found.length < most; at += 256) {
			const block = `${toAddress(at)}/24`;
			if (!found.includes(block)) found.push(block);
		}
	}
	return found;
}

/** The first and the last address of a prefix of IPv4. */
function range(prefix: string): [number, number] | undefined {
	const [address = '', length = '32'] = prefix.split('/');
	const first = toNumber(address);
	return first === undefined ? undefined : [first, first + 2 ** (32 - Number(length)) - 1];
}

/** Whether a sweep of these prefixes asks for an address: a network's own and the broadcast address are nobody's. */
function swept(prefixes: string[], exclude: string[]): (address: number) => boolean {
	const read = (list: string[]) => list.map(range).filter((one) => one !== undefined);
	const [asked, left] = [read(prefixes), read(exclude)];
	return (address) =>
		asked.some(([first, last]) =>
			last - first < 2 ? first <= address && address <= last : first < address && address < last
		) && !left.some(([first, last]) => first <= address && address <= last);
}

/** Every address of a /24, with who has it; what is swept of it lies in the prefixes. */
export function cells(
	block: string,
	used: PlannedAddress[],
	prefixes: string[] = [block],
	exclude: string[] = []
): Cell[] {
	const isSwept = swept(prefixes, exclude);
	const first = toNumber(block.split('/')[0] ?? '') ?? 0;
	const known = new Map(used.map((one) => [one.address, one]));
	return Array.from({ length: 256 }, (_, host) => {
		const address = toAddress(first + host);
		const one = known.get(address);
		return { address, host, state: stateOf(one, isSwept(first + host)), used: one };
	});
}

function stateOf(used: PlannedAddress | undefined, isSwept: boolean): CellState {
	if (!used) return isSwept ? 'free' : 'unswept';
	if (!used.current) return 'gone';
	if (used.access === 'unknown') return 'seen';
	return used.access;
}

export const cellWords: Record<CellState, string> = {
	free: 'Free',
	unswept: 'Not swept',
	seen: 'Seen, unknown',
	known: 'Known',
	denied: 'Denied',
	worker: 'Worker',
	gone: 'Used before'
};

import type { MacVendor } from '../api/types.ts';

/** A line with blanks that holds an address, such as one of `arp -a`. */
const WITH_ADDRESS = /[0-9a-f]{1,4}[:.-][0-9a-f]{1,4}[:.-][0-9a-f]{1,4}/i;

/** What was typed or pasted as the questions it holds: whole lines, and lines to search for addresses. */
export function questionsOf(text: string): { resources: string[]; text: string } {
	const lines = text
		.split('\n')
		.map((line) => line.trim())
		.filter(Boolean);
	const mixed = (line: string) => /\s/.test(line) && WITH_ADDRESS.test(line);
	return { resources: lines.filter((line) => !mixed(line)), text: lines.filter(mixed).join('\n') };
}

/** True when it is one question, which can stand in an address. */
export function isOne(text: string): boolean {
	const { resources, text: mixed } = questionsOf(text);
	return resources.length === 1 && mixed === '';
}

const slaps: Record<NonNullable<MacVendor['slap']>, string> = {
	aai: 'Assigned by whoever runs the network (AAI)',
	eli: 'Begins with a company identifier (ELI)',
	sai: 'Assigned by a protocol (SAI)',
	reserved: 'Of the reserved kind'
};

/** What the bits of an address say, each in a few words. */
export function notesOf(answer: MacVendor): string[] {
	const notes: string[] = [];
	if (answer.randomised) notes.push('Locally administered, probably randomised');
	else if (answer.local) notes.push('Locally administered');
	if (answer.local && answer.slap && answer.slap !== 'aai') notes.push(slaps[answer.slap]);
	if (answer.multicast) notes.push(answer.known?.kind === 'group' ? 'Group' : 'Multicast');
	return notes;
}

/** What an address is known for, in a line. */
export function meaningOf({ known }: MacVendor): string {
	if (!known) return '';
	return known.detail ? `${known.name}: ${known.detail}` : known.name;
}

/** The registries, and how many addresses a block of each has. */
export const registries: Record<NonNullable<MacVendor['registry']>, string> = {
	'MA-L': 'large block, 16,777,216 addresses',
	'MA-M': 'medium block, 1,048,576 addresses',
	'MA-S': 'small block, 4,096 addresses',
	IAB: 'individual address block, 4,096 addresses',
	CID: 'company identifier'
};

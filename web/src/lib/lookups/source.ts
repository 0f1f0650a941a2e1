import type { SourceStatus, UpdateRun } from '../api/types.ts';

/** True while an update of the source waits or is under way. */
export function isUnderWay({ run }: Pick<SourceStatus, 'run'>): boolean {
	return run?.state === 'waiting' || run?.state === 'running';
}

/** How far an update is, or how it ended. */
export function runWords({ state, by, bytes, detail }: UpdateRun): string {
	const whose = by ? ` for ${by}` : '';
	switch (state) {
		case 'waiting':
			return `waits for another${whose}`;
		case 'running':
			return `under way${whose}${bytes ? `, ${megabytes(bytes)} so far` : ''}`;
		case 'updated':
			return `done${whose}: ${detail ?? ''}`;
		case 'unchanged':
			return `done${whose}: nothing is new`;
		default:
			return `failed${whose}: ${detail ?? ''}`;
	}
}

function megabytes(bytes: number): string {
	const kilo = bytes / 1000;
	return kilo < 1000 ? `${Math.ceil(kilo)} kB` : `${(kilo / 1000).toFixed(1)} MB`;
}

import type { Operation, OperationResult } from '../api/types.ts';

/** How the stream stands: nothing to watch, open, or being (re)opened. */
export type LinkState = 'idle' | 'connecting' | 'live' | 'reconnecting';

/** What a tab watches. */
export interface Watch {
	ids: string[];
	/** Every operation of the installation, headers only. */
	list: boolean;
}

/** From a tab to the owner of the stream. */
export type FromTab =
	{ kind: 'watch'; watch: Watch } | { kind: 'restart' } | { kind: 'hold'; lock: string } | { kind: 'leave' };

/** From the owner of the stream to its tabs. */
export type ToTab =
	| { kind: 'link'; state: LinkState }
	| { kind: 'operation'; operation: Operation }
	| { kind: 'result'; operationId: string; result: OperationResult };

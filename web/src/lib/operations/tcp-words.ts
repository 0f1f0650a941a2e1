import type { PingReply, TcpAttempt } from '../api/types.ts';

/** Connections as the chart of round trips draws them: what did not come about has a mark below the line. */
export function asReplies(attempts: TcpAttempt[]): PingReply[] {
	return attempts.map((attempt): PingReply => {
		const { seq, at_ms } = attempt;
		switch (attempt.fate) {
			case 'connected':
				return {
					seq,
					at_ms,
					fate: 'reply',
					rtt: attempt.rtt,
					ttl: null,
					from: null,
					duplicates: 0,
					kernel: false
				};
			case 'refused':
				return { seq, at_ms, fate: 'error', from: '', message: 'refused' };
			case 'filtered':
				return { seq, at_ms, fate: 'error', from: attempt.from ?? '', message: attempt.message };
			case 'unanswered':
				return { seq, at_ms, fate: 'lost' };
			case 'unsent':
				return { seq, at_ms, fate: 'unsent', message: attempt.message };
		}
	});
}

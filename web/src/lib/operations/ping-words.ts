import type { PingReply } from '../api/types.ts';
import { ms } from '../format/number.ts';

/** What became of a request, in words. */
export function fateText(reply: PingReply): string {
	switch (reply.fate) {
		case 'waiting':
			return 'waiting';
		case 'reply': {
			const parts = [`${ms(reply.rtt)} ms`];
			if (reply.ttl !== null) parts.push(`TTL ${reply.ttl}`);
			if (reply.from) parts.push(`from ${reply.from}`);
			if (reply.duplicates > 0) parts.push(`${reply.duplicates} more`);
			return parts.join(', ');
		}
		case 'late':
			return `late, after ${ms(reply.rtt)} ms`;
		case 'lost':
			return 'no answer';
		case 'error':
			return reply.from ? `${reply.message}, says ${reply.from}` : reply.message;
		case 'unsent':
			return `not sent: ${reply.message}`;
	}
}

// A name server for tests: it knows a few records and denies all others.
import { createSocket } from 'node:dgram';

const TYPES = { A: 1, MX: 15, TXT: 16 };
const IN = 1;

/** The name in a question, and where the question ends. */
function question(message) {
	const labels = [];
	let at = 12;
	while (message[at] > 0) {
		labels.push(message.toString('latin1', at + 1, at + 1 + message[at]));
		at += 1 + message[at];
	}
	return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

function wireName(name) {
	const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
	return Buffer.concat([...labels, Buffer.from([0])]);
}

const data = {
	A: (text) => Buffer.from(text.split('.').map(Number)),
	MX: (text) => Buffer.concat([Buffer.from([0, 10]), wireName(text)]),
	TXT: (text) => Buffer.from([text.length, ...Buffer.from(text)])
};

function record(type, text) {
	const bytes = data[type](text);
	const head = Buffer.alloc(12);
	[0xc00c, TYPES[type], IN].forEach((word, at) => head.writeUInt16BE(word, 2 * at));
	head.writeUInt32BE(300, 6);
	head.writeUInt16BE(bytes.length, 10);
	return Buffer.concat([head, bytes]);
}

/**
 * Starts it: `records` is `{ 'www.example A': ['192.0.2.1'] }`; a function instead of the list is handed how often it
 * was asked for, from 1. Returns its `address:port` and a way to stop it.
 */
export async function startNameServer(records) {
	const turns = new Map();
	const socket = createSocket('udp4');
	socket.on('message', (message, from) => {
		const { name, type, end } = question(message);
		const kind = Object.keys(TYPES).find((one) => TYPES[one] === type);
		const known = Object.keys(records).some((key) => key.split(' ')[0] === name);
		const key = `${name} ${kind}`;
		const listed = records[key] ?? [];
		const turn = (turns.get(key) ?? 0) + 1;
		turns.set(key, turn);
		const texts = typeof listed === 'function' ? listed(turn) : listed;
		const answers = texts.map((text) => record(kind, text));
		const head = Buffer.alloc(12);
		message.copy(head, 0, 0, 2);
		head.writeUInt16BE(known ? 0x8180 : 0x8183, 2);
		head.writeUInt16BE(1, 4);
		head.writeUInt16BE(answers.length, 6);
		socket.send(Buffer.concat([head, message.subarray(12, end), ...answers]), from.port, from.address);
	});
	await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
	return {
		place: `127.0.0.1:${socket.address().port}`,
		stop: () => new Promise((resolve) => socket.close(resolve))
	};
}

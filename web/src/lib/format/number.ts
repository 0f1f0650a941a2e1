/** What stands for a number that is not there. */
export const NONE = '–';

/** A round trip in milliseconds: three digits that matter, never more than microseconds. */
export function ms(value: number | null | undefined): string {
	if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
	const size = Math.abs(value);
	if (size < 10) return value.toFixed(3);
	if (size < 100) return value.toFixed(2);
	if (size < 1000) return value.toFixed(1);
	return value.toFixed(0);
}

/** A share in percent: `0%`, `2.5%`, `100%`, and never `0%` for what is above it. */
export function percent(value: number | null | undefined): string {
	if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
	if (value > 0 && value < 0.1) return '<0.1%';
	if (value > 99.9 && value < 100) return '>99.9%';
	return `${Number(value.toFixed(1))}%`;
}

/** A number of milliseconds as people say it: `250 ms`, `2.5 s`, `3 min 20 s`. */
export function duration(value: number): string {
	if (value < 1000) return `${Math.round(value)} ms`;
	if (value < 60_000) return `${Number((value / 1000).toFixed(1))} s`;
	const seconds = Math.round(value / 1000);
	const [hours, minutes, rest] = [
		Math.floor(seconds / 3600),
		Math.floor((seconds % 3600) / 60),
		seconds % 60
	];
	if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
	return rest > 0 ? `${minutes} min ${rest} s` : `${minutes} min`;
}

/** A count with its noun: `1 hop`, `3 hops`. */
export function plural(count: number, one: string, many = `${one}s`): string {
	return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/** A number of bytes as people say it, in powers of 1000: `512 B`, `1.2 MB`. */
export function bytes(value: number): string {
	const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
	let [size, unit] = [value, 0];
	// 999.95 would be shown as 1000.0 of the smaller unit.
	while (size >= 999.95 && unit < units.length - 1) [size, unit] = [size / 1000, unit + 1];
	return `${unit === 0 ? Math.round(size) : Number(size.toFixed(1))} ${units[unit]}`;
}

/** A number of bits a second as people say it: `100 Mbit/s`, `2.5 Gbit/s`. */
export function bitRate(value: number): string {
	const units = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'];
	let [size, unit] = [value, 0];
	while (size >= 1000 && unit < units.length - 1) [size, unit] = [size / 1000, unit + 1];
	return `${Number(size.toFixed(1))} ${units[unit]}`;
}

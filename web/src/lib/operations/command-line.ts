import type { NewOperation, SchemaProperty, ToolInfo } from '../api/types.ts';

/** The shell command that does the same as an operation. */
export function commandLine(tool: ToolInfo, operation: NewOperation): string {
	const options = typeof operation.options === 'object' ? Object.entries(operation.options) : [];
	const flags = options.flatMap(([name, value]) => flagsOf(tool, name, value));
	// Without a selector the server sends it to all workers, while the shell would measure from where it runs.
	const from = operation.from ?? 'netwark.broadcast';
	return ['netwark', tool.name, operation.target || 'TARGET', ...flags, '--from', from].map(quoted).join(' ');
}

/** The request that does the same, with a token in the environment. */
export function curlLine(origin: string, operation: NewOperation): string {
	return [
		`curl -sS ${origin}/api/v1/operations \\`,
		`  -H "Authorization: Bearer $NETWARK_TOKEN" \\`,
		`  -H 'Content-Type: application/json' \\`,
		`  -d ${quoted(JSON.stringify(operation))}`
	].join('\n');
}

/** The flags that set one option, by what the tool's command line tells of itself. */
function flagsOf(tool: ToolInfo, name: string, value: unknown): string[] {
	const own = tool.arguments.find((argument) => argument.option === name);
	const flag = own?.short ?? own?.long;
	if (flag) {
		if (!own?.value) return value === true ? [flag] : [];
		if (Array.isArray(value)) return value.flatMap((one) => [flag, String(one)]);
		return [flag, valueFor(own.value, value)];
	}
	// A choice that has no flag of its own has one for each of its values: `-6`, `--tcp`.
	const property: SchemaProperty | undefined = tool.schema.properties?.[name];
	const one = tool.arguments.find(
		({ short, long }) => short === `-${value}` || long === `--${value}` || long?.startsWith(`--${value}-`)
	);
	if (property && one) return [one.short ?? one.long ?? ''];
	return [`--${name.replaceAll('_', '-')}`, String(value)];
}

/** Options are milliseconds and code points; the flags take what ping and mtr take. */
function valueFor(word: string, value: unknown): string {
	if (word === 'SECONDS' && typeof value === 'number') return String(value / 1000);
	if (word === 'TOS' && typeof value === 'number') return String(value << 2);
	if (typeof value === 'boolean') {
		const [yes, no] = word.split('|');
		return (value ? yes : no) ?? String(value);
	}
	return String(value);
}

function quoted(word: string): string {
	return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

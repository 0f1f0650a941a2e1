import type { Problem } from '../../api/problem.ts';

/** The entries of a text: separated by lines, commas or semicolons; what follows a `#` is a remark. */
export function entries(text: string): string[] {
	return text
		.split('\n')
		.map((line) => line.replace(/#.*$/, ''))
		.flatMap((line) => line.split(/[,;]/))
		.map((entry) => entry.trim())
		.filter((entry) => entry !== '');
}

/** What is wrong with entries, the first few of them by what stands there. */
export function mistakes(problem: Problem, networks: string[]): string {
	const told = problem.errors.slice(0, 3).map(({ name, description }) => {
		const at = /^networks\[(\d+)\]$/.exec(name)?.[1];
		const entry = at === undefined ? undefined : networks[Number(at)];
		return entry === undefined ? description : `(${entry.slice(0, 40)}) ${description}`;
	});
	const more = problem.errors.length - told.length;
	if (told.length === 0) return problem.message;
	return told.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

/** The query of a form's fields, with its question mark; what is empty, and the page, is left out. */
export function queryOf(fields: Iterable<[string, FormDataEntryValue]>): string {
	const filled = [...fields]
		.map(([name, value]): [string, string] => [name, String(value).trim()])
		.filter(([name, value]) => value !== '' && name !== 'page');
	return filled.length > 0 ? `?${new URLSearchParams(filled)}` : '';
}

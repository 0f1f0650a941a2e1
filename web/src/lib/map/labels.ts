import type { Point, Size } from './view.ts';

/** A mark; one without a text only has to stay free. */
export interface Labelled extends Point {
	id: string;
	text: string;
	/** How far the mark reaches from its middle. */
	radius: number;
}

/** Where a label stands beside its mark. */
export interface Label extends Point {
	text: string;
	anchor: 'start' | 'middle' | 'end';
}

interface Box {
	left: number;
	top: number;
	right: number;
	bottom: number;
}

/** Width of a letter and height of a line, as they are drawn. */
const LETTER = 6.4;
const LINE = 13;
const GAP = 4;

/** Finds room for labels, in the order given; one that would cover another label or a mark is left out. */
export function placeLabels(marks: Labelled[], size: Size): Map<string, Label> {
	const taken: (Box & { of: string })[] = marks.map((mark) => ({
		of: mark.id,
		left: mark.x - mark.radius,
		right: mark.x + mark.radius,
		top: mark.y - mark.radius,
		bottom: mark.y + mark.radius
	}));
	const labels = new Map<string, Label>();
	for (const mark of marks.filter(({ text }) => text)) {
		for (const { label, box } of candidates(mark)) {
			const inside = box.left >= 0 && box.top >= 0 && box.right <= size.width && box.bottom <= size.height;
			if (!inside || taken.some((other) => other.of !== mark.id && meet(other, box))) continue;
			labels.set(mark.id, label);
			taken.push({ of: `label ${mark.id}`, ...box });
			break;
		}
	}
	return labels;
}

function candidates({ x, y, text, radius }: Labelled): { label: Label; box: Box }[] {
	const width = text.length * LETTER;
	const away = radius + GAP;
	const line = (middle: number) => ({ top: middle - LINE / 2, bottom: middle + LINE / 2 });
	const below = y + away + LINE / 2;
	const above = y - away - LINE / 2;
	return [
		{
			label: { text, x: x + away, y, anchor: 'start' },
			box: { left: x + away, right: x + away + width, ...line(y) }
		},
		{
			label: { text, x: x - away, y, anchor: 'end' },
			box: { left: x - away - width, right: x - away, ...line(y) }
		},
		{
			label: { text, x, y: below, anchor: 'middle' },
			box: { left: x - width / 2, right: x + width / 2, ...line(below) }
		},
		{
			label: { text, x, y: above, anchor: 'middle' },
			box: { left: x - width / 2, right: x + width / 2, ...line(above) }
		}
	];
}

function meet(a: Box, b: Box): boolean {
	return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

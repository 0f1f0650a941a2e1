import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
import CommandInput from './CommandInput.svelte';

afterEach(cleanup);

const text = 'ping a -Z';
const props = { text, mistakes: [], busy: false, active: -1, count: 0, ontype: () => {}, onkey: () => {} };

it('marks the faulty word and says what is wrong with it', () => {
	render(CommandInput, { ...props, mistakes: [{ start: 7, end: 9, message: '-Z is no flag of ping' }] });
	const alert = screen.getByRole('alert');
	expect(alert.textContent?.replace(/\s+/g, ' ').trim()).toBe('~~ -Z -Z is no flag of ping');
	const input = screen.getByRole('combobox', { name: 'Command' });
	expect(input.getAttribute('aria-invalid')).toBe('true');
	expect(input.getAttribute('aria-describedby')).toBe(alert.id);
});

it('is quiet while nothing is wrong', () => {
	render(CommandInput, props);
	expect(screen.queryByRole('alert')).toBeNull();
	expect(screen.getByRole('combobox').hasAttribute('aria-invalid')).toBe(false);
});

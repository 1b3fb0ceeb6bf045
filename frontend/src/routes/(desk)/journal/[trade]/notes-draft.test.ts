import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NotesDraft, type Keep } from './notes-draft.svelte';

class Drawer implements Keep {
	kept = new Map<string, string>();
	getItem = (key: string) => this.kept.get(key) ?? null;
	setItem = (key: string, value: string) => void this.kept.set(key, value);
	removeItem = (key: string) => void this.kept.delete(key);
}

describe('NotesDraft', () => {
	let server: string[];
	let drawer: Drawer;
	let isDown: boolean;
	const save = async (text: string) => {
		if (isDown) throw new Error('down');
		server.push(text);
	};
	const draft = (saved = '') => new NotesDraft(7, saved, save, drawer);

	beforeEach(() => {
		vi.useFakeTimers();
		[server, drawer, isDown] = [[], new Drawer(), false];
	});
	afterEach(() => vi.useRealTimers());

	it('saves after a pause in typing, once', async () => {
		const notes = draft();
		notes.write('a');
		notes.write('ab');
		await vi.advanceTimersByTimeAsync(1000);
		expect([server, notes.state]).toEqual([['ab'], 'saved']);
	});
	it('keeps the words on this device until the server has them', async () => {
		const notes = draft();
		notes.write('a');
		expect(drawer.getItem('notes:7')).toBe('a');
		await vi.advanceTimersByTimeAsync(1000);
		expect(drawer.getItem('notes:7')).toBeNull();
	});
	it('tries again when the server was away', async () => {
		isDown = true;
		const notes = draft();
		notes.write('a');
		await vi.advanceTimersByTimeAsync(1000);
		expect(notes.state).toBe('failed');
		isDown = false;
		await vi.advanceTimersByTimeAsync(6000);
		expect([server, notes.state]).toEqual([['a'], 'saved']);
	});
	it('brings back what a closed page had not sent', async () => {
		drawer.setItem('notes:7', 'unsent');
		const notes = draft('old');
		expect([notes.text, notes.state]).toEqual(['unsent', 'unsaved']);
		await vi.advanceTimersByTimeAsync(1000);
		expect(server).toEqual(['unsent']);
	});
	it('saves again what was typed while saving', async () => {
		let finish = () => {};
		const slow = vi.fn(() => new Promise<void>((resolve) => (finish = resolve)));
		const notes = new NotesDraft(7, '', slow, drawer);
		notes.write('a');
		const saving = notes.flush();
		notes.text = 'ab';
		finish();
		await saving;
		expect(notes.state).toBe('unsaved');
	});
	it('works without storage', () => {
		const broken = {
			getItem: () => {
				throw new Error('denied');
			},
			setItem: () => {
				throw new Error('denied');
			},
			removeItem: () => {}
		};
		const notes = new NotesDraft(7, 'old', save, broken);
		notes.write('new');
		expect(notes.text).toBe('new');
	});
});

/** What the trader writes is never lost: every keystroke is kept on this device until the server has it. */
export interface Keep {
	getItem(key: string): string | null;
	setItem(key: string, value: string): void;
	removeItem(key: string): void;
}

export type NotesState = 'saved' | 'unsaved' | 'saving' | 'failed';

const PAUSE = 700;
const RETRY = 5000;

export class NotesDraft {
	text = $state('');
	state = $state<NotesState>('saved');

	#saved = '';
	#key: string;
	#keep: Keep;
	#save: (text: string) => Promise<void>;
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(trade: number, saved: string, save: (text: string) => Promise<void>, keep: Keep) {
		this.#key = `notes:${trade}`;
		this.#keep = keep;
		this.#save = save;
		this.#saved = this.text = saved;
		this.#recover();
	}

	/** The trader typed. */
	write(text: string): void {
		this.text = text;
		if (text === this.#saved && this.state === 'saved') return;
		this.#tryTo(() => this.#keep.setItem(this.#key, text));
		this.state = 'unsaved';
		this.#soon(PAUSE);
	}

	/** Saves now, instead of after the pause: on leaving the field or the page. */
	async flush(): Promise<void> {
		clearTimeout(this.#timer);
		if (this.state === 'saved' || this.state === 'saving') return;
		const text = this.text;
		this.state = 'saving';
		try {
			await this.#save(text);
			this.#saved = text;
			this.#settle(text);
		} catch {
			this.state = 'failed';
			this.#soon(RETRY);
		}
	}

	/** Ends the retries; the words stay on this device. */
	stop(): void {
		clearTimeout(this.#timer);
	}

	/** Words that never reached the server come back, and are sent again. */
	#recover(): void {
		const kept = this.#tryTo(() => this.#keep.getItem(this.#key)) ?? null;
		if (kept === null || kept === this.#saved) return;
		this.text = kept;
		this.state = 'unsaved';
		this.#soon(PAUSE);
	}

	#settle(text: string): void {
		if (this.text !== text) {
			this.state = 'unsaved';
			return this.#soon(PAUSE);
		}
		this.#tryTo(() => this.#keep.removeItem(this.#key));
		this.state = 'saved';
	}

	#soon(delay: number): void {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.flush(), delay);
	}

	/** Storage may be full or switched off; the words are then at least on the screen and on their way. */
	#tryTo<T>(act: () => T): T | undefined {
		try {
			return act();
		} catch {
			return undefined;
		}
	}
}

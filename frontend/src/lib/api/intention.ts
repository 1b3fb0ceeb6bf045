/** A random version-4 UUID; crypto.randomUUID is missing on plain http, where a home server may live. */
export function newKey(): string {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
	return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/**
 * One idempotency key per thing the user wants. Pressing the button again after a lost answer is the same wish and
 * keeps the key, so nothing is placed twice; a changed wish, or one that was fulfilled, gets a new one.
 */
export class Intention {
	#wish = '';
	#key = '';

	keyFor(wish: unknown): string {
		const wanted = JSON.stringify(wish);
		if (this.#key === '' || wanted !== this.#wish) [this.#wish, this.#key] = [wanted, newKey()];
		return this.#key;
	}

	fulfilled(): void {
		this.#key = '';
	}
}

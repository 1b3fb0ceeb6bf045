/** Server-sent events, read from a fetch body: unlike EventSource this can resume after an error and see a 401. */
export interface Frame {
	id: string | null;
	name: string;
	data: string;
}

/** Cuts a growing text into frames; comments (keep-alives) carry nothing. */
export class FrameReader {
	#rest = '';

	/** The frames completed by this piece of text. */
	push(text: string): Frame[] {
		const blocks = (this.#rest + text).replaceAll('\r\n', '\n').split('\n\n');
		this.#rest = blocks.pop() ?? '';
		return blocks.map(frameOf).filter((frame) => frame !== null);
	}
}

function frameOf(block: string): Frame | null {
	const frame: Frame = { id: null, name: 'message', data: '' };
	const lines: string[] = [];
	for (const line of block.split('\n')) {
		const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
		if (field === 'id') frame.id = value;
		else if (field === 'event') frame.name = value;
		else if (field === 'data') lines.push(value);
	}
	return lines.length ? { ...frame, data: lines.join('\n') } : null;
}

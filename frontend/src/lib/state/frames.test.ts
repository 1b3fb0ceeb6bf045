import { describe, expect, it } from 'vitest';
import { FrameReader } from './frames';

describe('FrameReader', () => {
	it('reads a frame with its id and name', () => {
		expect(new FrameReader().push('id: 7\nevent: event\ndata: {"a":1}\n\n')).toEqual([
			{ id: '7', name: 'event', data: '{"a":1}' }
		]);
	});
	it('waits for the rest of a frame cut in two', () => {
		const reader = new FrameReader();
		expect(reader.push('event: price\nda')).toEqual([]);
		expect(reader.push('ta: {}\n\n')).toEqual([{ id: null, name: 'price', data: '{}' }]);
	});
	it('ignores keep-alive comments', () => expect(new FrameReader().push(': ping\n\n')).toEqual([]));
	it('joins several data lines', () => expect(new FrameReader().push('data: a\ndata: b\n\n')[0].data).toBe('a\nb'));
	it('understands windows line ends', () => expect(new FrameReader().push('data: a\r\n\r\n')[0].data).toBe('a'));
	it('reads several frames at once', () => expect(new FrameReader().push('data: 1\n\ndata: 2\n\n')).toHaveLength(2));
});

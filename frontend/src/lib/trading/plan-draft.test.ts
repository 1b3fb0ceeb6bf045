import { describe, expect, it } from 'vitest';
import { rAt } from './geometry';
import { PlanDraft } from './plan-draft.svelte';
import { TARGET_PRESETS, applyDefaults, applyPreset } from './presets';

function draftOf(values: Partial<Pick<PlanDraft, 'stop' | 'risk' | 'reference'>> & { entry?: string } = {}): PlanDraft {
	const draft = new PlanDraft();
	draft.symbol = 'BTC/USDT:USDT';
	draft.tick = '0.1';
	draft.reference = values.reference ?? '64100';
	draft.setEntryKind('limit');
	draft.entries[0].price = values.entry ?? '64000';
	draft.stop = values.stop ?? '62720';
	return draft;
}

describe('the side', () => {
	it('follows from stop and entry', () => {
		expect(draftOf().side).toBe('long');
		expect(draftOf({ stop: '65000' }).side).toBe('short');
		expect(draftOf({ stop: '' }).side).toBeNull();
	});
	it('flips with stop, price targets and cancel levels mirrored around the entry', () => {
		const draft = draftOf();
		applyPreset(draft, TARGET_PRESETS[0]);
		draft.setTargetUnit(draft.targets[0].id, 'price', () => null);
		draft.cancelAbove = '65000';
		draft.flip();
		expect(draft.side).toBe('short');
		expect(draft.stop).toBe('65280');
		expect(draft.targetPrices).toEqual(['62720', '61440', '60160']);
		expect([draft.cancelAbove, draft.cancelBelow]).toEqual(['', '63000']);
	});
});

it('buys coins whatever the stop says', () => {
	const draft = draftOf({ stop: '65000' });
	draft.spot = true;
	expect(draft.side).toBe('long');
});
it('asks neither leverage nor margin of coins', () => {
	const draft = draftOf();
	draft.leverage = '5';
	expect(draft.document).toMatchObject({ leverage: 5, margin_mode: 'isolated' });
	draft.spot = true;
	expect(draft.document).not.toHaveProperty('leverage');
	expect(draft.document).not.toHaveProperty('margin_mode');
});

describe('targets', () => {
	it('in R move with the stop', () => {
		const draft = draftOf();
		applyPreset(draft, TARGET_PRESETS[0]);
		expect(draft.targetPrices).toEqual(['65280', '66560', '67840']);
		draft.stop = '63000';
		expect(draft.targetPrices).toEqual(['65000', '66000', '67000']);
	});
	it('typed as a price stay where they are', () => {
		const draft = draftOf();
		applyPreset(draft, TARGET_PRESETS[2]);
		draft.setTargetUnit(draft.targets[0].id, 'price', () => null);
		draft.stop = '63000';
		expect(draft.targetPrices).toEqual(['66560']);
	});
	it('change their unit without moving', () => {
		const draft = draftOf();
		applyPreset(draft, TARGET_PRESETS[2]);
		const [target] = draft.targets;
		draft.setTargetUnit(target.id, 'price', () => null);
		draft.setTargetUnit(target.id, 'r', (price) => rAt(draft.averageEntry, draft.stop, price));
		expect([target.unit, target.value]).toEqual(['r', '2']);
		expect(draft.targetPrices).toEqual(['66560']);
	});
	it('leave the last one the rest, so that shares add up to one exactly', () => {
		const draft = draftOf();
		applyPreset(draft, TARGET_PRESETS[0]);
		expect(draft.document.take_profits.map((target) => target.share)).toEqual(['0.33', '0.33', '0.34']);
	});
	it('without a price are not sent, and rows keep their place', () => {
		const draft = draftOf();
		applyPreset(draft, TARGET_PRESETS[0]);
		draft.targets[1].value = '';
		expect(draft.sentTargets).toEqual([0, 2]);
		expect(draft.document.take_profits).toEqual([
			{ price: '65280', share: '0.33' },
			{ price: '67840', share: '0.67' }
		]);
	});
	it('taken away take the rules that named them along', () => {
		const draft = draftOf();
		applyDefaults(draft);
		draft.breakEven = { after: { kind: 'take_profit', value: '3' }, cover: 'costs' };
		draft.cancelAtTarget = '3';
		draft.removeTarget(draft.targets[2].id);
		expect([draft.breakEven, draft.cancelAtTarget]).toEqual([null, '']);
	});
});

describe('the market', () => {
	it('never overwrites a typed price', () => {
		const draft = draftOf();
		draft.follow('70000');
		expect(draft.document.entries[0].price).toBe('64000');
		expect(draft.averageEntry).toBe('64000');
	});
	it('carries a market entry along in visible steps only', () => {
		const draft = draftOf({ reference: '64000' });
		draft.setEntryKind('market');
		draft.follow('64010');
		expect(draft.averageEntry).toBe('64000');
		draft.follow('64100');
		expect(draft.averageEntry).toBe('64100');
	});
});

describe('several entries', () => {
	it('average by share, the last taking the rest', () => {
		const draft = draftOf();
		draft.addEntry();
		expect(draft.entries[1].price).toBe('63573.3');
		expect(draft.document.entries).toEqual([
			{ kind: 'limit', price: '64000', share: '0.5' },
			{ kind: 'limit', price: '63573.3', share: '0.5' }
		]);
		expect(draft.averageEntry).toBe('63786.65');
	});
	it('keep what was typed when the kind changes', () => {
		const draft = draftOf();
		draft.setEntryKind('trigger_limit');
		expect(draft.document.entries).toEqual([
			{ kind: 'trigger_limit', price: '64000', trigger: '64000', share: '1' }
		]);
	});
	it('can never all be removed', () => {
		const draft = draftOf();
		draft.removeEntry(draft.entries[0].id);
		expect(draft.entries).toHaveLength(1);
	});
});

describe('the document', () => {
	it('is the whole plan with nothing that was not asked for', () => {
		expect(draftOf().document).toEqual({
			symbol: 'BTC/USDT:USDT',
			side: 'long',
			entries: [{ kind: 'limit', price: '64000', share: '1' }],
			stop: { price: '62720' },
			take_profits: [],
			risk: { percent: '1' },
			margin_mode: 'isolated'
		});
	});
	it('carries every rule', () => {
		const draft = draftOf();
		applyDefaults(draft);
		draft.step = true;
		draft.trail = { kind: 'candles', value: '5', after: { kind: 'r', value: '1.5' } };
		draft.closeAfter = '480';
		draft.cancelAbove = '65,000';
		draft.cancelAtTarget = '1';
		draft.cancelAfter = '240';
		draft.leverage = '10';
		draft.riskKind = 'money';
		draft.risk = '250,5';
		expect(draft.document).toMatchObject({
			risk: { money: '250.5' },
			leverage: 10,
			rules: {
				break_even: { after: { take_profit: 1 }, cover: 'costs' },
				step: true,
				trail: { candles: 5, after: { r: '1.5' } },
				close_after_minutes: '480'
			},
			cancel: { above: '65000', at_take_profit: 1, after_minutes: '240' }
		});
	});
	it('has no withdrawal rules for an entry that fills at once', () => {
		const draft = draftOf();
		draft.cancelAfter = '240';
		draft.setEntryKind('market');
		expect(draft.document.cancel).toBeUndefined();
	});
	it('says what is missing', () => {
		const draft = draftOf({ entry: '', stop: '' });
		expect(draft.missing).toEqual(['an entry price', 'a stop']);
		expect(draft.isComplete).toBe(false);
	});
});

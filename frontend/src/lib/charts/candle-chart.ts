/** Lightweight Charts behind the few verbs the desk needs. Loaded on demand: this module pulls the library in. */
import {
	CandlestickSeries,
	createChart,
	createSeriesMarkers,
	CrosshairMode,
	LineSeries,
	LineStyle,
	LineType,
	type AutoscaleInfo,
	type IChartApi,
	type IPriceLine,
	type ISeriesApi,
	type ISeriesMarkersPluginApi,
	type SeriesMarker,
	type Time,
	type UTCTimestamp
} from 'lightweight-charts';
import { nameOf } from './names';
import { palette, type Palette } from './palette';
import { candleAt } from './running-candle';
import { timeOf, type Candle, type FillMark, type PlanLine, type StopMove, type Tone } from './types';

export interface Formats {
	price: (price: number) => string;
	/** A moment, in full, for the crosshair. */
	moment: (ms: number) => string;
	/** A mark on the time scale: `unit` says how coarse it is. */
	mark: (ms: number, unit: 'year' | 'month' | 'day' | 'minute') => string;
}

const seconds = (ms: number): UTCTimestamp => (ms / 1000) as UTCTimestamp;
const MARK_UNITS = ['year', 'month', 'day', 'minute', 'minute'] as const;
/** Plan lines further away than this many times the height of the candles do not squash them. */
const FURTHEST = 2;

export class CandleChart {
	readonly #chart: IChartApi;
	readonly #series: ISeriesApi<'Candlestick'>;
	readonly #stops: ISeriesApi<'Line'>;
	readonly #marks: ISeriesMarkersPluginApi<Time>;
	#lines: IPriceLine[] = [];
	#linePrices: number[] = [];
	#candles: readonly Candle[] = [];
	#colours: Palette;

	constructor(container: HTMLElement, formats: Formats) {
		this.#colours = palette(container);
		this.#chart = createChart(container, {
			autoSize: true,
			layout: { attributionLogo: false, background: { color: 'transparent' }, fontSize: 11 },
			localization: { timeFormatter: (time: Time) => formats.moment(Number(time) * 1000) },
			crosshair: { mode: CrosshairMode.Normal },
			rightPriceScale: { scaleMargins: { top: 0.08, bottom: 0.08 } },
			timeScale: {
				timeVisible: true,
				rightOffset: 10,
				tickMarkFormatter: (time: Time, kind: number) =>
					formats.mark(Number(time) * 1000, MARK_UNITS[kind] ?? 'minute')
			}
		});
		this.#series = this.#chart.addSeries(CandlestickSeries, {
			autoscaleInfoProvider: (original: () => AutoscaleInfo | null) => this.#withLines(original())
		});
		this.#stops = this.#chart.addSeries(LineSeries, {
			lineType: LineType.WithSteps,
			lineWidth: 2,
			priceLineVisible: false,
			lastValueVisible: false,
			crosshairMarkerVisible: false
		});
		this.#marks = createSeriesMarkers(this.#series, []);
		this.paint(container);
	}

	setTick(tick: string, price: Formats['price']): void {
		const minMove = Number(tick) || 0.01;
		this.#series.applyOptions({ priceFormat: { type: 'custom', minMove, formatter: price } });
	}

	setCandles(candles: readonly Candle[]): void {
		this.#candles = candles;
		this.#series.setData(candles.map(bar));
	}

	/** The running candle: replaces the last one or comes after it. */
	update(candle: Candle): void {
		this.#series.update(bar(candle));
	}

	setLines(lines: readonly PlanLine[], narrow: boolean): void {
		for (const line of this.#lines) this.#series.removePriceLine(line);
		this.#linePrices = lines.map((line) => Number(line.price));
		this.#lines = lines.map((line) =>
			this.#series.createPriceLine({
				price: Number(line.price),
				title: narrow ? (line.short ?? line.label) : line.label,
				color: this.#colours[line.tone],
				axisLabelTextColor: this.#colours.ink,
				lineWidth: 1,
				lineStyle: line.dashed ? LineStyle.Dashed : LineStyle.Solid,
				axisLabelVisible: true
			})
		);
	}

	setFills(fills: readonly FillMark[]): void {
		const marks = fills.flatMap((fill): SeriesMarker<Time>[] => {
			const time = candleAt(this.#candles, timeOf(fill.time));
			if (time === undefined) return [];
			const buy = fill.order_side === 'buy';
			return [
				{
					time: seconds(time),
					position: buy ? 'belowBar' : 'aboveBar',
					shape: buy ? 'arrowUp' : 'arrowDown',
					color: this.#colours[toneOf(fill)],
					text: nameOf(fill)
				}
			];
		});
		this.#marks.setMarkers(marks.sort((a, b) => Number(a.time) - Number(b.time)));
	}

	/** The way of the stop: from each move to the next, the last one to the end. */
	setStops(stops: readonly StopMove[]): void {
		const points = new Map<number, number>();
		for (const stop of stops) {
			const time = candleAt(this.#candles, timeOf(stop.time));
			if (time !== undefined) points.set(time, Number(stop.price));
		}
		const data = [...points].sort(([a], [b]) => a - b);
		this.#stops.setData(data.map(([time, value]) => ({ time: seconds(time), value })));
	}

	/** Take the colours of the page's theme. */
	paint(element: HTMLElement): void {
		const colours = (this.#colours = palette(element));
		this.#chart.applyOptions({
			layout: { textColor: colours.muted, fontFamily: colours.font },
			grid: { vertLines: { color: colours.grid }, horzLines: { color: colours.grid } },
			rightPriceScale: { borderColor: colours.grid },
			timeScale: { borderColor: colours.grid }
		});
		this.#series.applyOptions({
			upColor: colours.gain,
			wickUpColor: colours.gain,
			downColor: colours.loss,
			wickDownColor: colours.loss,
			borderVisible: false,
			priceLineColor: colours.muted
		});
		this.#stops.applyOptions({ color: colours.stop });
	}

	onPick(pick: (price: number) => void): void {
		this.#chart.subscribeClick(({ point }) => {
			const price = point && this.#series.coordinateToPrice(point.y);
			if (price) pick(price);
		});
	}

	zoom(factor: number): void {
		const scale = this.#chart.timeScale();
		const range = scale.getVisibleLogicalRange();
		if (!range) return;
		scale.setVisibleLogicalRange({ from: range.to - (range.to - range.from) * factor, to: range.to });
	}

	/** Show the latest `count` candles. */
	latest(count: number): void {
		const end = this.#candles.length;
		this.#chart.timeScale().setVisibleLogicalRange({ from: end - count, to: end + count / 10 });
	}

	fit(): void {
		this.#chart.timeScale().fitContent();
	}

	remove(): void {
		this.#chart.remove();
	}

	#withLines(info: AutoscaleInfo | null): AutoscaleInfo | null {
		if (!info?.priceRange) return info;
		const { minValue, maxValue } = info.priceRange;
		const reach = (maxValue - minValue) * FURTHEST;
		const near = this.#linePrices.filter((price) => price > minValue - reach && price < maxValue + reach);
		return {
			...info,
			priceRange: { minValue: Math.min(minValue, ...near), maxValue: Math.max(maxValue, ...near) }
		};
	}
}

const bar = ([time, open, high, low, close]: Candle) => ({
	time: seconds(time),
	open: Number(open),
	high: Number(high),
	low: Number(low),
	close: Number(close)
});

function toneOf(fill: FillMark): Tone {
	if (fill.role === 'entry') return 'entry';
	return fill.role === 'take_profit' ? 'target' : 'stop';
}

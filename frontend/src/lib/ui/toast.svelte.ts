/** Short messages in the corner. A failure stays until it is read; a success leaves by itself. */
export interface Toast {
	id: number;
	tone: 'gain' | 'loss' | 'plain';
	title: string;
	text: string;
	action?: { label: string; run: () => void };
}

const READING_TIME = 5000;

class Toasts {
	all = $state<Toast[]>([]);
	#next = 1;

	success(title: string, text = '', action?: Toast['action']): number {
		return this.#add({ tone: 'gain', title, text, action }, READING_TIME);
	}

	notice(title: string, text = '', action?: Toast['action']): number {
		return this.#add({ tone: 'plain', title, text, action }, READING_TIME);
	}

	/** What failed, and the cure. */
	failure(title: string, cure: string, action?: Toast['action']): number {
		return this.#add({ tone: 'loss', title, text: cure, action }, 0);
	}

	dismiss(id: number): void {
		this.all = this.all.filter((toast) => toast.id !== id);
	}

	#add(toast: Omit<Toast, 'id'>, lifetime: number): number {
		const id = this.#next++;
		const same = ({ title, text }: Toast) => title === toast.title && text === toast.text;
		// The same failure again replaces itself, and never more than four cover the page.
		this.all = [...this.all.filter((one) => !same(one)), { ...toast, id }].slice(-4);
		if (lifetime) setTimeout(() => this.dismiss(id), lifetime);
		return id;
	}
}

export const toast = new Toasts();

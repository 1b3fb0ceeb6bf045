/** One fault of one field: what is wrong, what to do about it, and a code for programs. */
export interface FieldFault {
	message: string;
	cure: string;
	code: string;
}

interface ProblemDocument {
	title?: string;
	status?: number;
	detail?: string;
	code?: string;
	errors?: Record<string, FieldFault[]>;
}

const UNREACHABLE = {
	title: 'No connection to the server',
	detail: 'Nothing was changed. Check your connection and try again.',
	code: 'unreachable'
};

/** Everything that can go wrong with a request, in the server's own words (RFC 9457), with its faults by field. */
export class ApiProblem extends Error {
	readonly status: number;
	readonly code: string;
	readonly title: string;
	readonly detail: string;
	readonly errors: Record<string, FieldFault[]>;

	constructor(status: number, problem: ProblemDocument) {
		super(problem.detail || problem.title || `The server answered ${status}.`);
		this.name = 'ApiProblem';
		this.status = status;
		this.code = problem.code ?? 'unknown';
		this.title = problem.title || 'That did not work';
		this.detail = problem.detail ?? '';
		this.errors = problem.errors ?? {};
	}

	/** The request never got an answer. */
	static unreachable(): ApiProblem {
		return new ApiProblem(0, UNREACHABLE);
	}

	/** The page itself failed while handling an answer. */
	static broken(error: unknown): ApiProblem {
		console.error(error);
		return new ApiProblem(0, { title: 'Something went wrong on this page', detail: 'Reload it.', code: 'broken' });
	}

	/** Reads the problem out of a failed response, whatever its body looks like. */
	static async from(response: Response): Promise<ApiProblem> {
		const body: unknown = await response.json().catch(() => null);
		return new ApiProblem(response.status, body !== null && typeof body === 'object' ? body : nameOf(response));
	}

	/** The first fault of a field, for the line under its input. */
	fault(field: string): FieldFault | undefined {
		return this.errors[field]?.[0];
	}

	/** Every fault as one flat list, for a summary. */
	get faults(): (FieldFault & { field: string })[] {
		return Object.entries(this.errors).flatMap(([field, faults]) => faults.map((fault) => ({ field, ...fault })));
	}

	/** What the user can do now, in one sentence. */
	get cure(): string {
		const cures = this.faults.map((fault) => fault.cure || fault.message).filter(Boolean);
		return [...new Set(cures)].join(' ') || this.detail || 'Try again in a moment.';
	}
}

function nameOf(response: Response): ProblemDocument {
	if (response.status === 413) return { title: 'Too large', detail: 'Send a smaller file.' };
	if (response.status === 429) return { title: 'Too many requests', detail: 'Wait a minute, then try again.' };
	if (response.status >= 500)
		return { title: 'The server has a problem', detail: 'It has been noted in its log. Try again in a moment.' };
	return { title: response.statusText || 'That did not work' };
}

/**
 * A call of a faked target, from its notification to the one response.
 */

/** What a faked call came to. */
export interface FakeResponse {
  readonly kind: 'continue' | 'errno' | 'returnValue' | 'fd' | 'withdrawn' | 'closed';
  readonly errno?: string;
  readonly value?: bigint;
  /** The target's number of a descriptor that was installed and is the result. */
  readonly fd?: number;
}

/** A descriptor that was installed in a faked target. */
export interface FakeInjection {
  readonly fd: number;
  readonly srcFd: number;
  readonly cloexec: boolean;
  /** What reading it would give; undefined where it cannot be read. */
  readonly content: Buffer | undefined;
}

export class FakeCall {
  readonly id: bigint;
  readonly pid: number;
  readonly injections: FakeInjection[] = [];
  response: FakeResponse | undefined;
  readonly #answered: Promise<FakeResponse>;
  #resolve!: (response: FakeResponse) => void;

  constructor(id: bigint, pid: number) {
    this.id = id;
    this.pid = pid;
    this.#answered = new Promise((resolve) => { this.#resolve = resolve; });
  }

  /** Settles with the one response. */
  get answered(): Promise<FakeResponse> {
    return this.#answered;
  }

  get waits(): boolean {
    return this.response === undefined;
  }

  /** @internal */
  end(response: FakeResponse): void {
    this.response = Object.freeze(response);
    this.#resolve(this.response);
  }
}

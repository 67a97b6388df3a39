/** jangbu: an event-sourced ledger for prepaid cash wallets, over libjangbu-json. docs/bindings.md. */
import type { ApplyOptions, Asks, Command, Done, FeedEvent, Info, InitOptions, Int, OpenOptions, Ops, Refusal } from "./made.js";

export * from "./made.js";

/** All that this package throws, but for TypeError and RangeError, which are about arguments and integers. */
export class JangbuError extends Error {}

/** The answer is no: `code` says why (docs/errors.md), `refusal` is all that was answered. */
export class Refused extends JangbuError {
  readonly code: string;
  readonly refusal: Refusal<Int>;
}

/** The call did not work: `status` is its word, like E_BUSY; `error` all that was said. Of commands: `answers` are those of the first
 *  ones, which are final, `linesDone` how many lines that are. The others are to be submitted again, with the same keys. */
export class Failed extends JangbuError {
  readonly status: string;
  readonly field?: string;
  readonly error: Record<string, unknown>;
  readonly answers: (Done<Int> | Refusal<Int>)[];
  readonly linesDone?: number;
}

/** The ledger is closed. */
export class Closed extends Failed {}

/** libjangbu-json is not there, or is another one. The sentence says how to get it. */
export class LibraryNotFound extends JangbuError {}

export interface Ledger<I extends number | bigint = number> extends Ops<Promise<Done<I>>>, Asks<I> {}

/** A ledger, open. Nothing it does blocks the loop; what is submitted while a commit is under way shares the next one.
 *
 *  A method for each op: it is done when its promise is fulfilled; the promise is rejected with `Refused` (the rules' code) or `Failed`
 *  (the machine's status). A method for each query. */
export class Ledger<I extends number | bigint = number> {
  private constructor();
  /** Opens the ledger in a directory. With `integers: "bigint"` every integer of an answer is a bigint. */
  static open(directory: string, options: OpenOptions & { integers: "bigint" }): Promise<Ledger<bigint>>;
  static open(directory: string, options?: OpenOptions & { integers?: "number" }): Promise<Ledger<number>>;
  /** Makes a ledger and opens it. */
  static init(directory: string, options: Omit<OpenOptions, "init"> & InitOptions & { integers: "bigint" }): Promise<Ledger<bigint>>;
  static init(directory: string, options?: Omit<OpenOptions, "init"> & InitOptions & { integers?: "number" }): Promise<Ledger<number>>;
  readonly directory: string;
  /** What never changes about the ledger. */
  readonly ledgerInfo: Info<I>;
  /** How many calls submitted commands: fewer than there were commands where those were gathered. */
  readonly commits: number;
  readonly closed: boolean;
  /** Carries commands out: what is answered is on disk. One: its answer, or Refused. Several: their answers in order; `ok` tells. */
  submit(commands: readonly Command[], options?: ApplyOptions): Promise<(Done<I> | Refusal<I>)[]>;
  submit(command: Command, options?: ApplyOptions): Promise<Done<I>>;
  /** Lines in, lines out, as `jangbu apply` has them. */
  apply(lines: string, options?: ApplyOptions): Promise<string>;
  /** Every event behind number `after` (0: from the beginning; none: those from now on), or behind the `cursor` of an event that it gave
   *  before, with its effect and the balance after it, as long as the ledger is open. */
  follow(after?: Int | null, options?: { cursor?: string; wallet?: string; people?: boolean }): AsyncGenerator<FeedEvent<I>, void, void>;
  /** Ends every `follow` and `wait` of this ledger, those that begin later, too. */
  stopFollowing(): void;
  /** What was submitted is carried out, questions that run are answered, who follows is ended. More than once is allowed. */
  close(): Promise<void>;
}

/** Commands as objects, to be submitted together: `command.charge({wallet: "W1", charge: "C1", amount: 1000})`. */
export const command: Ops<Command>;

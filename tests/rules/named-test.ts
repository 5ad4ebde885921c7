// Runs single tests of a test file in this process, against modules with a mistake put in: a runner of their own, and the file with all
// that it imports of the project loaded afresh. So the proofs of all rules take seconds, where a process for each takes minutes.

import Mocha from "mocha";
import { loadMutated, type Mutation } from "../support/mutant";

/** What became of one test, or of a hook of it: an error where it failed. */
export interface Outcome {
  readonly title: string;
  readonly error?: Error;
}

const TIMEOUT_MS = 30_000;
const { EVENT_TEST_PASS, EVENT_TEST_FAIL } = Mocha.Runner.constants;
const { EVENT_FILE_PRE_REQUIRE } = Mocha.Suite.constants;

/** The tests of a file, loaded and not yet run. */
export class NamedTests {
  readonly #mocha: Mocha;
  #outcomes: Outcome[] = [];

  /** Loads a test file, a path from the root, with the mutations in what it imports. Throws where one does not fit, or is not loaded. */
  constructor(file: string, mutations: readonly Mutation[]) {
    const keep = (outcome: Outcome): number => this.#outcomes.push(outcome);
    class Keeper extends Mocha.reporters.Base {
      constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
        super(runner, options);
        runner.on(EVENT_TEST_PASS, (test) => keep({ title: test.fullTitle() }));
        runner.on(EVENT_TEST_FAIL, (test, error: Error) => keep({ title: test.fullTitle(), error }));
      }
    }
    this.#mocha = new Mocha({ timeout: TIMEOUT_MS, reporter: Keeper });
    const words: Record<string, unknown> = {};
    this.#mocha.suite.emit(EVENT_FILE_PRE_REQUIRE, words, file, this.#mocha);
    withGlobals(words, () => loadMutated(mutations, file));
  }

  /** The full titles of all tests. */
  get titles(): string[] {
    const titles: string[] = [];
    this.#mocha.suite.eachTest((test) => titles.push(test.fullTitle()));
    return titles;
  }

  /** Runs the tests with these full titles, once. */
  async run(titles: readonly string[]): Promise<Outcome[]> {
    this.#outcomes = [];
    this.#mocha.grep(new RegExp(`^(${titles.map(literally).join("|")})$`));
    await new Promise((done) => this.#mocha.run(done));
    this.#mocha.dispose();
    return this.#outcomes;
  }
}

const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

/** Does something while these names are global ones, and gives them back what they were. */
function withGlobals(names: Readonly<Record<string, unknown>>, act: () => void): void {
  const scope = globalThis as unknown as Record<string, unknown>;
  const before = Object.keys(names).map(
    (name) => [name, Object.getOwnPropertyDescriptor(scope, name)] as const,
  );
  Object.assign(scope, names);
  try {
    act();
  } finally {
    for (const [name, was] of before) {
      delete scope[name];
      if (was !== undefined) Object.defineProperty(scope, name, was);
    }
  }
}

// The main job: a virtual building from files, every credential signed, carried, applied, acknowledged and confirmed, a day at the
// doors, and a summary that says whether all of it ended as expected.

import { randomFillSync } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signingKey } from "../../protocol/issuer/encode";
import type { Issuer } from "../../protocol/issuer/issuer";
import type { MadePin } from "../../protocol/issuer/make-pins";
import type { ImportError, Sheet } from "../../protocol/issuer/sheet";
import { instantOf, parseWhen } from "../../protocol/issuer/when";
import { node } from "../../simulator/board/crypto";
import { packImage } from "../../simulator/board/image";
import { readSheet } from "../csv";
import { type EmbeddedBroker, startBroker } from "../links/broker";
import { BrokerError, connectBroker, MqttCourier } from "../links/mqtt";
import { openOffice } from "../office/office";
import { Failure } from "../ui/failure";
import { errorLines } from "../ui/import-errors";
import type { Terminal } from "../ui/terminal";
import { wallText } from "../ui/time";
import { intlOffset } from "../zone";
import { Building, type VirtualDoor } from "./building";
import { Day, type DayListener, type SettableClock } from "./day";
import { Screen } from "./screen";
import { type Expectation, readDay, readExpected, type Step } from "./script";
import { type Summary, summarize } from "./summary";

/** The files of a building and a day. */
export interface DemoFiles {
  readonly doors: string;
  readonly schedules: string;
  readonly people: readonly string[];
  readonly day: string;
  readonly expected: string;
}

/** How a demo runs. */
export interface DemoOptions {
  readonly files: DemoFiles;
  /** A broker of one's own; the embedded one otherwise. */
  readonly broker?: string;
  /** A port for the embedded broker, 0 for a free one. */
  readonly port: number;
  /** A folder that keeps the issuer's store and every lock's flash image; a temporary one otherwise. */
  readonly out?: string;
  readonly skipBadRows: boolean;
  readonly json: boolean;
  readonly terminal: Terminal;
  /** Whether progress is drawn. */
  readonly live: boolean;
}

const SITE = "building";

/** Leaves out the rows that have errors. A fault of a whole file stays one. */
function withoutBadRows(sheet: Sheet, errors: readonly ImportError[]): Sheet {
  const bad = new Set(errors.filter(({ file }) => file === sheet.file).map(({ line }) => line));
  return { ...sheet, rows: sheet.rows.filter(({ line }) => !bad.has(line)) };
}

/** The sheets of the building: one object, so that they are checked against each other. */
interface BuildingSheets {
  readonly doors: Sheet;
  readonly schedules: Sheet;
  readonly people: readonly Sheet[];
}

const rowCount = ({ doors, schedules, people }: BuildingSheets): number =>
  [doors, schedules, ...people].reduce((sum, { rows }) => sum + rows.length, 0);

interface Script {
  readonly steps: Step[];
  readonly expected: Expectation[];
}

class Demo {
  readonly #options: DemoOptions;
  readonly #issuer: Issuer;
  readonly #screen: Screen;
  readonly #clock: SettableClock;
  readonly #folder: string;

  constructor(options: DemoOptions, issuer: Issuer, clock: SettableClock, folder: string) {
    this.#options = options;
    this.#issuer = issuer;
    this.#clock = clock;
    this.#folder = folder;
    this.#screen = new Screen(options.terminal, options.live, options.json);
  }

  /** Imports the building; with errors nothing of it, unless bad rows shall be skipped. */
  async import(now: number): Promise<void> {
    const { files, skipBadRows, terminal } = this.#options;
    let sheets: BuildingSheets = {
      doors: readSheet(files.doors),
      schedules: readSheet(files.schedules),
      people: files.people.map(readSheet),
    };
    const faults: ImportError[] = [];
    let result = await this.#issuer.importSheets(sheets, now);
    while (result.errors.length > 0) {
      const { errors } = result;
      faults.push(...errors);
      const before = rowCount(sheets);
      sheets = {
        doors: withoutBadRows(sheets.doors, errors),
        schedules: withoutBadRows(sheets.schedules, errors),
        people: sheets.people.map((sheet) => withoutBadRows(sheet, errors)),
      };
      // What refers to a row that is left out is bad now too; a fault that no row has cannot be left out.
      if (!skipBadRows || rowCount(sheets) === before) break;
      result = await this.#issuer.importSheets(sheets, now);
    }
    if (faults.length > 0) terminal.err(`${errorLines(faults)}\n`);
    if (result.errors.length > 0)
      throw new Failure(
        `${faults.length} errors in the files; nothing was imported`,
        "correct them, or leave bad rows out with --skip-bad-rows",
      );
    const what = `${result.doors} doors, ${result.people} people, ${result.schedules} schedules`;
    this.#screen.line(faults.length > 0 ? `Imported ${what}; bad rows were left out.` : `Imported ${what}.`);
    this.#keepPins(result.generated);
  }

  /** Reads the day and what is expected of it; a fault in either stops before anything happens. */
  script(): Script {
    const { files } = this.#options;
    const { doors, people } = this.#issuer.directory;
    if (doors.size === 0) throw new Failure(`${files.doors}: no doors`, "add a line for each door");
    const names = { doors: new Set(doors.keys()), people: new Set(people.keys()) };
    const errors: ImportError[] = [];
    const steps = readDay(readSheet(files.day), names, errors);
    const expected = readExpected(readSheet(files.expected), names, steps, errors);
    if (errors.length > 0) {
      this.#options.terminal.err(`${errorLines(errors)}\n`);
      throw new Failure(`${errors.length} errors in the script of the day`, "correct them and run it again");
    }
    return { steps, expected };
  }

  /** Installs the locks, runs the day, and gives the summary. */
  async run({ steps, expected }: Script, url: string): Promise<Summary> {
    const client = await connectBroker(url);
    const courier = new MqttCourier(client, SITE);
    await courier.listen();
    const building = new Building(this.#issuer, courier, this.#clock);
    try {
      const maker = signingKey(node, new Uint8Array(randomFillSync(Buffer.alloc(32))));
      for (const { row } of this.#issuer.directory.doors.values()) await building.install(row, maker, url);
      this.#screen.line(`Installed ${building.doors.size} locks; messages go over ${url}.`);
      const day = new Day(building, this.#issuer, this.#clock, this.#listener(building));
      await day.run(steps);
      if (courier.lost) throw new BrokerError(url, "went away during the run");
      const summary = summarize(this.#issuer, building, day.record, expected);
      this.#keepImages(building);
      return summary;
    } finally {
      await building.close();
      await client.endAsync(true);
    }
  }

  #listener(building: Building): DayListener {
    const screen = this.#screen;
    const report = (door: VirtualDoor) => this.#issuer.report(door.id);
    const time = (step: Step, seconds: number) => wallText(building.near(step.door).zone, seconds).slice(11);
    let busy: readonly VirtualDoor[] = [];
    return {
      step: (step, seconds) => {
        if (step.action !== "pin" && step.action !== "card") screen.step(step, time(step, seconds));
      },
      attempt: (attempt, seconds) => {
        screen.attempt(attempt, time(attempt.step, seconds));
      },
      delivered: (door, text) => screen.line(`  ${door.row.door}: ${text}`),
      syncing: (doors) => {
        busy = doors;
        screen.syncing(doors, report);
      },
      synced: () => screen.synced(busy, report),
      receipt: (door) => screen.progress(door, report(door)),
    };
  }

  /** PINs that the issuer made are told to nobody but whoever may read the folder. */
  #keepPins(pins: readonly MadePin[]): void {
    if (pins.length === 0) return;
    const rows = pins.map(({ person, pin }) => `${person},${pin}\n`);
    writeFileSync(join(this.#folder, "pins.csv"), `person,pin\n${rows.join("")}`, { mode: 0o600 });
    const where = this.#options.out === undefined ? "keep them with --out" : "they are in pins.csv";
    this.#screen.line(`PINs made for those who asked for one: ${pins.length}; ${where}.`);
  }

  #keepImages(building: Building): void {
    for (const [name, door] of building.doors)
      writeFileSync(join(this.#folder, `${name}.img`), packImage(door.virtual.board.image()), {
        mode: 0o600,
      });
  }

  show(summary: Summary): void {
    this.#screen.summary(summary);
  }
}

/** The instant at which the script begins, where the virtual clock starts; 0 when the files do not tell, which shows soon enough. */
function beginning(files: DemoFiles): number {
  const first = ({ columns, rows }: Sheet, column: string) => rows[0]?.cells[columns.indexOf(column)]?.trim();
  const when = parseWhen(first(readSheet(files.day), "time") ?? "");
  const zone = first(readSheet(files.doors), "zone") ?? "UTC";
  try {
    return when === undefined ? 0 : instantOf(when, zone, intlOffset);
  } catch {
    return 0;
  }
}

/** Runs the demo; the summary is printed, and returned. Throws a {@link Failure} for bad input or a broker that is not there. */
export async function runDemo(options: DemoOptions): Promise<Summary> {
  let wall = beginning(options.files);
  const clock: SettableClock = {
    now: () => wall,
    set: (seconds) => {
      wall = seconds;
    },
  };
  const folder = options.out ?? mkdtempSync(join(tmpdir(), "tumbler-"));
  mkdirSync(folder, { recursive: true });
  let broker: EmbeddedBroker | undefined;
  const office = await openOffice(join(folder, "issuer"));
  try {
    const { issuer } = office;
    if (issuer.isBegun)
      throw new Failure(`${folder}: has an issuer's store already`, "name a new folder with --out");
    await issuer.begin(SITE);
    const demo = new Demo(options, issuer, clock, folder);
    await demo.import(wall);
    const script = demo.script();
    if (options.broker === undefined) broker = await startBroker(options.port);
    const summary = await demo.run(script, options.broker ?? (broker as EmbeddedBroker).url);
    demo.show(summary);
    return summary;
  } finally {
    await broker?.close();
    await office.close();
    if (options.out === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

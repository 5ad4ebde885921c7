// What a build of the firmware needs of this machine: the project's packages, Moddable's SDK with its tools, and ESP-IDF with its
// compiler. Looks where the environment says and where xs-dev installs them, and tells for each thing how to get it.

import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** What was looked for. */
export interface Finding {
  readonly name: string;
  /** "other": it is there, but not in the version that the firmware was written for. */
  readonly is: "found" | "missing" | "other";
  /** Where it is, or what is missing. */
  readonly what: string;
  /** How to get it; empty for what is found. */
  readonly how: string;
}

/** A machine, as far as it matters. */
export interface Machine {
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  readonly platform: NodeJS.Platform;
  /** The project's folder. */
  readonly root: string;
}

/** What was found, and the environment in which the SDK's tools run. */
export interface Sdk {
  readonly findings: readonly Finding[];
  /** Empty where there is none. */
  readonly moddable: string;
  readonly env: NodeJS.ProcessEnv;
}

const SDK_VERSION = "8.2";
const IDF_VERSION = "6.0";
const SETUP = "npm install -g xs-dev, then: xs-dev setup";
const SETUP_IDF = "xs-dev setup --device esp32";
const COMPILER = "xtensa-esp32-elf-gcc";
/** A package without which nothing of the firmware builds. */
const A_PACKAGE = "node_modules/@noble/ed25519/index.js";

const found = (name: string, what: string): Finding => ({ name, is: "found", what, how: "" });
const missing = (name: string, what: string, how: string): Finding => ({ name, is: "missing", what, how });

/** Looks for everything. */
export function findSdk(machine: Machine): Sdk {
  const { root } = machine;
  const findings: Finding[] = [
    existsSync(join(root, A_PACKAGE))
      ? found("packages", "node_modules")
      : missing("packages", "node_modules is not there", "npm ci"),
  ];
  const moddable = findModdable(machine, findings);
  const tools = moddable === "" ? "" : join(moddable, "build/bin", hostOf(machine.platform), "release");
  const path = [tools, machine.env.PATH ?? ""].filter((each) => each !== "").join(delimiter);
  if (moddable !== "") findings.push(toolOf("mcconfig", moddable, path));
  if (machine.platform !== "win32")
    findings.push(
      which("make", path) === undefined
        ? missing("make", "is not on PATH", "your system's build tools: apt-get install build-essential")
        : found("make", which("make", path) ?? ""),
    );
  const idf = findIdf(machine, moddable, findings);
  if (idf !== "") findings.push(...compilerOf(machine, idf, path));
  return {
    findings,
    moddable,
    env: {
      ...machine.env,
      PATH: path,
      ...(moddable === "" ? {} : { MODDABLE: moddable }),
      ...(idf === "" ? {} : { IDF_PATH: idf }),
    },
  };
}

/** The SDK's folder; empty where there is none. */
function findModdable({ env, home }: Machine, findings: Finding[]): string {
  const named = env.MODDABLE ?? "";
  const folder = named !== "" ? named : join(home, ".local/share/moddable");
  const version = textOf(join(folder, "tools/VERSION"));
  if (version === "") {
    const what = named === "" ? "MODDABLE is not set" : `MODDABLE is ${named}, which is not the SDK`;
    findings.push(missing("Moddable SDK", what, SETUP));
    return "";
  }
  const isWanted = version.startsWith(`${SDK_VERSION}.`) || version === SDK_VERSION;
  findings.push(
    isWanted
      ? found("Moddable SDK", `${version} in ${folder}`)
      : {
          name: "Moddable SDK",
          is: "other",
          what: `${version} in ${folder}, wanted ${SDK_VERSION}`,
          how: `git -C ${folder} checkout ${SDK_VERSION}, then build its tools again`,
        },
  );
  return folder;
}

function toolOf(name: string, moddable: string, path: string): Finding {
  const at = which(name, path);
  if (at !== undefined) return found(name, at);
  return missing(name, "the SDK's tools are not built", `${SETUP}; or make in ${moddable}/build/makefiles`);
}

/** ESP-IDF's folder; empty where there is none. */
function findIdf({ env, home }: Machine, moddable: string, findings: Finding[]): string {
  const named = env.IDF_PATH ?? "";
  const places =
    named !== "" ? [named] : [join(home, ".local/share/esp32/esp-idf"), join(home, "esp/esp-idf")];
  const folder = places.find((each) => existsSync(join(each, "tools/idf.py"))) ?? "";
  if (folder === "") {
    const what = named === "" ? "IDF_PATH is not set" : `IDF_PATH is ${named}, which is not ESP-IDF`;
    findings.push(missing("ESP-IDF", what, SETUP_IDF));
    return "";
  }
  if (!existsSync(join(folder, ".git")))
    findings.push(
      missing(
        "ESP-IDF",
        `${folder} is no clone of its repository, whose version the SDK asks git for`,
        SETUP_IDF,
      ),
    );
  else findings.push(idfVersion(folder, moddable));
  return folder;
}

function idfVersion(folder: string, moddable: string): Finding {
  const text = textOf(join(folder, "tools/cmake/version.cmake"));
  const part = (name: string): string => new RegExp(`IDF_VERSION_${name} (\\d+)`).exec(text)?.[1] ?? "?";
  const version = `${part("MAJOR")}.${part("MINOR")}`;
  const expected = /"EXPECTED_ESP_IDF":\s*"v?([\d.]+)"/.exec(
    textOf(join(moddable, "build/devices/esp32/manifest.json")),
  );
  const wanted = moddable === "" ? IDF_VERSION : (expected?.[1] ?? IDF_VERSION);
  if (version === wanted) return found("ESP-IDF", `${version} in ${folder}`);
  return {
    name: "ESP-IDF",
    is: "other",
    what: `${version} in ${folder}, wanted ${wanted}`,
    how: `git -C ${folder} checkout v${wanted}, git submodule update --init --recursive, ./install.sh esp32`,
  };
}

/** Its compiler and its Python: on PATH where export.sh was sourced, else where install.sh puts them, for the SDK to source it. */
function compilerOf({ env, home }: Machine, idf: string, path: string): Finding[] {
  const tools = env.IDF_TOOLS_PATH ?? join(home, ".espressif");
  const how = `${join(idf, "install.sh")} esp32`;
  const family = join(tools, "tools/xtensa-esp-elf");
  const compiler =
    which(COMPILER, path) ??
    foldersIn(family)
      .map((version) => join(family, version, "xtensa-esp-elf/bin", COMPILER))
      .find((each) => existsSync(each));
  const python = which("idf.py", path) ?? foldersIn(join(tools, "python_env"))[0];
  return [
    compiler === undefined
      ? missing("compiler", `${COMPILER} is neither on PATH nor in ${tools}`, how)
      : found("compiler", compiler),
    python === undefined
      ? missing("idf.py", `is not on PATH, and ${tools} has no Python for it`, how)
      : found("idf.py", which("idf.py", path) ?? `${join(idf, "export.sh")} is sourced for it`),
  ];
}

function hostOf(platform: NodeJS.Platform): string {
  return { darwin: "mac", win32: "win" }[platform as string] ?? "lin";
}

/** Where a program is; undefined where it is not on the path. */
export function which(name: string, path: string): string | undefined {
  const names = process.platform === "win32" ? [`${name}.exe`, `${name}.bat`, `${name}.cmd`, name] : [name];
  const places = path.split(delimiter).flatMap((folder) => names.map((each) => join(folder, each)));
  return places.find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function foldersIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort().reverse() : [];
}

/** The text of a file without the space around it; empty where there is none. */
function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8").trim() : "";
}

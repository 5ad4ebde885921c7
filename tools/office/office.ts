// An issuer's office in a folder. One process has its store open; whoever comes while `tumbler serve` does hands it the work through a
// socket in the folder, which only its owner may open.

import { randomFillSync } from "node:crypto";
import { chmodSync, existsSync, rmSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Issuer } from "../../protocol/issuer/issuer";
import { node } from "../../simulator/board/crypto";
import { StoreError } from "../store/error";
import { FileStore } from "../store/file-store";
import { Failure } from "../ui/failure";
import { intlOffset } from "../zone";
import { doWork, type Reply, type Request } from "./works";

/** The wall clock, in UTC seconds. */
export const wallClock = (): number => Math.floor(Date.now() / 1000);

const socketOf = (folder: string): string => join(folder, "office.sock");

/** An open office. */
export interface Office {
  readonly issuer: Issuer;
  close(): Promise<void>;
}

/** Opens the store in `folder`, made on first use. Throws StoreError while another process has it. */
export async function openOffice(folder: string): Promise<Office> {
  const store = await FileStore.open(folder);
  try {
    const random = (buffer: Uint8Array) => void randomFillSync(buffer);
    const issuer = await Issuer.open({ crypto: node, store, random, offsetOf: intlOffset });
    return { issuer, close: () => store.close() };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** As {@link openOffice}, and throws a {@link Failure} for a folder without a store. */
export async function openBegunOffice(folder: string): Promise<Office> {
  if (!existsSync(join(folder, "journal")))
    throw new Failure(
      `${folder}: no issuer's store`,
      `begin one: tumbler issuer begin --store ${folder} --site NAME`,
    );
  return openOffice(folder);
}

/** Opens an office that has begun, for one job; throws a {@link Failure} where there is none. */
export async function inOffice<T>(folder: string, job: (issuer: Issuer) => Promise<T>): Promise<T> {
  const office = await openBegunOffice(folder);
  try {
    return await job(office.issuer);
  } finally {
    await office.close();
  }
}

/** Does a work: in the office that is open, or in the store itself. */
export async function workAt(folder: string, request: Request): Promise<Reply> {
  try {
    if (request.work !== "begin")
      return await inOffice(folder, (issuer) => doWork(issuer, request, wallClock()));
    const office = await openOffice(folder);
    try {
      return await doWork(office.issuer, request, wallClock());
    } finally {
      await office.close();
    }
  } catch (error) {
    if (!(error instanceof StoreError) || error.fault !== "in-use" || !existsSync(socketOf(folder)))
      throw error;
    return ask(folder, request);
  }
}

type Answer = { readonly reply: Reply } | { readonly failure: string; readonly advice: string };

function ask(folder: string, request: Request): Promise<Reply> {
  const socket = createConnection(socketOf(folder));
  return new Promise((resolve, reject) => {
    const gone = () =>
      reject(new Failure(`${folder}: the process that serves it does not answer`, "try again"));
    socket.once("error", gone);
    socket.once("close", gone);
    createInterface({ input: socket }).once("line", (line) => {
      const answer = JSON.parse(line) as Answer;
      socket.destroy();
      if ("reply" in answer) resolve(answer.reply);
      else reject(new Failure(answer.failure, answer.advice));
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
}

/** Lets others of this machine's user hand in work while the store is open here; `onDone` is called after each work. */
export async function openCounter(folder: string, issuer: Issuer, onDone: () => void): Promise<Server> {
  const path = socketOf(folder);
  // The store's lock is held, so whatever lies here was left by a process that is gone.
  rmSync(path, { force: true });
  const server = createServer((socket) => serve(socket, issuer, onDone));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve());
  });
  chmodSync(path, 0o600);
  return server;
}

function serve(socket: Socket, issuer: Issuer, onDone: () => void): void {
  socket.on("error", () => socket.destroy());
  createInterface({ input: socket }).once("line", async (line) => {
    const answer = await answerTo(line, issuer);
    socket.end(`${JSON.stringify(answer)}\n`);
    onDone();
  });
}

async function answerTo(line: string, issuer: Issuer): Promise<Answer> {
  try {
    return { reply: await doWork(issuer, JSON.parse(line) as Request, wallClock()) };
  } catch (error) {
    if (error instanceof Failure) return { failure: error.message, advice: error.advice };
    return { failure: error instanceof Error ? error.message : String(error), advice: "" };
  }
}

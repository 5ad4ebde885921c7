// Packages that are not installed everywhere: loaded where they are needed, missed with a sentence that says what to do.

import { Failure } from "./ui/failure";

/** What `load` loads. Throws a {@link Failure} where this package is not installed, or does not run on this machine. */
export async function loadOptional<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isMissing = code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND";
    if (isMissing && message.includes(name))
      throw new Failure(`the package ${name} is not installed`, `run: npm install ${name}`);
    throw error;
  }
}

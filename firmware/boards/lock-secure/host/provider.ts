// The host provider of this board: it is wired as the lock's board is.

export { default } from "boards/lock/provider";

/** Database and cache as the other parts see them, wherever they run. */
export { trustOf } from "./connection";
export { External } from "./external";
export { rotatingPasswords, type SlotPassword } from "./passwords";

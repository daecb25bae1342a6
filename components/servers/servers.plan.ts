export * from "./connection.plan";
export type { Slot } from "./passwords.plan";

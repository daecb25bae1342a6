/** The AWS account as the other parts see it: the stack's resources, including those that several parts share. */
export { accountOf, createCloud, type Account, type Cloud } from "./cloud";
export { declareAlarms, logGroup } from "./monitoring";
export { storedSecret } from "./secret";
export { serverSecurityGroup } from "./security-group";

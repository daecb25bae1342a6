/** The account as the other parts see it: what the stack has in it, and the resources that several parts declare. */
export { accountOf, createCloud, type Account, type Cloud } from "./cloud";
export { declareAlarms, logGroup } from "./monitoring";
export { storedSecret } from "./secret";
export { serverSecurityGroup } from "./security-group";

export { destinationOf } from "./backup-copies.plan";
export { planCacheAlarms, planDatabaseAlarms } from "./alarms.plan";
export { serviceAccountsOf } from "./identities.plan";
export { backupPrefix, servicePolicy } from "./policies.plan";
export { serverCidrs } from "./vpc.plan";

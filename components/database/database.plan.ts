export { databaseResources } from "./postgres.plan";
export { rdsConnections } from "./rds-connections.plan";

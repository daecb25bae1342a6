export { databaseResources } from "./postgres.plan";

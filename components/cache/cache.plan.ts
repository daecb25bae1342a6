export { cacheResources } from "./valkey.plan";
